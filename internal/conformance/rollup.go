package conformance

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

var rollupCases = []testCase{
	{name: "RowsSummarizeTheirTags", run: rowsSummarizeTheirTags},
	{name: "TiesAreOrderedByTechnique", run: tiesAreOrderedByTechnique},
	{name: "RulesOfTechniquesAreListedOnce", run: rulesOfTechniquesAreListedOnce},
	{name: "FleetForgetsRemovedExtremes", run: fleetForgetsRemovedExtremes},
	{name: "UnknownScopesAreEmpty", run: unknownScopesAreEmpty},
	{name: "AttackerScopeHasOnlyItsTags", run: attackerScopeHasOnlyItsTags},
	{name: "IdentityHasTheTagsOfItsAttackers", run: identityHasTheTagsOfItsAttackers},
	{name: "SurvivorHasTheTagsOfMergedIdentities", run: survivorHasTheTagsOfMergedIdentities},
	{name: "CampaignIsTheUnionOfItsIdentities", run: campaignIsTheUnionOfItsIdentities},
	{name: "IdentitiesOfManyAttackersCountOnce", run: identitiesOfManyAttackersCountOnce},
	{name: "SurvivorHasTheIdentitiesOfMergedCampaigns", run: survivorHasTheIdentitiesOfMergedCampaigns},
	{name: "ScopesAndTagsAreWrittenInAnyOrder", run: scopesAndTagsAreWrittenInAnyOrder},
}

func rowsSummarizeTheirTags(t *testing.T, db *database) {
	s := db.store(t)
	session := func(tag *ttp.Tag) { tag.SessionID = "session" }
	change := func(tactic, release string, confidence float64, when int) func(*ttp.Tag) {
		return func(tag *ttp.Tag) {
			tag.TechniqueID, tag.SubTechniqueID = "T1078", "T1078.003"
			tag.Tactic, tag.AttackRelease, tag.Confidence, tag.ObservedAt = tactic, release, confidence, at(when)
		}
	}
	insert(t, s,
		newTag("1", session, change("TA0003", "enterprise-v18.1", 0.4, 50)),
		newTag("2", session, change("TA0004", "enterprise-v18.1", 0.9, 10)),
		newTag("3", session, change("TA0004", "enterprise-v15.1", 0.3, 30)),
		newTag("4", session, change("TA0003", "enterprise-v15.1", 0.5, 20)),
		newTag("5", session, change("TA0001", "enterprise-v15.1", 0.5, 40)),
		newTag("6", session, func(tag *ttp.Tag) { tag.TechniqueID = "T1078"; tag.ObservedAt = at(60) }),
	)
	want := []ttp.TechniqueRollupRow{{
		TechniqueID: "T1078", SubTechniqueID: "T1078.003", Tactic: "TA0003",
		Tactics:  []ttp.TacticCount{{Tactic: "TA0003", Count: 2}, {Tactic: "TA0004", Count: 2}, {Tactic: "TA0001", Count: 1}},
		Releases: []string{"enterprise-v15.1", "enterprise-v18.1"},
		Count:    5, FirstSeen: at(10), LastSeen: at(50), ConfidenceMax: 0.9,
	}, {
		TechniqueID: "T1078", Tactic: "TA0006", Tactics: []ttp.TacticCount{{Tactic: "TA0006", Count: 1}},
		Releases: []string{"enterprise-v18.1"}, Count: 1, FirstSeen: at(60), LastSeen: at(60), ConfidenceMax: 0.7,
	}}
	ctx, rows := context.Background(), must[[]ttp.TechniqueRollupRow](t)
	equal(t, "fleet", rows(s.ListDistinctTechniques(ctx)), want)
	equal(t, "session", rows(s.ListTechniquesBySession(ctx, "session")), want)
	equal(t, "attacker", rows(s.ListTechniquesByAttacker(ctx, id("attacker"))), want)
}

func tiesAreOrderedByTechnique(t *testing.T, db *database) {
	s := db.store(t)
	techniques := [][2]string{
		{"T1003", "T1003.008"}, {"T1003", "T1003.001"}, {"T1003", ""}, {"T1595", ""}, {"T1001", ""}, {"T1110", ""}, {"T1110", ""},
	}
	for i, technique := range techniques {
		insert(t, s, newTag(string(rune('a'+i)), func(tag *ttp.Tag) { tag.TechniqueID, tag.SubTechniqueID = technique[0], technique[1] }))
	}
	var got [][2]string
	for _, row := range must[[]ttp.TechniqueRollupRow](t)(s.ListDistinctTechniques(context.Background())) {
		got = append(got, [2]string{row.TechniqueID, row.SubTechniqueID})
	}
	equal(t, "order", got, [][2]string{
		{"T1110", ""}, {"T1001", ""}, {"T1003", ""}, {"T1003", "T1003.001"}, {"T1003", "T1003.008"}, {"T1595", ""},
	})
}

