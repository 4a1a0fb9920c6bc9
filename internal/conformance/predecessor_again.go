package conformance

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// plainOldTag is a tag with the given attacker and identity, which may be empty.
func plainOldTag(source, attacker, identity string) oldTag {
	return oldTag{
		source: source, attacker: attacker, identity: identity, technique: "T1083", confidence: "0.7", evidence: "{}",
		release: "enterprise-v15.1", created: "2026-03-01 12:00:00",
	}
}

// importReport imports and returns the report.
func importReport(t *testing.T, s *ttp.Store, source predecessorDatabase, dry bool) ttp.PredecessorReport {
	t.Helper()
	return must[ttp.PredecessorReport](t)(s.ImportPredecessor(context.Background(), source.url, ttp.PredecessorOptions{DryRun: dry}))
}

// emptyReport is of an import that read nothing.
func emptyReport() ttp.PredecessorReport {
	return ttp.PredecessorReport{
		Normalized: map[string]int{}, KeptWithout: map[string]int{}, Refused: map[string]int{}, Odd: map[string]int{},
		Differences: []ttp.PredecessorCounts{},
	}
}

// equalReport compares reports. It sets the sums that want leaves out.
func equalReport(t *testing.T, what string, got, want ttp.PredecessorReport) {
	t.Helper()
	want.Normalized = maps.Clone(want.Normalized)
	if kept := want.Tags.Read - want.Tags.Refused; kept > 0 {
		want.Normalized["created_at as observed_at"] = kept
	}
	by := want.ComparedBy
	want.Compared = by.Fleet.Compared + by.Attackers.Compared + by.Sessions.Compared + by.Identities.Compared
	equal(t, what, got, want)
}

// compared is a comparison of a store that has tags, without differences.
func compared(attackers, sessions, identities int) ttp.PredecessorComparisons {
	return ttp.PredecessorComparisons{
		Fleet: ttp.PredecessorComparison{Compared: 1}, Attackers: ttp.PredecessorComparison{Compared: attackers},
		Sessions: ttp.PredecessorComparison{Compared: sessions}, Identities: ttp.PredecessorComparison{Compared: identities},
	}
}

// tagIdentities returns the identity of each tag, by its source.
func tagIdentities(t *testing.T, s *ttp.Store) map[string]uuid.UUID {
	t.Helper()
	out := map[string]uuid.UUID{}
	for _, tag := range must[[]ttp.Tag](t)(s.ListTagsByUUID(context.Background(), uuid.Nil, ttp.MaxPage)) {
		out[tag.SourceID] = tag.IdentityUUID
	}
	return out
}

// Attackers and identities are the same in every spelling of their UUIDs, also if they have a row for each.
func predecessorsSpellingsAreOne(t *testing.T, db *database) {
	s := db.store(t)
	i1, i2, a1, a2 := id("i1").String(), id("i2").String(), id("a1").String(), id("a2").String()
	hex := func(uuid string) string { return strings.ReplaceAll(uuid, "-", "") }
	source := newPredecessorFile(t,
		oldIdentity(i1, "", ""), oldIdentity(hex(i1), "", i2), oldIdentity(i2, "", ""),
		oldAttacker("a1", "192.0.2.1", i1), oldAttacker("a2", "192.0.2.2", i1), oldAttacker("a3", "192.0.2.3", i1),
		"UPDATE attackers SET uuid = '"+hex(a1)+"' WHERE uuid = '"+a1+"'",
		"UPDATE attackers SET uuid = UPPER(uuid) WHERE uuid = '"+a2+"'",
		"INSERT INTO attackers SELECT REPLACE(uuid, '-', ''), ip, '"+i2+"', first_seen, last_seen, 1, updated_at FROM attackers "+
			"WHERE uuid = '"+id("a3").String()+"'",
		plainOldTag("1", a1, i2).row(), plainOldTag("2", a2, "").row(), plainOldTag("3", id("a3").String(), i2).row(),
		plainOldTag("4", hex(a2), hex(i2)).row(), plainOldTag("5", "", hex(i2)).row())
	want := emptyReport()
	want.Identities = ttp.PredecessorRows{Read: 3, Inserted: 2}
	want.Attackers = ttp.PredecessorRows{Read: 4, Inserted: 3}
	want.Tags = ttp.PredecessorTags{Read: 5, Inserted: 5}
	want.Normalized = map[string]int{"uuid": 7}
	want.Refused = map[string]int{"uuid: the same UUID as another row": 2}
	want.ComparedBy = compared(3, 0, 2)
	equalReport(t, "report", importReport(t, s, source, false), want)
	equal(t, "identities", tagIdentities(t, s), map[string]uuid.UUID{
		"1": id("i1"), "2": id("i1"), "3": id("i1"), "4": id("i1"), "5": id("i2"),
	})
	equal(t, "findings", findings(t, s), nil)
	want.Identities = ttp.PredecessorRows{Read: 3, Unchanged: 2}
	want.Attackers = ttp.PredecessorRows{Read: 4, Unchanged: 3}
	want.Tags = ttp.PredecessorTags{Read: 5, Duplicate: 5}
	equalReport(t, "second report", importReport(t, s, source, false), want)
}

