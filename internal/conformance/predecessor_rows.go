package conformance

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// Each kind of invalid ID is in each table. The tags that are not written have scopes of their own, which are not compared.
func predecessorsInvalidRowsAreTold(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	rows := []string{
		oldCampaign("c1", "x"), oldIdentity(id("i1").String(), strings.Repeat("x", 36), uuid.Nil.String()),
		oldIdentity(id("i2").String(), "", ""),
		oldAttacker("a1", "192.0.2.1", ""), oldAttacker("a2", "2001:db8::2", "x"), oldAttacker("a3", "2001:DB8::3", ""),
	}
	for _, invalid := range []string{"", "x", uuid.Nil.String(), "{" + id("c2").String() + "}"} {
		rows = append(rows, oldIdentity(invalid, "", ""),
			"INSERT INTO campaigns VALUES ('"+invalid+"', 1, '2026-03-01', '2026-03-01', 1, NULL)",
			"INSERT INTO attackers VALUES ('"+invalid+"', '192.0.2.1', NULL, '2026-03-01', '2026-03-01', 1, '2026-03-01')")
	}
	tag := func(source, attacker, identity, created string) oldTag {
		return oldTag{
			source: source, attacker: attacker, identity: identity, session: "s" + source, technique: "T1083", confidence: "0.7",
			evidence: "{}", release: "enterprise-v15.1", created: created,
		}
	}
	const noon = "2026-03-01 12:00:00"
	low, gone := tag("5", "", id("i2").String(), noon), tag("6", id("a1").String(), "", noon)
	atFloor := tag("1", id("a1").String(), "", noon)
	low.confidence, atFloor.confidence = "0.1", "0.3"
	rows = append(rows, atFloor.row(), low.row(), gone.row(),
		tag("2", "x", "", noon).row(), tag("3", id("a1").String(), "x", noon).row(), tag("8", id("a3").String(), uuid.Nil.String(), noon).row(),
		tag("9", id("a2").String(), id("i2").String(), noon).row(), tag("4", id("a3").String(), "", "noon").row(),
		tag("7", id("a3").String(), "", noon).row(),
		"UPDATE ttp_tag SET rule_version = 'x' WHERE source_id = '7'") // SQLite accepts it

	insert(t, s, newTag("6", func(tag *ttp.Tag) { tag.TechniqueID, tag.RuleID, tag.RuleVersion = "T1083", "R1", 2 }))
	must[ttp.Receipt](t)(s.PurgeAttacker(ctx, id("attacker"), ttp.WithTombstone("")))
	const idRule = "must be a UUID, canonical or of 32 hexadecimal digits"
	want := ttp.PredecessorReport{
		DryRun:    true,
		Campaigns: ttp.PredecessorRows{Read: 5, Inserted: 1}, Identities: ttp.PredecessorRows{Read: 6, Inserted: 2},
		Attackers:  ttp.PredecessorRows{Read: 7, Inserted: 3},
		Tags:       ttp.PredecessorTags{Read: 9, Inserted: 4, BelowFloor: 1, Tombstoned: 1, Refused: 3},
		Normalized: map[string]int{"ip": 1},
		KeptWithout: map[string]int{
			"campaigns.merged_into_uuid": 1, "attacker_identities.campaign_id": 1, "attacker_identities.merged_into_uuid": 1,
			"attackers.identity_id": 1, "ttp_tag.identity_uuid": 2,
		},
		Refused: map[string]int{
			"uuid: " + idRule: 12, "attacker_uuid: " + idRule: 1,
			"created_at: must be a time such as 2026-03-15 17:06:27.727140": 1, "rule_version: must be a whole number": 1,
		},
		Odd: map[string]int{}, Differences: []ttp.PredecessorCounts{},
	}
	source, read := newPredecessorFile(t, rows...), 0
	opts := ttp.PredecessorOptions{DryRun: true, Progress: func(rows int) { read += rows }}
	equalReport(t, "dry run", must[ttp.PredecessorReport](t)(s.ImportPredecessor(ctx, source.url, opts)), want)
	equal(t, "rows of its progress", read, 5+6+7+9)
	want.DryRun, want.ComparedBy = false, compared(3, 4, 1)
	equalReport(t, "report", must[ttp.PredecessorReport](t)(s.ImportPredecessor(ctx, source.url, ttp.PredecessorOptions{})), want)
	equal(t, "identity of a tag whose attacker's is invalid", tagIdentities(t, s)["9"], id("i2"))
	checkAttackers(t, s, map[string]ttp.Attacker{
		"a1": {IP: netip.MustParseAddr("192.0.2.1")}, "a2": {IP: netip.MustParseAddr("2001:db8::2")},
		"a3": {IP: netip.MustParseAddr("2001:db8::3")},
	})
}

