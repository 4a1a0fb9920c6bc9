package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

var moveInCases = []testCase{
	{name: "AttackersAreFoundByIP", run: attackersAreFoundByIP},
	{name: "RacingCallersGetOneIdentity", run: racingCallersGetOneIdentity},
	{name: "EnsuredIdentityIsStored", run: ensuredIdentityIsStored},
	{name: "UnassignedAttackersTakeTheirTagsAlong", run: unassignedAttackersTakeTheirTagsAlong},
	{name: "UnassignedIdentitiesLeaveTheCampaign", run: unassignedIdentitiesLeaveTheCampaign},
	{name: "SurvivorsAreListedAndCounted", run: survivorsAreListedAndCounted},
	{name: "RemergeReplacesTheWinner", run: remergeReplacesTheWinner},
	{name: "PurgeAllEmptiesTheStore", run: purgeAllEmptiesTheStore},
}

func attackersAreFoundByIP(t *testing.T, db *database) {
	ctx, s := context.Background(), overPool(t, db)
	v4, v6 := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::1")
	attackers := []ttp.Attacker{
		{UUID: id("a"), IP: v4, IdentityUUID: id("i")},
		{UUID: id("b"), IP: v4},
		{UUID: id("c"), IP: v6},
		{UUID: id("d"), IP: netip.MustParseAddr("::ffff:192.0.2.7")},
		{UUID: id("e")},
	}
	succeed(t, s.UpsertAttackers(ctx, attackers))
	found := must[[]ttp.Attacker](t)
	equal(t, "by IPv4", byName(found(s.ListAttackersByIP(ctx, v4))), byName(attackers[:2]))
	equal(t, "by IPv6", found(s.ListAttackersByIP(ctx, v6)), attackers[2:3])
	equal(t, "by an unknown one", found(s.ListAttackersByIP(ctx, netip.MustParseAddr("192.0.2.8"))), []ttp.Attacker{})
	for ip, reason := range map[netip.Addr]string{{}: "must be set", netip.MustParseAddr("fe80::1%eth0"): "must have no zone"} {
		_, err := s.ListAttackersByIP(ctx, ip)
		var invalid *ttp.InvalidError
		if !errors.As(err, &invalid) || !errors.Is(err, ttp.ErrInvalidQuery) {
			t.Errorf("%v: got %v", ip, err)
			continue
		}
		equal(t, "problems", invalid.Problems, []ttp.Problem{{Field: "ip", Reason: reason}})
	}
}

func byName(attackers []ttp.Attacker) map[uuid.UUID]ttp.Attacker {
	out := map[uuid.UUID]ttp.Attacker{}
	for _, a := range attackers {
		out[a.UUID] = a
	}
	return out
}

func racingCallersGetOneIdentity(t *testing.T, db *database) {
	ctx, s, other := context.Background(), db.store(t), db.open(t)
	for round := range 5 {
		attacker := id(fmt.Sprint("a", round))
		succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: attacker}}))
		const callers = 8
		var identities [callers]ttp.Identity
		var created [callers]bool
		var wg sync.WaitGroup
		for i := range callers {
			store := []*ttp.Store{s, other}[i%2]
			wg.Go(func() {
				var err error
				if identities[i], created[i], err = store.EnsureIdentity(ctx, attacker); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		creators := 0
		for i := range callers {
			equal(t, "identity", identities[i], identities[0])
			if created[i] {
				creators++
			}
		}
		equal(t, "creators", creators, 1)
		equal(t, "attacker", must[ttp.Attacker](t)(s.GetAttacker(ctx, attacker)),
			ttp.Attacker{UUID: attacker, IdentityUUID: identities[0].UUID})
	}
	equal(t, "identities", must[ttp.ScopeCounts](t)(s.CountScopes(ctx)).Identities, 5)
}

func ensuredIdentityIsStored(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	for attacker, want := range map[uuid.UUID]error{id("a"): ttp.ErrNotFound, uuid.Nil: ttp.ErrInvalidScope} {
		if _, created, err := s.EnsureIdentity(ctx, attacker); !errors.Is(err, want) || created {
			t.Errorf("%s: got %v, %v", attacker, created, err)
		}
	}
	insert(t, s, newTag("1"))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{
		{UUID: id("attacker")}, {UUID: id("b"), IdentityUUID: id("i")}, {UUID: id("c"), IdentityUUID: id("j")},
	}))
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("j"), CampaignUUID: id("x"), MergedIntoUUID: id("k")}}))
	identity, created, err := s.EnsureIdentity(ctx, id("attacker"))
	succeed(t, err)
	equal(t, "new identity", identity, ttp.Identity{UUID: identity.UUID, SurvivorUUID: identity.UUID})
	equal(t, "created", created, true)
	equal(t, "tags", must[int64](t)(s.CountTags(ctx, ttp.OfIdentity(identity.UUID), ttp.Filter{})), 1)
	for attacker, want := range map[string]ttp.Identity{
		"attacker": identity,
		"b":        {UUID: id("i"), SurvivorUUID: id("i")}, // assigned before it was stored
		"c":        {UUID: id("j"), CampaignUUID: id("x"), MergedIntoUUID: id("k"), SurvivorUUID: id("k")},
	} {
		got, created, err := s.EnsureIdentity(ctx, id(attacker))
		succeed(t, err)
		equal(t, attacker, got, want)
		equal(t, "created", created, false)
		equal(t, "stored", must[ttp.Identity](t)(s.GetIdentity(ctx, want.UUID)), want)
	}
}