// An import does not see what the predecessor commits meanwhile, and the next one does.
func predecessorIsReadInOneSnapshot(t *testing.T, db *database) {
	ctx, a1 := context.Background(), id("a1").String()
	for name, source := range predecessors(t, db, oldAttacker("a1", "192.0.2.1", ""), plainOldTag("1", a1, "").row()) {
		t.Run(name, func(t *testing.T) {
			if name == "file" {
				source.exec(t, "PRAGMA journal_mode = WAL")
			}
			s, added := newDatabase(t, db.Engine).store(t), false
			report := must[ttp.PredecessorReport](t)(s.ImportPredecessor(ctx, source.url, ttp.PredecessorOptions{Progress: func(int) {
				if !added { // the attackers were read, and no tags yet
					added = true
					source.exec(t, oldAttacker("a2", "192.0.2.2", ""), plainOldTag("2", id("a2").String(), "").row())
				}
			}}))
			equal(t, "added", added, true)
			equal(t, "tags", report.Tags, ttp.PredecessorTags{Read: 1, Inserted: 1})
			equal(t, "compared", report.ComparedBy, compared(1, 0, 0))
			again := importReport(t, s, source, false)
			equal(t, "attackers of the second import", again.Attackers, ttp.PredecessorRows{Read: 2, Inserted: 1, Unchanged: 1})
			equal(t, "tags of the second import", again.Tags, ttp.PredecessorTags{Read: 2, Inserted: 1, Duplicate: 1})
		})
	}
}

// Between two imports, an attacker loses its identity, and another one its row. Their tags get the same identities as in
// a first import.
func predecessorsAttackersLeaveTheirIdentity(t *testing.T, db *database) {
	i1, i2, a1, a2 := id("i1").String(), id("i2").String(), id("a1").String(), id("a2").String()
	source := newPredecessorFile(t, oldIdentity(i1, "", ""), oldIdentity(i2, "", ""),
		oldAttacker("a1", "192.0.2.1", i1), oldAttacker("a2", "192.0.2.2", i1),
		plainOldTag("1", a1, i2).row(), plainOldTag("2", a1, "").row(), plainOldTag("3", a2, i2).row(), plainOldTag("4", a2, "").row(),
		plainOldTag("5", "", i1).row())
	s := db.store(t)
	equal(t, "different", importReport(t, s, source, false).Different, 0)
	source.exec(t, "UPDATE attackers SET identity_id = NULL WHERE uuid = '"+a1+"'", "DELETE FROM attackers WHERE uuid = '"+a2+"'")

	want := emptyReport()
	want.Identities = ttp.PredecessorRows{Read: 2, Unchanged: 2}
	want.Attackers = ttp.PredecessorRows{Read: 1, Updated: 2}
	want.Tags = ttp.PredecessorTags{Read: 5, Duplicate: 5}
	want.Odd = map[string]int{"ttp_tag.attacker_uuid: no row in attackers": 2}
	dry := want
	dry.DryRun, want.ComparedBy = true, compared(2, 0, 2)
	equalReport(t, "dry run", importReport(t, s, source, true), dry)
	equalReport(t, "report", importReport(t, s, source, false), want)
	identities := map[string]uuid.UUID{"1": id("i2"), "2": {}, "3": id("i2"), "4": {}, "5": id("i1")}
	equal(t, "identities", tagIdentities(t, s), identities)
	equal(t, "findings", findings(t, s), nil)

	first := newDatabase(t, db.Engine).store(t)
	equal(t, "different", importReport(t, first, source, false).Different, 0)
	equal(t, "identities of a first import", tagIdentities(t, first), identities)
}