func rulesOfTechniquesAreListedOnce(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i"), CampaignUUID: id("c")}}))
	for i, rule := range []string{"R3", "R1", "R2", "R1"} {
		insert(t, s, newTag(fmt.Sprint(i), named("a", "i", "T1110"), func(tag *ttp.Tag) {
			tag.RuleID, tag.SessionID, tag.Tactic = rule, "session", fmt.Sprintf("TA000%d", i+1)
		}))
	}
	for _, scope := range []ttp.Scope{
		ttp.Fleet(), ttp.OfSession("session"), ttp.OfAttacker(id("a")), ttp.OfIdentity(id("i")), ttp.OfCampaign(id("c")),
	} {
		row := must[[]ttp.TechniqueRollupRow](t)(s.Rollup(ctx, scope, ttp.WithRules()))[0]
		equal(t, fmt.Sprint("rules of ", scope), row.Rules, []string{"R1", "R2", "R3"})
	}
}

func fleetForgetsRemovedExtremes(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	for i, session := range []string{"removed", "kept", "removed"} {
		insert(t, s, newTag(fmt.Sprint(i), func(tag *ttp.Tag) {
			tag.SessionID, tag.ObservedAt, tag.Confidence = session, at(i), []float64{0.5, 0.6, 0.7}[i]
		}))
	}
	must[ttp.Receipt](t)(s.PurgeSession(ctx, "removed"))
	rows := must[[]ttp.TechniqueRollupRow](t)
	fleet := rows(s.ListDistinctTechniques(ctx))
	equal(t, "fleet", fleet, rows(s.ListTechniquesBySession(ctx, "kept")))
	equal(t, "last seen", fleet[0].LastSeen, at(1))
}

func unknownScopesAreEmpty(t *testing.T, db *database) {
	s := db.store(t)
	ctx, rows := context.Background(), must[[]ttp.IdentityTechniqueRow](t)
	equal(t, "empty fleet", rows(s.ListDistinctTechniques(ctx)), []ttp.TechniqueRollupRow{})
	insert(t, s, newTag("1"))
	for _, unknown := range []uuid.UUID{id("unknown"), uuid.Nil} {
		equal(t, "identity", rows(s.ListTechniquesByIdentity(ctx, unknown)), []ttp.IdentityTechniqueRow{})
		equal(t, "attacker", rows(s.ListTechniquesByAttacker(ctx, unknown)), []ttp.IdentityTechniqueRow{})
		equal(t, "campaign", must[[]ttp.CampaignTechniqueRow](t)(s.ListTechniquesByCampaign(ctx, unknown)), []ttp.CampaignTechniqueRow{})
	}
	equal(t, "session", rows(s.ListTechniquesBySession(ctx, "unknown")), []ttp.IdentityTechniqueRow{})
}

// named sets the attacker and the identity, "" for none, and the technique, by which tests distinguish tags.
func named(attacker, identity, technique string) func(*ttp.Tag) {
	return func(tag *ttp.Tag) {
		tag.AttackerUUID, tag.IdentityUUID, tag.TechniqueID = uuid.Nil, uuid.Nil, technique
		if attacker != "" {
			tag.AttackerUUID = id(attacker)
		}
		if identity != "" {
			tag.IdentityUUID = id(identity)
		}
	}
}

// counts returns the numbers of tags by technique.
func counts(rows []ttp.TechniqueRollupRow) map[string]int64 {
	out := map[string]int64{}
	for _, row := range rows {
		out[row.TechniqueID] += row.Count
	}
	return out
}

func byIdentity(t *testing.T, s *ttp.Store, identity string) map[string]int64 {
	t.Helper()
	return counts(must[[]ttp.TechniqueRollupRow](t)(s.ListTechniquesByIdentity(context.Background(), id(identity))))
}

func attackerScopeHasOnlyItsTags(t *testing.T, db *database) {
	s := db.store(t)
	succeed(t, s.UpsertAttackers(context.Background(), []ttp.Attacker{{UUID: id("a"), IdentityUUID: id("i")}}))
	insert(t, s,
		newTag("1", named("a", "", "T0001")), newTag("2", named("a", "i", "T0002")),
		newTag("3", named("", "i", "T0003")), newTag("4", named("b", "i", "T0004")))
	got := counts(must[[]ttp.TechniqueRollupRow](t)(s.ListTechniquesByAttacker(context.Background(), id("a"))))
	equal(t, "attacker", got, map[string]int64{"T0001": 1, "T0002": 1})
}