func unassignedAttackersTakeTheirTagsAlong(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTag("1", named("a", "i", "T1110")), newTag("2", named("a", "", "T1110")), newTag("3", named("b", "i", "T1110")),
		newTag("4", named("", "i", "T1110")))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{
		{UUID: id("a"), IdentityUUID: id("i")}, {UUID: id("b"), IdentityUUID: id("i")}, {UUID: id("c")},
	}))
	equal(t, "before", byIdentity(t, s, "i"), map[string]int64{"T1110": 4})
	err := s.UnassignAttackers(ctx, id("a"), id("unknown"))
	if !errors.Is(err, ttp.ErrNotFound) || !strings.Contains(err.Error(), id("unknown").String()) {
		t.Errorf("unknown: got %v", err)
	}
	if err := s.UnassignAttackers(ctx, uuid.Nil); !errors.Is(err, ttp.ErrInvalidScope) {
		t.Errorf("not set: got %v", err)
	}
	equal(t, "after errors", byIdentity(t, s, "i"), map[string]int64{"T1110": 4})
	for range 2 {
		succeed(t, s.UnassignAttackers(ctx, id("c"), id("a")))
		equal(t, "after", byIdentity(t, s, "i"), map[string]int64{"T1110": 2})
		equal(t, "attacker", must[ttp.Attacker](t)(s.GetAttacker(ctx, id("a"))), ttp.Attacker{UUID: id("a")})
	}
	equal(t, "the attacker's tags", must[int64](t)(s.CountTags(ctx, ttp.OfAttacker(id("a")), ttp.Filter{})), 2)
}

func unassignedIdentitiesLeaveTheCampaign(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTag("1", named("", "i", "T1110")), newTag("2", named("", "j", "T1110")))
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i"), CampaignUUID: id("c")}, {UUID: id("j"), CampaignUUID: id("c")}}))
	if err := s.UnassignCampaign(ctx, id("unknown"), id("i")); !errors.Is(err, ttp.ErrNotFound) {
		t.Errorf("unknown: got %v", err)
	}
	for range 2 {
		succeed(t, s.UnassignCampaign(ctx, id("i")))
		equal(t, "identity", must[ttp.Identity](t)(s.GetIdentity(ctx, id("i"))), ttp.Identity{UUID: id("i"), SurvivorUUID: id("i")})
		equal(t, "tags of the campaign", must[int64](t)(s.CountTags(ctx, ttp.OfCampaign(id("c")), ttp.Filter{})), 1)
	}
}

func survivorsAreListedAndCounted(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	equal(t, "nothing", must[ttp.ScopeCounts](t)(s.CountScopes(ctx)), ttp.ScopeCounts{})
	var identities []ttp.Identity
	var campaigns []ttp.Campaign
	survivors := map[uuid.UUID]bool{}
	for i := range 20 {
		identity, campaign := ttp.Identity{UUID: id(fmt.Sprint("i", i))}, ttp.Campaign{UUID: id(fmt.Sprint("c", i))}
		if i%4 != 0 {
			identity.MergedIntoUUID, campaign.MergedIntoUUID = id("i0"), id("c0")
		} else {
			survivors[identity.UUID], survivors[campaign.UUID] = true, true
		}
		identities, campaigns = append(identities, identity), append(campaigns, campaign)
	}
	succeed(t, s.UpsertIdentities(ctx, identities))
	succeed(t, s.UpsertCampaigns(ctx, campaigns[:16]))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{
		{UUID: id("a"), IdentityUUID: id("i0")}, {UUID: id("b"), IdentityUUID: id("i1")}, {UUID: id("c")},
	}))
	equal(t, "counts", must[ttp.ScopeCounts](t)(s.CountScopes(ctx)),
		ttp.ScopeCounts{Campaigns: 16, SurvivingCampaigns: 4, Identities: 20, SurvivingIdentities: 5, Attackers: 3})
	equal(t, "attackers of an identity", must[int64](t)(s.CountAttackers(ctx, id("i0"))), 1)
	listed := 0
	for after := uuid.Nil; ; {
		page := must[[]ttp.Identity](t)(s.ListSurvivingIdentities(ctx, after, 2))
		for _, identity := range page {
			if !survivors[identity.UUID] || strings.Compare(string(identity.UUID[:]), string(after[:])) <= 0 {
				t.Errorf("%s is listed after %s", identity.UUID, after)
			}
			after = identity.UUID
			listed++
		}
		if len(page) < 2 {
			break
		}
	}
	equal(t, "survivors listed", listed, 5)
	for _, campaign := range must[[]ttp.Campaign](t)(s.ListSurvivingCampaigns(ctx, uuid.Nil, 100)) {
		if !survivors[campaign.UUID] {
			t.Errorf("%s is listed", campaign.UUID)
		}
		listed++
	}
	equal(t, "survivors listed", listed, 9)
	if _, err := s.ListSurvivingCampaigns(ctx, uuid.Nil, 0); !errors.Is(err, ttp.ErrInvalidQuery) {
		t.Errorf("no limit: got %v", err)
	}
}

