package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"testing"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/ttp"
)

var verifyCases = []testCase{
	{name: "VerifyFindsInconsistencies", run: verifyFindsInconsistencies},
	{name: "VerifyRepairsTagsAndTombstones", run: verifyRepairsTagsAndTombstones},
	{name: "VerifyCountsTechniques", run: verifyCountsTechniques},
	{name: "VerifyRefusesOtherSpellingsOfAnIP", run: verifyRefusesOtherSpellingsOfAnIP},
	{name: "VerifyChecksAllPages", run: verifyChecksAllPages},
	{name: "VerifyAcceptsMergedIdentities", run: verifyAcceptsMergedIdentities},
	{name: "VerifyRepairsNoIdentityOfBrokenMerges", run: verifyRepairsNoIdentityOfBrokenMerges},
	{name: "VerifyAcceptsTechniquesWithoutTactics", run: verifyAcceptsTechniquesWithoutTactics},
	{name: "VerifyFollowsMerges", run: verifyFollowsMerges},
	{name: "VerifyStopsEarly", run: verifyStopsEarly},
	{name: "VerifyChecksTheTagsOwnRelease", run: verifyChecksTheTagsOwnRelease},
}

// findingKinds counts findings by kind, except Dangling.
func findingKinds(findings []ttp.Finding) map[ttp.FindingKind]int {
	kinds := map[ttp.FindingKind]int{}
	for _, f := range findings {
		if f.Kind != ttp.Dangling {
			kinds[f.Kind]++
		}
	}
	return kinds
}

// hex returns a UUID as an SQL literal of both dialects.
func hex(id uuid.UUID) string { return fmt.Sprintf("X'%x'", id[:]) }

// withoutDetail maps findings to whether they were repaired.
func withoutDetail(t *testing.T, findings []ttp.Finding) map[string]bool {
	t.Helper()
	got := map[string]bool{}
	for _, f := range findings {
		if f.Detail == "" {
			t.Errorf("%s of %s %s has no detail", f.Kind, f.Of, f.UUID)
		}
		got[fmt.Sprint(f.Kind, " ", f.Of, " ", f.UUID)] = f.Repaired
	}
	return got
}

func finding(kind ttp.FindingKind, of string, id uuid.UUID) string {
	return fmt.Sprint(kind, " ", of, " ", id)
}

func verifyFindsInconsistencies(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	for _, name := range []string{"good", "changed", "spaced", "dangling"} {
		insert(t, s, newTag(name, named("a", "i", "T1110")))
	}
	tag := func(name string) uuid.UUID { return newTag(name).ComputeUUID() }
	succeed(t, s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: id("c"), Name: "good"}, {UUID: id("d"), Name: "bad"}}))
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i"), CampaignUUID: id("c")}, {UUID: id("j"), CampaignUUID: id("gone")}}))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a"), IdentityUUID: id("i")}, {UUID: id("b"), IdentityUUID: id("gone")}}))
	exec(t, db, "UPDATE ttp_tag SET source_id = 'otherwise' WHERE source_id = 'changed'")
	exec(t, db, "UPDATE ttp_tag SET decky_id = ' x' WHERE source_id = 'spaced'")
	exec(t, db, "UPDATE ttp_tag SET attacker_uuid = "+hex(id("gone"))+" WHERE source_id = 'dangling'")
	exec(t, db, "UPDATE ttp_campaign SET name = ' bad' WHERE name = 'bad'")
	exec(t, db, "UPDATE ttp_attacker SET ip = 'nonsense' WHERE uuid = "+hex(id("b")))
	want := map[string]bool{
		finding(ttp.InvalidValue, "campaign", id("d")):  false,
		finding(ttp.Dangling, "identity", id("j")):      false,
		finding(ttp.Dangling, "attacker", id("b")):      false,
		finding(ttp.InvalidValue, "attacker", id("b")):  false,
		finding(ttp.WrongUUID, "tag", tag("changed")):   false,
		finding(ttp.InvalidValue, "tag", tag("spaced")): false,
		finding(ttp.Dangling, "tag", tag("dangling")):   false,
	}
	var report ttp.VerifyReport
	progress := func(r ttp.VerifyReport) { report = r }
	for _, repair := range []bool{false, true, false} { // none of these is repairable
		equal(t, "findings", withoutDetail(t, collect(t, s.Verify(ctx, ttp.VerifyOptions{Repair: repair, Progress: progress}))), want)
		equal(t, "report", report, ttp.VerifyReport{Campaigns: 2, Identities: 2, Attackers: 2, Tags: 4, Techniques: 1})
	}
}