// Rows may be the same tag, since nothing checks the UUIDs of the predecessor's. One of them is invalid. Tags that differ
// in the case of their source are not the same.
func predecessorsRepeatedTagIsStoredOnce(t *testing.T, db *database) {
	first := plainOldTag("a", id("a").String(), "")
	first.session, first.confidence = "s1", "0.5"
	second, invalid, low, other := first, first, first, first
	second.attacker, second.session, invalid.evidence, other.source = id("b").String(), "s2", "null", "A"
	low.confidence, low.session = "0.125", "s3"
	another := func(o oldTag, uuid string) string {
		return strings.Replace(o.row(), o.tag().ComputeUUID().String(), uuid, 1)
	}
	want := emptyReport()
	want.Attackers = ttp.PredecessorRows{Read: 2, Inserted: 2}
	want.Tags = ttp.PredecessorTags{Read: 6, Inserted: 2, Refused: 4}
	want.Normalized = map[string]int{"ttp_tag.uuid": 1}
	want.Refused = map[string]int{
		"evidence: must be a JSON object, {} for none, without white space around it": 1, "uuid: the same tag as another row": 3,
	}
	want.ComparedBy = compared(1, 1, 0)
	dry, again := want, want
	dry.DryRun, dry.ComparedBy = true, ttp.PredecessorComparisons{}
	again.Attackers = ttp.PredecessorRows{Read: 2, Unchanged: 2}
	again.Tags = ttp.PredecessorTags{Read: 6, Duplicate: 2, Refused: 4}
	for name, source := range predecessors(t, db, oldAttacker("a", "192.0.2.1", ""), oldAttacker("b", "192.0.2.2", ""), other.row(),
		another(first, "0-first"), another(second, "1-second"), second.row(), another(invalid, "0-0"), another(low, "0-1")) {
		t.Run(name, func(t *testing.T) {
			s, seen := watch(t, newDatabase(t, db.Engine))
			equalReport(t, "dry run", importReport(t, s, source, true), dry)
			equalReport(t, "report", importReport(t, s, source, false), want)
			equalReport(t, "second report", importReport(t, s, source, false), again)
			var writes []ttp.Observation
			for _, o := range seen() {
				if o.Outcomes != nil {
					writes = append(writes, o)
				}
			}
			written := func(outcome ttp.Outcome) ttp.Observation {
				return ttp.Observation{
					Operation: "import predecessor", Dialect: db.Dialect, Rows: 2, Attempts: 1, Outcomes: map[ttp.Outcome]int{outcome: 2},
				}
			}
			equal(t, "observed", writes, []ttp.Observation{written(ttp.Inserted), written(ttp.Duplicate)})
		})
	}
}

// checkAttackers compares attackers with the store's, by name.
func checkAttackers(t *testing.T, s *ttp.Store, want map[string]ttp.Attacker) {
	t.Helper()
	for name, attacker := range want {
		attacker.UUID = id(name)
		equal(t, name, must[ttp.Attacker](t)(s.GetAttacker(context.Background(), id(name))), attacker)
	}
}

