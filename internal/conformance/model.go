package conformance

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/decnet/ttpstore/ttp"
)

// model holds the written rows, and implements the rules of rollups a second time, by loops.
type model struct {
	zero       time.Time     // reference time of the tags
	unit       time.Duration // smallest difference of their times
	tags       []ttp.Tag
	campaigns  map[uuid.UUID]ttp.Campaign
	identities map[uuid.UUID]ttp.Identity
	attackers  map[uuid.UUID]ttp.Attacker
}

// fold returns the rollup of the wanted tags.
func (m *model) fold(wanted func(ttp.Tag) bool) []ttp.TechniqueRollupRow {
	rows := []ttp.TechniqueRollupRow{}
	for _, tag := range m.tags {
		if !wanted(tag) {
			continue
		}
		i := slices.IndexFunc(rows, func(r ttp.TechniqueRollupRow) bool {
			return r.TechniqueID == tag.TechniqueID && r.SubTechniqueID == tag.SubTechniqueID
		})
		if i < 0 {
			i = len(rows)
			rows = append(rows, ttp.TechniqueRollupRow{
				TechniqueID: tag.TechniqueID, SubTechniqueID: tag.SubTechniqueID, FirstSeen: tag.ObservedAt, LastSeen: tag.ObservedAt,
			})
		}
		foldTag(&rows[i], tag)
	}
	for i := range rows {
		slices.SortFunc(rows[i].Tactics, func(a, b ttp.TacticCount) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Tactic, b.Tactic))
		})
		rows[i].Tactic = rows[i].Tactics[0].Tactic
		slices.Sort(rows[i].Releases)
	}
	slices.SortFunc(rows, func(a, b ttp.TechniqueRollupRow) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.TechniqueID, b.TechniqueID), cmp.Compare(a.SubTechniqueID, b.SubTechniqueID))
	})
	return rows
}

func foldTag(row *ttp.TechniqueRollupRow, tag ttp.Tag) {
	row.Count++
	if tag.ObservedAt.Before(row.FirstSeen) {
		row.FirstSeen = tag.ObservedAt
	}
	if tag.ObservedAt.After(row.LastSeen) {
		row.LastSeen = tag.ObservedAt
	}
	row.ConfidenceMax = max(row.ConfidenceMax, tag.Confidence)
	if !slices.Contains(row.Releases, tag.AttackRelease) {
		row.Releases = append(row.Releases, tag.AttackRelease)
	}
	for i := range row.Tactics {
		if row.Tactics[i].Tactic == tag.Tactic {
			row.Tactics[i].Count++
			return
		}
	}
	row.Tactics = append(row.Tactics, ttp.TacticCount{Tactic: tag.Tactic, Count: 1})
}

// survivingIdentity follows the merges. An identity that is not stored is not merged.
func (m *model) survivingIdentity(id uuid.UUID) uuid.UUID {
	for m.identities[id].MergedIntoUUID != uuid.Nil {
		id = m.identities[id].MergedIntoUUID
	}
	return id
}

func (m *model) survivingCampaign(id uuid.UUID) uuid.UUID {
	for m.campaigns[id].MergedIntoUUID != uuid.Nil {
		id = m.campaigns[id].MergedIntoUUID
	}
	return id
}

// identityOf returns the surviving identity of a tag, uuid.Nil for none.
func (m *model) identityOf(tag ttp.Tag) uuid.UUID {
	if tag.IdentityUUID != uuid.Nil {
		return m.survivingIdentity(tag.IdentityUUID)
	}
	return m.survivingIdentity(m.attackers[tag.AttackerUUID].IdentityUUID)
}

// campaignOf returns the surviving campaign of a tag, uuid.Nil for none.
func (m *model) campaignOf(tag ttp.Tag) uuid.UUID {
	return m.survivingCampaign(m.identities[m.identityOf(tag)].CampaignUUID)
}

// foldScope returns the rollup of the wanted tags of the scope.
func (m *model) foldScope(scope ttp.Scope, wanted func(ttp.Tag) bool) []ttp.TechniqueRollupRow {
	inScope := func(tag ttp.Tag) bool { return wanted(tag) && m.has(scope, tag) }
	rows := m.fold(inScope)
	if scope.Kind != ttp.CampaignScope {
		return rows
	}
	for i, row := range rows {
		identities := map[uuid.UUID]bool{}
		for _, tag := range m.tags {
			if inScope(tag) && tag.TechniqueID == row.TechniqueID && tag.SubTechniqueID == row.SubTechniqueID {
				identities[m.identityOf(tag)] = true
			}
		}
		rows[i].IdentityCount = int64(len(identities))
	}
	return rows
}

// has reports whether a scope contains a tag.
func (m *model) has(scope ttp.Scope, tag ttp.Tag) bool {
	switch scope.Kind {
	case ttp.AttackerScope:
		return tag.AttackerUUID == scope.UUID
	case ttp.SessionScope:
		return tag.SessionID == scope.SessionID
	case ttp.IdentityScope:
		return m.identityOf(tag) == m.survivingIdentity(scope.UUID)
	case ttp.CampaignScope:
		campaign := m.campaignOf(tag)
		return campaign != uuid.Nil && campaign == m.survivingCampaign(scope.UUID)
	}
	return true
}

// pick draws one of n names of a kind, such as "a3", or "".
func pick(rt *rapid.T, kind string, n int) string {
	i := rapid.IntRange(0, n).Draw(rt, kind)
	if i == 0 {
		return ""
	}
	return fmt.Sprint(kind, i)
}

// pickID draws one of n UUIDs of a kind, or uuid.Nil.
func pickID(rt *rapid.T, kind string, n int) uuid.UUID {
	if name := pick(rt, kind, n); name != "" {
		return id(name)
	}
	return uuid.Nil
}