func verifyRepairsTagsAndTombstones(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	for _, name := range []string{"key", "tombstoned", "mismatch"} {
		insert(t, s, newTag(name, named("a", "i", "T1110")))
	}
	tag := func(name string) uuid.UUID { return newTag(name).ComputeUUID() }
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i")}, {UUID: id("j")}}))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a"), IdentityUUID: id("i")}}))
	changeTechniqueKey(t, db, tag("key"))
	exec(t, db, "UPDATE ttp_tag SET identity_uuid = "+hex(id("j"))+" WHERE source_id = 'mismatch'")
	exec(t, db, "INSERT INTO ttp_tombstone (uuid, removed, created_at, tags) VALUES ("+hex(id("tombstone"))+", 'test', 0, 5)")
	exec(t, db, "INSERT INTO ttp_tombstoned_tag (uuid, tombstone_uuid) VALUES ("+hex(tag("tombstoned"))+", "+hex(id("tombstone"))+")")
	equal(t, "tags of T1110", byIdentity(t, s, "i"), map[string]int64{"T1110": 1, "T1111": 1})
	want := func(repaired bool) map[string]bool {
		want := map[string]bool{
			finding(ttp.WrongTechniqueKey, "tag", tag("key")):     repaired,
			finding(ttp.IdentityMismatch, "tag", tag("mismatch")): repaired,
			finding(ttp.TombstonedTag, "tag", tag("tombstoned")):  repaired,
			finding(ttp.WrongCount, "tombstone", id("tombstone")): repaired,
		}
		if !repaired { // the counts come from the fields, and include the tombstoned tag
			want[finding(ttp.WrongCount, "technique", uuid.Nil)] = false
		}
		return want
	}
	for _, repair := range []bool{false, true} {
		equal(t, "findings", withoutDetail(t, collect(t, s.Verify(ctx, ttp.VerifyOptions{Repair: repair}))), want(repair))
	}
	equal(t, "findings after the repair", collect(t, s.Verify(ctx, ttp.VerifyOptions{})), []ttp.Finding(nil))
	equal(t, "tags of T1110", byIdentity(t, s, "i"), map[string]int64{"T1110": 2})
	equal(t, "lifted", must[int64](t)(s.LiftTombstone(ctx, id("tombstone"))), 1)
}

var keyConstraint = regexp.MustCompile("CONSTRAINT `(\\w+)` CHECK \\(+`technique_key`")

// changeTechniqueKey sets the key to that of T1111, despite the CHECK constraint of the schema.
func changeTechniqueKey(t *testing.T, db *database, tag uuid.UUID) {
	t.Helper()
	if db.Dialect == ttp.SQLite {
		exec(t, db, "PRAGMA ignore_check_constraints = 1")
	} else {
		// information_schema of vtgate does not contain sharded tables.
		var table, definition string
		succeed(t, db.pool.QueryRowContext(context.Background(), "SHOW CREATE TABLE ttp_tag").Scan(&table, &definition))
		name := keyConstraint.FindStringSubmatch(definition)[1]
		exec(t, db, "ALTER TABLE ttp_tag DROP CONSTRAINT "+name)
	}
	exec(t, db, "UPDATE ttp_tag SET technique_key = technique_key + 100000000000000 WHERE uuid = "+hex(tag))
	if db.Dialect == ttp.SQLite {
		exec(t, db, "PRAGMA ignore_check_constraints = 0")
	}
}

func verifyCountsTechniques(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	for i, technique := range []string{"T1001", "T1002", "T1003", "T1004", "T1005"} {
		insert(t, s, newTags(i+2, named("a", "i", technique))...)
	}
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i")}}))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a")}}))
	want := must[[]ttp.TechniqueRollupRow](t)(s.ListTechniquesByAttacker(ctx, id("a")))
	change := func(technique, set string) {
		exec(t, db, "UPDATE ttp_technique_count SET "+set+
			" WHERE technique_key / 100000000000000 >= "+technique+" AND technique_key / 100000000000000 < "+technique+" + 1")
	}
	change("1001", "tags = 77")
	change("1002", "first_seen = 5")
	change("1003", "confidence_max = 1")
	change("1004", "last_seen = 5, stale = 1") // stale counts are not used
	exec(t, db, "DELETE FROM ttp_technique_count WHERE technique_key >= 100500000000000000")
	exec(t, db, "INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale)"+
		" VALUES (100600000000000000, 0, 1, 0, 0, 0, 0)")
	for _, repair := range []bool{false, true} {
		found := 0
		for _, f := range collect(t, s.Verify(ctx, ttp.VerifyOptions{Repair: repair})) {
			equal(t, "finding", f, ttp.Finding{Kind: ttp.WrongCount, Of: "technique", Detail: f.Detail, Repaired: repair})
			found++
		}
		equal(t, "findings", found, 5)
	}
	equal(t, "findings after the repair", collect(t, s.Verify(ctx, ttp.VerifyOptions{})), []ttp.Finding(nil))
	equal(t, "fleet", must[[]ttp.TechniqueRollupRow](t)(s.ListDistinctTechniques(ctx)), want)
}