// Several attackers and identities leave their scope, so that none of them ends the import of the others.
func predecessorsScopesAreChanged(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	c1, c2, i1, i2, i3 := id("c1").String(), id("c2").String(), id("i1").String(), id("i2").String(), id("i3").String()
	source := newPredecessorFile(t, oldCampaign("c1", ""), oldCampaign("c2", ""),
		oldIdentity(i1, c1, ""), oldIdentity(i2, c1, ""), oldIdentity(i3, c1, ""),
		oldAttacker("a1", "192.0.2.1", i1), oldAttacker("a2", "192.0.2.2", i1),
		oldAttacker("a3", "192.0.2.3", ""), oldAttacker("a4", "192.0.2.4", ""))
	must[ttp.PredecessorReport](t)(s.ImportPredecessor(ctx, source.url, ttp.PredecessorOptions{}))
	source.exec(t, "UPDATE attacker_identities SET campaign_id = NULL", "UPDATE attackers SET identity_id = NULL",
		"UPDATE attacker_identities SET campaign_id = '"+c2+"' WHERE uuid = '"+i1+"'",
		"UPDATE attackers SET ip = 'unknown' WHERE uuid = '"+id("a3").String()+"'",
		"UPDATE attackers SET ip = '192.0.2.5' WHERE uuid = '"+id("a4").String()+"'")
	report := must[ttp.PredecessorReport](t)(s.ImportPredecessor(ctx, source.url, ttp.PredecessorOptions{}))
	equal(t, "identities", report.Identities, ttp.PredecessorRows{Read: 3, Updated: 3})
	equal(t, "attackers", report.Attackers, ttp.PredecessorRows{Read: 4, Updated: 3, Unchanged: 1})
	for name, campaign := range map[string]uuid.UUID{"i1": id("c2"), "i2": {}, "i3": {}} {
		equal(t, name, must[ttp.Identity](t)(s.GetIdentity(ctx, id(name))),
			ttp.Identity{UUID: id(name), CampaignUUID: campaign, SurvivorUUID: id(name)})
	}
	checkAttackers(t, s, map[string]ttp.Attacker{
		"a1": {IP: netip.MustParseAddr("192.0.2.1")}, "a2": {IP: netip.MustParseAddr("192.0.2.2")},
		"a3": {IP: netip.MustParseAddr("192.0.2.3")}, "a4": {IP: netip.MustParseAddr("192.0.2.5")},
	})
}

func aHundredDifferencesAreListed(t *testing.T, db *database) {
	const n = 101
	ctx, s := context.Background(), db.store(t)
	var rows []string
	var own []ttp.Tag
	for i := range n {
		attacker := fmt.Sprint("a", i)
		rows = append(rows, oldTag{
			source: fmt.Sprint(i), attacker: id(attacker).String(), technique: "T1083", confidence: "0.7", evidence: "{}", release: "v15.1",
			created: "2026-03-01 12:00:00",
		}.row())
		own = append(own, newTag(attacker, named(attacker, "", "T1110")))
	}
	insert(t, s, own...)
	source := newPredecessorFile(t, rows...)
	report := must[ttp.PredecessorReport](t)(s.ImportPredecessor(ctx, source.url, ttp.PredecessorOptions{}))
	equal(t, "numbers", []int{report.Compared, report.Different, len(report.Differences)}, []int{1 + n, 1 + n, 100})
	equal(t, "first", report.Differences[0], ttp.PredecessorCounts{Scope: "fleet", Source: n, Stored: 2 * n})
}

// There are more rows than fit in a batch, and the last one is merged into the first.
func mergesOfManyRowsAreImported(t *testing.T, db *database) {
	const n = 1001
	ctx, s := context.Background(), db.store(t)
	var ids []uuid.UUID
	for i := range n {
		ids = append(ids, id(fmt.Sprint(i)))
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	rows := []string{"BEGIN"}
	for i, id := range ids {
		into := ""
		if i == n-1 {
			into = ids[0].String()
		}
		rows = append(rows, oldIdentity(id.String(), "", into))
	}
	file := newPredecessorFile(t)
	file.pool.SetMaxOpenConns(1)
	file.exec(t, append(rows, "COMMIT")...)
	report := must[ttp.PredecessorReport](t)(s.ImportPredecessor(ctx, file.url, ttp.PredecessorOptions{}))
	equal(t, "identities", report.Identities, ttp.PredecessorRows{Read: n, Inserted: n})
	equal(t, "last", must[ttp.Identity](t)(s.GetIdentity(ctx, ids[n-1])),
		ttp.Identity{UUID: ids[n-1], MergedIntoUUID: ids[0], SurvivorUUID: ids[0]})
}

func predecessorWithoutAColumnFails(t *testing.T, db *database) {
	s, file := db.store(t), newPredecessorFile(t)
	file.exec(t, "ALTER TABLE ttp_tag RENAME COLUMN decky_id TO decoy_id")
	_, err := s.ImportPredecessor(context.Background(), file.url, ttp.PredecessorOptions{})
	if err == nil || !strings.HasPrefix(err.Error(), "ttp: import predecessor: source: ") || !strings.Contains(err.Error(), "decky_id") {
		t.Errorf("got %v", err)
	}
}