// The second import has a higher floor, below which some stored tags are.
func predecessorIsImportedWithAnotherFloor(t *testing.T, db *database) {
	a1 := id("a1").String()
	high, low := plainOldTag("1", a1, ""), plainOldTag("2", a1, "")
	high.confidence = "0.9"
	source := newPredecessorFile(t, oldAttacker("a1", "192.0.2.1", ""), high.row(), low.row())
	equal(t, "compared", importReport(t, db.store(t), source, false).Compared, 2)
	third := plainOldTag("3", a1, "")
	source.exec(t, third.row())
	want := emptyReport()
	want.Attackers = ttp.PredecessorRows{Read: 1, Unchanged: 1}
	want.Tags = ttp.PredecessorTags{Read: 3, Duplicate: 1, BelowFloor: 2}
	want.ComparedBy = compared(1, 0, 0)
	equalReport(t, "report", importReport(t, db.open(t, ttp.WithConfidenceFloor(0.8)), source, false), want)
}

// Merges form cycles, of which the import leaves out one merge.
func predecessorsCyclesAreOpened(t *testing.T, db *database) {
	s := db.store(t)
	i1, i2, i3, i4 := id("i1").String(), id("i2").String(), id("i3").String(), id("i4").String()
	source := newPredecessorFile(t, oldCampaign("c1", id("c1").String()),
		oldIdentity(i1, "", i2), oldIdentity(i2, "", i3), oldIdentity(i3, "", i1), oldIdentity(i4, "", i1),
		plainOldTag("1", "", i1).row(), plainOldTag("2", "", i2).row(), plainOldTag("3", "", i3).row(), plainOldTag("4", "", i4).row())
	want := emptyReport()
	want.DryRun = true
	want.Campaigns = ttp.PredecessorRows{Read: 1, Inserted: 1}
	want.Identities = ttp.PredecessorRows{Read: 4, Inserted: 4}
	want.Tags = ttp.PredecessorTags{Read: 4, Inserted: 4}
	want.KeptWithout = map[string]int{"campaigns.merged_into_uuid": 1, "attacker_identities.merged_into_uuid": 1}
	equalReport(t, "dry run", importReport(t, s, source, true), want)
	want.DryRun, want.ComparedBy = false, compared(0, 0, 1)
	equalReport(t, "report", importReport(t, s, source, false), want)
	want.Campaigns = ttp.PredecessorRows{Read: 1, Unchanged: 1}
	want.Identities = ttp.PredecessorRows{Read: 4, Unchanged: 4}
	want.Tags = ttp.PredecessorTags{Read: 4, Duplicate: 4}
	equalReport(t, "second report", importReport(t, s, source, false), want)

	cycle := []uuid.UUID{id("i1"), id("i2"), id("i3")}
	last := slices.MaxFunc(cycle, func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	for _, name := range []string{"i1", "i2", "i3", "i4"} {
		identity := must[ttp.Identity](t)(s.GetIdentity(context.Background(), id(name)))
		equal(t, name+"'s survivor", identity.SurvivorUUID, last)
	}
	equal(t, "findings", findings(t, s), nil)
}

// The source's merge conflicts with a merge into an identity that only the store has.
func predecessorsMergesMayConflict(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i1")}, {UUID: id("own"), MergedIntoUUID: id("i1")}}))
	source := newPredecessorFile(t, oldIdentity(id("i1").String(), "", id("own").String()))
	want := emptyReport()
	want.Identities = ttp.PredecessorRows{Read: 1, Updated: 1}
	want.KeptWithout = map[string]int{"attacker_identities.merged_into_uuid": 1}
	want.Odd = map[string]int{"attacker_identities.merged_into_uuid: no row in attacker_identities": 1}
	equalReport(t, "report", importReport(t, s, source, false), want)
	equal(t, "i1", must[ttp.Identity](t)(s.GetIdentity(ctx, id("i1"))), ttp.Identity{UUID: id("i1"), SurvivorUUID: id("i1")})
}