func verifyRefusesOtherSpellingsOfAnIP(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	want := map[string]bool{}
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("good"), IP: netip.MustParseAddr("2001:db8::1")}, {UUID: id("none")}}))
	for _, ip := range []string{"2001:DB8::1", "2001:db8:0::1", "fe80::1%eth0"} {
		succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id(ip)}}))
		exec(t, db, "UPDATE ttp_attacker SET ip = '"+ip+"' WHERE uuid = "+hex(id(ip)))
		want[finding(ttp.InvalidValue, "attacker", id(ip))] = false
	}
	equal(t, "findings", withoutDetail(t, collect(t, s.Verify(ctx, ttp.VerifyOptions{}))), want)
}

func verifyChecksAllPages(t *testing.T, db *database) {
	const n = 600 // more than fit in a page
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTags(n)...)
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("attacker")}}))
	var report ttp.VerifyReport
	progress := func(r ttp.VerifyReport) { report = r }
	equal(t, "findings", collect(t, s.Verify(ctx, ttp.VerifyOptions{Progress: progress})), []ttp.Finding(nil))
	equal(t, "report", report, ttp.VerifyReport{Attackers: 1, Tags: n, Techniques: 1})
}

// The tag has the survivor of its attacker's identity, which no other row references.
func verifyAcceptsMergedIdentities(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i"), MergedIntoUUID: id("j")}, {UUID: id("j")}}))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a"), IdentityUUID: id("i")}}))
	insert(t, s, newTag("1", named("a", "j", "T1110")))
	equal(t, "findings", collect(t, s.Verify(ctx, ttp.VerifyOptions{})), []ttp.Finding(nil))
}

// Which identity is right cannot be told while one of the two is in a cycle or is not stored.
func verifyRepairsNoIdentityOfBrokenMerges(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i")}, {UUID: id("j")}, {UUID: id("x")}, {UUID: id("y")}}))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{
		{UUID: id("a"), IdentityUUID: id("gone")}, {UUID: id("b"), IdentityUUID: id("x")}, {UUID: id("c"), IdentityUUID: id("j")},
	}))
	insert(t, s, newTag("1", named("a", "i", "T1110")), newTag("2", named("b", "i", "T1110")), newTag("3", named("c", "x", "T1110")))
	exec(t, db, "UPDATE ttp_identity SET merged_into_uuid = "+hex(id("y"))+" WHERE uuid = "+hex(id("x")))
	exec(t, db, "UPDATE ttp_identity SET merged_into_uuid = "+hex(id("x"))+" WHERE uuid = "+hex(id("y")))
	want := map[string]bool{
		finding(ttp.Dangling, "attacker", id("a")):   false,
		finding(ttp.MergeCycle, "identity", id("x")): false, finding(ttp.MergeCycle, "identity", id("y")): false,
	}
	for _, source := range []string{"1", "2", "3"} {
		want[finding(ttp.IdentityMismatch, "tag", newTag(source).ComputeUUID())] = false
	}
	for range 2 {
		equal(t, "findings", withoutDetail(t, collect(t, s.Verify(ctx, ttp.VerifyOptions{Repair: true}))), want)
	}
}

func verifyAcceptsTechniquesWithoutTactics(t *testing.T, db *database) {
	ctx, c := context.Background(), &attack.Catalogue{}
	c.Add(must[*attack.Release](t)(attack.NewRelease("enterprise-v18.1", nil, []attack.Technique{{ID: "T1110", Name: "Brute Force"}})))
	s := db.storeWith(t, c)
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("attacker")}}))
	insert(t, s, newTag("1"))
	equal(t, "findings", collect(t, s.Verify(ctx, ttp.VerifyOptions{})), []ttp.Finding(nil))
}