func identityHasTheTagsOfItsAttackers(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s,
		newTag("1", named("a", "", "T0001")),  // through the attacker
		newTag("2", named("a", "i", "T0001")), // has the identity, and must not count twice
		newTag("3", named("", "i", "T0002")),  // has no attacker
		newTag("4", named("a", "j", "T0003")), // has another identity
		newTag("5", named("b", "", "T0004")),  // an attacker without identity
	)
	equal(t, "before the attacker is stored", byIdentity(t, s, "i"), map[string]int64{"T0001": 1, "T0002": 1})
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a"), IdentityUUID: id("i")}, {UUID: id("b")}}))
	equal(t, "identity", byIdentity(t, s, "i"), map[string]int64{"T0001": 2, "T0002": 1})
	equal(t, "other identity", byIdentity(t, s, "j"), map[string]int64{"T0003": 1})
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a"), IdentityUUID: id("k")}}))
	equal(t, "previous identity of the attacker", byIdentity(t, s, "i"), map[string]int64{"T0002": 1})
	equal(t, "new identity of the attacker", byIdentity(t, s, "k"), map[string]int64{"T0001": 2, "T0003": 1})
}

func survivorHasTheTagsOfMergedIdentities(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s,
		newTag("1", named("", "i1", "T0001")), newTag("2", named("a", "", "T0002")),
		newTag("3", named("", "i3", "T0003")), newTag("4", named("", "i4", "T0004")))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a"), IdentityUUID: id("i2")}}))
	// i1 is merged into i2, and i2 into i3, which is not stored yet. i4 is separate.
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i4")}, {UUID: id("i2"), MergedIntoUUID: id("i3")}}))
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i1"), MergedIntoUUID: id("i2")}}))
	all := map[string]int64{"T0001": 1, "T0002": 1, "T0003": 1}
	for _, identity := range []string{"i1", "i2", "i3"} {
		equal(t, identity, byIdentity(t, s, identity), all)
	}
	equal(t, "i4", byIdentity(t, s, "i4"), map[string]int64{"T0004": 1})
	// The survivor is stored and merged.
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i3"), MergedIntoUUID: id("i4")}}))
	all["T0004"] = 1
	for _, identity := range []string{"i1", "i2", "i3", "i4"} {
		equal(t, identity, byIdentity(t, s, identity), all)
		stored := must[ttp.Identity](t)(s.GetIdentity(ctx, id(identity)))
		equal(t, "survivor of "+identity, stored.SurvivorUUID, id("i4"))
	}
}

func campaignIsTheUnionOfItsIdentities(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{
		{UUID: id("i1"), CampaignUUID: id("c")},
		{UUID: id("i2"), CampaignUUID: id("c")},
		{UUID: id("i3"), CampaignUUID: id("other"), MergedIntoUUID: id("i2")}, // counts for the campaign of its survivor
		{UUID: id("i4"), CampaignUUID: id("c"), MergedIntoUUID: id("i5")},     // likewise
		{UUID: id("i5"), CampaignUUID: id("other")},
	}))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a1"), IdentityUUID: id("i1")}, {UUID: id("a3"), IdentityUUID: id("i3")}}))
	insert(t, s,
		newTag("1", named("", "i1", "T0001")), newTag("2", named("a1", "", "T0001")), newTag("3", named("", "i2", "T0001")),
		newTag("4", named("a3", "", "T0001")), newTag("5", named("a3", "i3", "T0002")), newTag("6", named("", "i4", "T0003")),
		newTag("7", named("", "i5", "T0003")), newTag("8", named("a1", "i1", "T0004"), func(tag *ttp.Tag) { tag.SubTechniqueID = "T0004.001" }),
	)
	// Only the counts are compared; rowsSummarizeTheirTags checks the other fields.
	row := func(technique, sub string, tags, identities int64) ttp.CampaignTechniqueRow {
		return ttp.CampaignTechniqueRow{
			TechniqueID: technique, SubTechniqueID: sub, Tactic: "TA0006",
			Tactics: []ttp.TacticCount{{Tactic: "TA0006", Count: tags}}, Releases: []string{"enterprise-v18.1"},
			Count: tags, FirstSeen: at(0), LastSeen: at(0), ConfidenceMax: 0.7, IdentityCount: identities,
		}
	}
	rows := must[[]ttp.CampaignTechniqueRow](t)
	equal(t, "campaign", rows(s.ListTechniquesByCampaign(ctx, id("c"))), []ttp.CampaignTechniqueRow{
		row("T0001", "", 4, 2), row("T0002", "", 1, 1), row("T0004", "T0004.001", 1, 1),
	})
	equal(t, "other campaign", rows(s.ListTechniquesByCampaign(ctx, id("other"))), []ttp.CampaignTechniqueRow{row("T0003", "", 2, 1)})
	union := map[string]int64{}
	for _, identity := range []string{"i1", "i2"} {
		for technique, n := range byIdentity(t, s, identity) {
			union[technique] += n
		}
	}
	equal(t, "union", union, map[string]int64{"T0001": 4, "T0002": 1, "T0004": 1})
}