func remergeReplacesTheWinner(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{
		{UUID: id("a"), MergedIntoUUID: id("b")}, {UUID: id("b")}, {UUID: id("c")}, {UUID: id("leaf"), MergedIntoUUID: id("a")},
	}))
	succeed(t, s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: id("x"), MergedIntoUUID: id("y")}, {UUID: id("y")}, {UUID: id("z")}}))
	survivor := func(name string) uuid.UUID { return must[ttp.Identity](t)(s.GetIdentity(ctx, id(name))).SurvivorUUID }
	for _, into := range []string{"c", "c", "b", "c"} {
		succeed(t, s.RemergeIdentity(ctx, id("a"), id(into)))
		equal(t, "survivor", survivor("a"), id(into))
		equal(t, "survivor of a leaf", survivor("leaf"), id(into))
	}
	succeed(t, s.RemergeIdentity(ctx, id("b"), id("c"))) // was not merged
	equal(t, "survivor", survivor("b"), id("c"))
	for into, want := range map[string]error{"leaf": ttp.ErrConflict, "a": ttp.ErrConflict, "unknown": ttp.ErrNotFound} {
		if err := s.RemergeIdentity(ctx, id("a"), id(into)); !errors.Is(err, want) {
			t.Errorf("into %s: got %v, want %v", into, err, want)
		}
		equal(t, "survivor after an error", survivor("a"), id("c"))
		equal(t, "survivor of a leaf after an error", survivor("leaf"), id("c"))
	}
	succeed(t, s.RemergeCampaign(ctx, id("x"), id("z")))
	equal(t, "campaign", must[ttp.Campaign](t)(s.GetCampaign(ctx, id("x"))),
		ttp.Campaign{UUID: id("x"), MergedIntoUUID: id("z"), SurvivorUUID: id("z")})
	for _, finding := range findings(t, s) {
		t.Errorf("verify finds %v", finding)
	}
}

func findings(t *testing.T, s *ttp.Store) []ttp.Finding {
	t.Helper()
	var found []ttp.Finding
	for finding, err := range s.Verify(context.Background(), ttp.VerifyOptions{}) {
		succeed(t, err)
		found = append(found, finding)
	}
	return found
}

func purgeAllEmptiesTheStore(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTag("gone"))
	tombstone := must[ttp.Receipt](t)(s.RollbackRule(ctx, ttp.Filter{RuleID: "R1001"}, ttp.WithTombstone("too eager"))).TombstoneUUID
	insert(t, s, append(newTags(300), newTag("sub", technique("T1110", "T1110.001", "TA0006")))...)
	succeed(t, s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: id("c"), MergedIntoUUID: id("d")}, {UUID: id("d")}}))
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{
		{UUID: id("i"), MergedIntoUUID: id("j"), CampaignUUID: id("c")}, {UUID: id("j")}, {UUID: id("k")},
	}))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("attacker"), IdentityUUID: id("i")}}))
	want := ttp.Receipt{
		Tags: 301, Techniques: map[string]int64{"T1110": 300, "T1110.001": 1}, Attackers: 1, Identities: 3, Campaigns: 2, DryRun: true,
	}
	before := tables(t, db)
	equal(t, "dry run", must[ttp.Receipt](t)(s.PurgeAll(ctx, ttp.DryRun())), want)
	equal(t, "tables after the dry run", tables(t, db), before)
	want.DryRun = false
	equal(t, "receipt", must[ttp.Receipt](t)(s.PurgeAll(ctx, ttp.WithBatchSize(2))), want)
	left := tables(t, db)
	for _, table := range []string{"ttp_tag", "ttp_attacker", "ttp_identity", "ttp_campaign"} {
		equal(t, table, left[table], 0)
	}
	equal(t, "fleet", must[[]ttp.TechniqueRollupRow](t)(s.ListDistinctTechniques(ctx)), []ttp.TechniqueRollupRow{})
	equal(t, "again", must[ttp.Receipt](t)(s.PurgeAll(ctx)), ttp.Receipt{})
	equal(t, "replay of what was removed before", insert(t, s, newTag("gone")).Outcomes, []ttp.Outcome{ttp.Tombstoned})
	equal(t, "tombstone", must[[]ttp.Tombstone](t)(s.ListTombstones(ctx, uuid.Nil, 10))[0].UUID, tombstone)
	equal(t, "findings", findings(t, s), nil)
}