func verifyFollowsMerges(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	for _, name := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
		succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id(name)}}))
		succeed(t, s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: id(name)}}))
	}
	for _, table := range []string{"ttp_identity", "ttp_campaign"} {
		point := func(from, into, survivor string) {
			exec(t, db, fmt.Sprint("UPDATE ", table, " SET merged_into_uuid = ", into, ", survivor_uuid = ", hex(id(survivor)),
				" WHERE uuid = ", hex(id(from))))
		}
		point("1", hex(id("2")), "2") // a cycle of three, and one merge into it
		point("2", hex(id("3")), "2")
		point("3", hex(id("1")), "2")
		point("4", hex(id("1")), "2")
		point("5", hex(id("6")), "5") // a survivor that is not at the end
		point("6", "NULL", "5")       // not merged, but with another survivor
		point("7", hex(id("gone")), "gone")
		point("8", hex(id("7")), "gone") // a finding of 7 only
	}
	want := map[string]bool{}
	for _, of := range []string{"identity", "campaign"} {
		for _, name := range []string{"1", "2", "3"} {
			want[finding(ttp.MergeCycle, of, id(name))] = false
		}
		want[finding(ttp.WrongSurvivor, of, id("5"))] = false
		want[finding(ttp.WrongSurvivor, of, id("6"))] = false
		want[finding(ttp.DanglingMerge, of, id("7"))] = false
	}
	equal(t, "findings", withoutDetail(t, collect(t, s.Verify(ctx, ttp.VerifyOptions{}))), want)
	for _, of := range []string{"identity", "campaign"} {
		want[finding(ttp.WrongSurvivor, of, id("5"))] = true
		want[finding(ttp.WrongSurvivor, of, id("6"))] = true
	}
	equal(t, "findings of the repair", withoutDetail(t, collect(t, s.Verify(ctx, ttp.VerifyOptions{Repair: true}))), want)
	// Unmerging one scope breaks the cycle.
	succeed(t, s.UnmergeIdentity(ctx, id("2")))
	succeed(t, s.UnmergeCampaign(ctx, id("2")))
	remaining := findingKinds(collect(t, s.Verify(ctx, ttp.VerifyOptions{})))
	equal(t, "findings after the repair", remaining, map[ttp.FindingKind]int{ttp.DanglingMerge: 2})
	for _, name := range []string{"1", "3", "4"} {
		equal(t, "survivor of "+name, must[ttp.Identity](t)(s.GetIdentity(ctx, id(name))).SurvivorUUID, id("2"))
	}
	equal(t, "survivor of 5", must[ttp.Identity](t)(s.GetIdentity(ctx, id("5"))).SurvivorUUID, id("6"))
}

func verifyStopsEarly(t *testing.T, db *database) {
	s := db.store(t)
	insert(t, s, newTags(10)...) // their attacker is not stored
	seen := 0
	for _, err := range s.Verify(context.Background(), ttp.VerifyOptions{}) {
		succeed(t, err)
		if seen++; seen == 3 {
			break
		}
	}
	equal(t, "findings", seen, 3)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var last error
	for _, err := range s.Verify(ctx, ttp.VerifyOptions{}) {
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("got %v", last)
	}
}

func verifyChecksTheTagsOwnRelease(t *testing.T, db *database) {
	s := db.storeWith(t, twoReleases(t))
	succeed(t, s.UpsertAttackers(context.Background(), []ttp.Attacker{{UUID: id("attacker")}}))
	insert(t, s,
		newTag("1", of("T0001", "enterprise-v2.0")), newTag("2", of("T0003", "enterprise-v1.0")), // as they should be
		newTag("3", of("T0003.001", "enterprise-v2.0")), newTag("4", of("T0003.001", "enterprise-v2.0")),
		newTag("5", of("T0004", "enterprise-v2.0")), newTag("6", of("T0002", "enterprise-v2.0")),
		newTag("7", of("T0007", "enterprise-v1.0")), newTag("8", of("T0001", "enterprise-v1.1")))
	finding := func(kind ttp.FindingKind, of, detail string) ttp.Finding {
		return ttp.Finding{Kind: kind, Of: of, Detail: detail}
	}
	want := []ttp.Finding{
		finding(ttp.UnknownRelease, "release", "enterprise-v1.1 (tags: 1) is not in the catalogue"),
		finding(ttp.WrongTactic, "technique", "T0002 TA0001 enterprise-v2.0 (tags: 1) is not under this tactic but under TA0002"),
		finding(ttp.RevokedTechnique, "technique", "T0003.001 TA0001 enterprise-v2.0 (tags: 2) is revoked by T0006"),
		finding(ttp.DeprecatedTechnique, "technique", "T0004 TA0001 enterprise-v2.0 (tags: 1) is deprecated"),
		finding(ttp.UnknownTechnique, "technique", "T0007 TA0001 enterprise-v1.0 (tags: 1) is not in the release"),
	}
	for _, repair := range []bool{false, true} { // there is nothing to repair
		equal(t, "findings", collect(t, s.Verify(context.Background(), ttp.VerifyOptions{Repair: repair})), want)
	}
	equal(t, "findings without a catalogue", collect(t, db.open(t).Verify(context.Background(), ttp.VerifyOptions{})), nil)
}