const campaigns, identities, attackers, sessions, deckies = 3, 6, 8, 3, 2

var releases = []string{"enterprise-v15.1", "enterprise-v18.1", "ics-v15.1", "mobile-v18.1"}

// drawModel draws rows with few scopes and techniques, so that many rows share them. Some referenced scopes are not stored.
// Merges point to higher numbers, so that they close no cycle.
func drawModel(rt *rapid.T, unit time.Duration) *model {
	m := &model{
		zero: at(0), unit: unit,
		campaigns: map[uuid.UUID]ttp.Campaign{}, identities: map[uuid.UUID]ttp.Identity{}, attackers: map[uuid.UUID]ttp.Attacker{},
	}
	if rapid.Bool().Draw(rt, "around 1970") {
		m.zero = time.UnixMicro(0).Add(-25 * unit).UTC()
	}
	higher := func(kind string, i, n int) uuid.UUID {
		if j := rapid.IntRange(0, n).Draw(rt, kind+" merged into"); j > i {
			return id(fmt.Sprint(kind, j))
		}
		return uuid.Nil
	}
	for i := 1; i <= campaigns; i++ {
		if rapid.Bool().Draw(rt, "store campaign") {
			c := ttp.Campaign{UUID: id(fmt.Sprint("c", i)), MergedIntoUUID: higher("c", i, campaigns)}
			m.campaigns[c.UUID] = c
		}
	}
	for i := 1; i <= identities; i++ {
		if rapid.IntRange(0, 3).Draw(rt, "store identity") > 0 {
			identity := ttp.Identity{
				UUID: id(fmt.Sprint("i", i)), CampaignUUID: pickID(rt, "c", campaigns), MergedIntoUUID: higher("i", i, identities),
			}
			m.identities[identity.UUID] = identity
		}
	}
	for i := 1; i <= attackers; i++ {
		if rapid.IntRange(0, 3).Draw(rt, "store attacker") > 0 {
			a := ttp.Attacker{UUID: id(fmt.Sprint("a", i)), IdentityUUID: pickID(rt, "i", identities)}
			m.attackers[a.UUID] = a
		}
	}
	// Rapid prefers small numbers in a range.
	for i := range rapid.IntRange(0, 20).Draw(rt, "tags") + rapid.SampledFrom([]int{0, 20, 40}).Draw(rt, "more tags") {
		m.tags = append(m.tags, m.drawTag(rt, i))
	}
	return m
}

func (m *model) drawTag(rt *rapid.T, i int) ttp.Tag {
	tag := newTag(fmt.Sprint(i), func(tag *ttp.Tag) {
		tag.AttackerUUID, tag.IdentityUUID = pickID(rt, "a", attackers), pickID(rt, "i", identities)
		if tag.AttackerUUID == uuid.Nil && tag.IdentityUUID == uuid.Nil {
			tag.AttackerUUID = id("a1")
		}
		tag.SessionID = pick(rt, "s", sessions)
		tag.TechniqueID = rapid.SampledFrom([]string{"T1003", "T1078", "T1110"}).Draw(rt, "technique")
		if sub := pick(rt, ".00", 2); sub != "" {
			tag.SubTechniqueID = tag.TechniqueID + sub
		}
		tag.Tactic = rapid.SampledFrom([]string{"TA0001", "TA0003", "TA0006"}).Draw(rt, "tactic")
		tag.AttackRelease = rapid.SampledFrom(releases).Draw(rt, "release")
		tag.RuleID, tag.RuleVersion = fmt.Sprint("R", rapid.IntRange(1, 2).Draw(rt, "rule")), rapid.IntRange(0, 1).Draw(rt, "version")
		tag.SourceKind = rapid.SampledFrom([]string{"command", "payload"}).Draw(rt, "kind")
		tag.DeckyID = pick(rt, "d", deckies)
		tag.Confidence = rapid.Float64Range(ttp.DefaultConfidenceFloor, 1).Draw(rt, "confidence")
		tag.ObservedAt = m.zero.Add(time.Duration(rapid.IntRange(0, 50).Draw(rt, "observed at")) * m.unit)
		tag.Evidence = fmt.Appendf(nil, `{"n":%d}`, i)
	})
	tag.UUID = tag.ComputeUUID()
	return tag
}

// write stores the rows of the model in a random order.
func (m *model) write(rt *rapid.T, s *ttp.Store) {
	ctx := context.Background()
	steps := []func() error{
		func() error { _, err := s.InsertTags(ctx, m.tags[:len(m.tags)/2]); return err },
		func() error { _, err := s.InsertTags(ctx, m.tags[len(m.tags)/2:]); return err },
	}
	for _, c := range m.campaigns {
		steps = append(steps, func() error { return s.UpsertCampaigns(ctx, []ttp.Campaign{c}) })
	}
	for _, i := range m.identities {
		steps = append(steps, func() error { return s.UpsertIdentities(ctx, []ttp.Identity{i}) })
	}
	for _, a := range m.attackers {
		steps = append(steps, func() error { return s.UpsertAttackers(ctx, []ttp.Attacker{a}) })
	}
	for _, step := range rapid.Permutation(steps).Draw(rt, "order") {
		if err := step(); err != nil {
			rt.Fatal(err)
		}
	}
}

// clearTables deletes all rows, which is faster than creating a new database.
func clearTables(t *testing.T, db *database) {
	t.Helper()
	for _, table := range []string{
		"tag", "attacker", "identity", "campaign", "tombstoned_tag", "tombstone", "technique_count", "attack_release",
	} {
		exec(t, db, "DELETE FROM ttp_"+table)
	}
}