// The tags of several attackers and merged identities count one identity.
func identitiesOfManyAttackersCountOnce(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	const identities, attackers = 3, 9
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{
		{UUID: id("i0"), CampaignUUID: id("c")}, {UUID: id("i1"), CampaignUUID: id("c")}, {UUID: id("i2"), CampaignUUID: id("c")},
		{UUID: id("merged"), MergedIntoUUID: id("i2")},
	}))
	tags := int64(0)
	for i := range identities {
		for a := range attackers {
			attacker, identity := fmt.Sprint("a", i, a), fmt.Sprint("i", i)
			if i == 2 && a%2 == 0 {
				identity = "merged"
			}
			succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id(attacker), IdentityUUID: id(identity)}}))
			insert(t, s, newTag(attacker, named(attacker, []string{"", identity}[a%2], "T0001")))
			tags++
		}
	}
	rows := must[[]ttp.CampaignTechniqueRow](t)(s.ListTechniquesByCampaign(ctx, id("c")))
	if len(rows) != 1 || rows[0].Count != tags || rows[0].IdentityCount != identities {
		t.Errorf("got %+v, want one row with %d tags of %d identities", rows, tags, identities)
	}
}

func survivorHasTheIdentitiesOfMergedCampaigns(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{
		{UUID: id("i1"), CampaignUUID: id("c1")}, {UUID: id("i2"), CampaignUUID: id("c2")}, {UUID: id("i3"), CampaignUUID: id("c3")},
	}))
	insert(t, s, newTag("1", named("", "i1", "T0001")), newTag("2", named("", "i2", "T0001")), newTag("3", named("", "i3", "T0003")))
	// c1 is merged into c2, and c2 into c3, which is not stored.
	succeed(t, s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: id("c1"), Name: "first", MergedIntoUUID: id("c2")}}))
	succeed(t, s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: id("c2"), MergedIntoUUID: id("c3")}}))
	for _, campaign := range []string{"c1", "c2", "c3"} {
		got := map[string][2]int64{}
		for _, row := range must[[]ttp.CampaignTechniqueRow](t)(s.ListTechniquesByCampaign(ctx, id(campaign))) {
			got[row.TechniqueID] = [2]int64{row.Count, row.IdentityCount}
		}
		equal(t, campaign, got, map[string][2]int64{"T0001": {2, 2}, "T0003": {1, 1}})
	}
	equal(t, "c1", must[ttp.Campaign](t)(s.GetCampaign(ctx, id("c1"))),
		ttp.Campaign{UUID: id("c1"), Name: "first", MergedIntoUUID: id("c2"), SurvivorUUID: id("c3")})
}

func scopesAndTagsAreWrittenInAnyOrder(t *testing.T, db *database) {
	ctx := context.Background()
	steps := []func(*ttp.Store) error{
		func(s *ttp.Store) error {
			_, err := s.InsertTags(ctx, []ttp.Tag{
				newTag("1", named("a", "", "T0001")), newTag("2", named("a", "i2", "T0002")), newTag("3", named("", "i1", "T0003")),
			})
			return err
		},
		func(s *ttp.Store) error {
			return s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a"), IdentityUUID: id("i1")}})
		},
		func(s *ttp.Store) error {
			return s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i1"), MergedIntoUUID: id("i2")}})
		},
		func(s *ttp.Store) error {
			return s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i2"), CampaignUUID: id("c1")}})
		},
		func(s *ttp.Store) error {
			return s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: id("c1"), MergedIntoUUID: id("c2")}})
		},
	}
	s := db.store(t)
	for shift := range steps {
		clearTables(t, db)
		for i := range steps {
			succeed(t, steps[(i+shift)%len(steps)](s))
		}
		equal(t, "identity", byIdentity(t, s, "i2"), map[string]int64{"T0001": 1, "T0002": 1, "T0003": 1})
		got := map[string]int64{}
		for _, row := range must[[]ttp.CampaignTechniqueRow](t)(s.ListTechniquesByCampaign(ctx, id("c2"))) {
			got[row.TechniqueID] = row.Count
		}
		equal(t, "campaign", got, map[string]int64{"T0001": 1, "T0002": 1, "T0003": 1})
	}
}
