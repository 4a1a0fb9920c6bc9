package conformance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/attack/builtin"
	"github.com/decnet/ttpstore/ttp"
)

var predecessorCases = []testCase{
	{name: "PredecessorIsImported", run: predecessorIsImported},
	{name: "PredecessorIsImportedAgain", run: predecessorIsImportedAgain},
	{name: "PredecessorIsReadInOneSnapshot", run: predecessorIsReadInOneSnapshot},
	{name: "PredecessorsOddTagsAreCounted", run: predecessorsOddTagsAreCounted},
	{name: "PredecessorsInvalidRowsAreTold", run: predecessorsInvalidRowsAreTold},
	{name: "PredecessorsRepeatedTagIsStoredOnce", run: predecessorsRepeatedTagIsStoredOnce},
	{name: "PredecessorsSpellingsAreOne", run: predecessorsSpellingsAreOne},
	{name: "PredecessorsAttackersLeaveTheirIdentity", run: predecessorsAttackersLeaveTheirIdentity},
	{name: "PredecessorsMissingRowsAreCounted", run: predecessorsMissingRowsAreCounted},
	{name: "PredecessorsCampaignsOfMergedIdentitiesAreCounted", run: predecessorsCampaignsOfMergedIdentitiesAreCounted},
	{name: "PredecessorIsImportedWithAnotherFloor", run: predecessorIsImportedWithAnotherFloor},
	{name: "PredecessorsCyclesAreOpened", run: predecessorsCyclesAreOpened},
	{name: "PredecessorsMergesMayConflict", run: predecessorsMergesMayConflict},
	{name: "PredecessorsScopesAreChanged", run: predecessorsScopesAreChanged},
	{name: "AHundredDifferencesAreListed", run: aHundredDifferencesAreListed},
	{name: "MergesOfManyRowsAreImported", run: mergesOfManyRowsAreImported, long: true},
	{name: "PredecessorWithoutAColumnFails", run: predecessorWithoutAColumnFails},
	{name: "PredecessorThatIsNoneIsRefused", run: predecessorThatIsNoneIsRefused},
	{name: "PredecessorsDifferencesAreTold", run: predecessorsDifferencesAreTold},
	{name: "InterruptedImportOfThePredecessorGoesOn", run: interruptedImportOfThePredecessorGoesOn},
}

// predecessors creates a database of the predecessor's on the engine, and one in a SQLite file, with the given rows.
func predecessors(t *testing.T, db *database, rows ...string) map[string]predecessorDatabase {
	t.Helper()
	all := map[string]predecessorDatabase{"file": newPredecessorFile(t)}
	// The URL is empty for an engine of package ttptest/conformance. On shards, the routing rules would send the
	// predecessor's ttp_tag to this module's table.
	if db.url != "" && db.Capabilities.AtomicCommits {
		own := newDatabase(t, db.Engine)
		all[string(db.Dialect)] = predecessorDatabase{own.url, own.pool}
	}
	for name, source := range all {
		if name != "file" {
			source.exec(t, emptyPredecessor()...)
		}
		source.exec(t, rows...)
	}
	return all
}

// emptyPredecessor returns the statements that create the predecessor's tables.
func emptyPredecessor() []string {
	return append(predecessorStatements(), "DELETE FROM ttp_tag", "DELETE FROM attackers")
}

func newPredecessorFile(t *testing.T, rows ...string) predecessorDatabase {
	t.Helper()
	path := filepath.Join(t.TempDir(), "decnet.db")
	pool, err := sql.Open("sqlite", "file:"+path)
	succeed(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	file := predecessorDatabase{"sqlite://" + path, pool}
	file.exec(t, append(emptyPredecessor(), rows...)...)
	return file
}

type predecessorDatabase struct {
	url  string
	pool *sql.DB
}

func (p predecessorDatabase) exec(t *testing.T, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := p.pool.ExecContext(context.Background(), statement); err != nil {
			t.Fatalf("%v: %s", err, statement)
		}
	}
}

// bareI2 is an ID without hyphens.
var bareI2 = strings.ReplaceAll(id("i2").String(), "-", "")

func quoted(text string) string {
	if text == "" {
		return "NULL"
	}
	return "'" + text + "'"
}

func oldCampaign(name, mergedInto string) string {
	return fmt.Sprintf("INSERT INTO campaigns VALUES ('%s', 1, '2026-03-01', '2026-03-01', 1, %s)", id(name), quoted(mergedInto))
}

func oldIdentity(uuid, campaign, mergedInto string) string {
	return fmt.Sprintf("INSERT INTO attacker_identities VALUES ('%s', 1, %s, '2026-03-01', '2026-03-01', 1, %s)",
		uuid, quoted(campaign), quoted(mergedInto))
}

func oldAttacker(name, ip, identity string) string {
	return fmt.Sprintf("INSERT INTO attackers VALUES ('%s', '%s', %s, '2026-03-01', '2026-03-01', 1, '2026-03-01')",
		id(name), ip, quoted(identity))
}

// oldTag is a tag of the predecessor's.
type oldTag struct {
	source, attacker, identity, session, decky, technique, confidence, evidence, release, created string
}

func (o oldTag) row() string {
	decky := quoted(o.decky)
	if o.decky == "empty" {
		decky = "''"
	}
	return fmt.Sprintf(`INSERT INTO ttp_tag
VALUES ('%s', 'command', '%s', %s, %s, %s, %s, 'TA0007', '%s', NULL, %s, 'R1', 2, '%s', '%s', 'https://attack.mitre.org', '%s')`,
		o.tag().ComputeUUID(), o.source, quoted(o.attacker), quoted(o.identity), quoted(o.session), decky,
		o.technique, o.confidence, o.evidence, o.release, o.created)
}

// oldTagColumns holds all columns but the uuid.
const oldTagColumns = `source_kind, source_id, attacker_uuid, identity_uuid, session_id, decky_id, tactic, technique_id,
sub_technique_id, confidence, rule_id, rule_version, evidence, attack_release, mitre_url, created_at`

// tag returns a tag with the fields that determine its UUID.
func (o oldTag) tag() ttp.Tag {
	return ttp.Tag{SourceKind: "command", SourceID: o.source, TechniqueID: o.technique, RuleID: "R1", RuleVersion: 2}
}

func oldRows() []string {
	base := oldTag{
		attacker: id("a1").String(), session: "s1", decky: "d1", technique: "T1083", confidence: "0.7", evidence: `{"a": 1}`,
		release: "v15.1", created: "2026-03-01 12:00:00",
	}
	with := func(source string, change func(*oldTag)) string {
		o := base
		o.source = source
		change(&o)
		return o.row()
	}
	return []string{
		oldCampaign("c1", ""), oldCampaign("c2", id("c1").String()),
		oldIdentity(id("i1").String(), id("c1").String(), ""), oldIdentity(bareI2, "", id("i1").String()), oldIdentity(id("i3").String(), "", ""),
		oldAttacker("a1", "192.0.2.1", bareI2), oldAttacker("a2", "999.1.1.1", id("i1").String()), oldAttacker("a3", "2001:DB8::1", ""),
		oldAttacker("a4", "fe80::1%eth0", ""),
		with("1", func(*oldTag) {}),
		with("2", func(o *oldTag) { o.release, o.session, o.decky = "15.1", "S1", "empty" }),
		with("3", func(o *oldTag) {
			o.release, o.attacker, o.identity = "enterprise-v15.1", id("a2").String(), id("i3").String()
		}),
		with("4", func(o *oldTag) { o.attacker, o.identity, o.session = "", id("i3").String(), "" }),
		with("5", func(o *oldTag) { o.evidence = "null" }),
		with("6", func(o *oldTag) { o.confidence = "0.1" }),
		with("7", func(o *oldTag) { o.technique, o.attacker = "T9999", id("a3").String() }),
		with("8", func(o *oldTag) { o.technique = "not one" }),
	}
}

// firstImport returns the report of an import of oldRows into an empty store.
func firstImport(single bool) ttp.PredecessorReport {
	want := ttp.PredecessorReport{
		Campaigns: ttp.PredecessorRows{Read: 2, Inserted: 2}, Identities: ttp.PredecessorRows{Read: 3, Inserted: 3},
		Attackers:   ttp.PredecessorRows{Read: 4, Inserted: 4},
		Tags:        ttp.PredecessorTags{Read: 8, Inserted: 5, BelowFloor: 1, Refused: 2},
		Normalized:  map[string]int{"uuid": 2, "ip": 1, "attack_release": 5, "decky_id": 1},
		KeptWithout: map[string]int{"attackers.ip": 2},
		Refused: map[string]int{
			"evidence: must be a JSON object, {} for none, without white space around it": 1,
			`technique_id: must be "T" and four digits`:                                   1,
		},
		Odd:        map[string]int{"T9999 in enterprise-v15.1": 1},
		ComparedBy: compared(3, 2, 2), Differences: []ttp.PredecessorCounts{},
	}
	if single {
		want.Normalized["confidence"] = 8
	}
	return want
}

func predecessorIsImported(t *testing.T, db *database) {
	ctx := context.Background()
	for name, source := range predecessors(t, db, oldRows()...) {
		t.Run(name, func(t *testing.T) {
			db := newDatabase(t, db.Engine)
			succeed(t, db.open(t).Migrate(ctx))
			s := db.open(t, ttp.WithCatalogue(builtin.Catalogue()))
			var notes []string
			opts := ttp.PredecessorOptions{OnNote: func(n ttp.PredecessorNote) { notes = append(notes, n.String()) }}
			want := firstImport(name == "mysql")

			before := tables(t, db)
			dry := firstImport(name == "mysql")
			dry.DryRun, dry.ComparedBy = true, ttp.PredecessorComparisons{}
			equalReport(t, "dry run", importReport(t, s, source, true), dry)
			equal(t, "tables after the dry run", tables(t, db), before)

			equalReport(t, "report", must[ttp.PredecessorReport](t)(s.ImportPredecessor(ctx, source.url, opts)), want)
			equal(t, "notes", len(notes), 4)
			equal(t, "first note", strings.HasSuffix(notes[0], ": ip: must be an IP address, kept without it") ||
				strings.HasSuffix(notes[0], ": ip: must have no zone, kept without it"), true)
			checkImported(t, db.open(t))

			again := firstImport(name == "mysql")
			again.Campaigns = ttp.PredecessorRows{Read: 2, Unchanged: 2}
			again.Identities = ttp.PredecessorRows{Read: 3, Unchanged: 3}
			again.Attackers = ttp.PredecessorRows{Read: 4, Unchanged: 4}
			again.Tags = ttp.PredecessorTags{Read: 8, Duplicate: 5, BelowFloor: 1, Refused: 2}
			lines := exported(t, s)
			dry = again
			dry.DryRun, dry.ComparedBy = true, ttp.PredecessorComparisons{}
			equalReport(t, "second dry run", importReport(t, s, source, true), dry)
			equalReport(t, "second report", importReport(t, s, source, false), again)
			equal(t, "records after the second import", exported(t, s), lines)
		})
	}
}

// checkImported compares the store with oldRows.
func checkImported(t *testing.T, s *ttp.Store) {
	t.Helper()
	ctx := context.Background()
	want := ttp.Tag{
		SourceKind: "command", SourceID: "2", AttackerUUID: id("a1"), IdentityUUID: id("i2"), SessionID: "S1", Tactic: "TA0007",
		TechniqueID: "T1083", Confidence: 0.7, RuleID: "R1", RuleVersion: 2, AttackRelease: "enterprise-v15.1",
		ObservedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Evidence: []byte(`{"a": 1}`),
	}
	want.UUID = want.ComputeUUID()
	got := must[ttp.Tag](t)(s.GetTag(ctx, want.UUID))
	want.IngestedAt, want.BatchUUID = got.IngestedAt, got.BatchUUID
	equal(t, "tag", got, want)
	third := must[ttp.Tag](t)(s.GetTag(ctx, oldTag{source: "3", technique: "T1083"}.tag().ComputeUUID()))
	equal(t, "identity of a tag whose attacker has one", third.IdentityUUID, id("i1"))
	equal(t, "identity", must[ttp.Identity](t)(s.GetIdentity(ctx, id("i2"))),
		ttp.Identity{UUID: id("i2"), MergedIntoUUID: id("i1"), SurvivorUUID: id("i1")})
	equal(t, "campaign", must[ttp.Campaign](t)(s.GetCampaign(ctx, id("c2"))),
		ttp.Campaign{UUID: id("c2"), MergedIntoUUID: id("c1"), SurvivorUUID: id("c1")})
	equal(t, "attacker without an ip", must[ttp.Attacker](t)(s.GetAttacker(ctx, id("a2"))),
		ttp.Attacker{UUID: id("a2"), IdentityUUID: id("i1")})
	equal(t, "campaign's tags", must[int64](t)(s.CountTags(ctx, ttp.OfCampaign(id("c1")), ttp.Filter{})), 3)
	equal(t, "findings", findings(t, s), nil)
}

// Between two imports, attackers move, and merges and campaigns change, in ways that would close a cycle if applied
// one by one.
func predecessorIsImportedAgain(t *testing.T, db *database) {
	ctx := context.Background()
	for name, source := range predecessors(t, db, oldRows()...) {
		t.Run(name, func(t *testing.T) {
			s := newDatabase(t, db.Engine).store(t)
			must[ttp.PredecessorReport](t)(s.ImportPredecessor(ctx, source.url, ttp.PredecessorOptions{}))
			later := oldTag{
				source: "9", attacker: id("a1").String(), technique: "T1083", confidence: "0.7", evidence: "{}", release: "v15.1",
				created: "2026-03-02 12:00:00.25",
			}
			source.exec(t,
				"UPDATE attacker_identities SET merged_into_uuid = NULL, campaign_id = '"+id("c2").String()+"' WHERE uuid = '"+bareI2+"'",
				"UPDATE attacker_identities SET merged_into_uuid = '"+bareI2+"', campaign_id = NULL WHERE uuid = '"+id("i1").String()+"'",
				"UPDATE campaigns SET merged_into_uuid = NULL",
				"UPDATE campaigns SET merged_into_uuid = '"+id("c2").String()+"' WHERE uuid = '"+id("c1").String()+"'",
				"UPDATE attackers SET identity_id = '"+id("i3").String()+"', ip = '192.0.2.9' WHERE uuid = '"+id("a1").String()+"'",
				"UPDATE attackers SET identity_id = NULL WHERE uuid = '"+id("a2").String()+"'",
				later.row())
			report := must[ttp.PredecessorReport](t)(s.ImportPredecessor(ctx, source.url, ttp.PredecessorOptions{}))
			equal(t, "tags", report.Tags, ttp.PredecessorTags{Read: 9, Inserted: 1, Duplicate: 5, BelowFloor: 1, Refused: 2})
			equal(t, "identities", report.Identities, ttp.PredecessorRows{Read: 3, Updated: 2, Unchanged: 1})
			equal(t, "campaigns", report.Campaigns, ttp.PredecessorRows{Read: 2, Updated: 2})
			equal(t, "attackers", report.Attackers, ttp.PredecessorRows{Read: 4, Updated: 2, Unchanged: 2})
			get := func(of string) ttp.Identity { return must[ttp.Identity](t)(s.GetIdentity(ctx, id(of))) }
			equal(t, "i1", get("i1"), ttp.Identity{UUID: id("i1"), MergedIntoUUID: id("i2"), SurvivorUUID: id("i2")})
			equal(t, "i2", get("i2"), ttp.Identity{UUID: id("i2"), CampaignUUID: id("c2"), SurvivorUUID: id("i2")})
			equal(t, "c1", must[ttp.Campaign](t)(s.GetCampaign(ctx, id("c1"))).SurvivorUUID, id("c2"))
			equal(t, "a1", must[ttp.Attacker](t)(s.GetAttacker(ctx, id("a1"))).IdentityUUID, id("i3"))
			equal(t, "a2", must[ttp.Attacker](t)(s.GetAttacker(ctx, id("a2"))).IdentityUUID, uuid.Nil)
			equal(t, "tags of i3", byIdentity(t, s, "i3"), map[string]int64{"T1083": 5})
			equal(t, "findings", findings(t, s), nil)
		})
	}
}

// Some tags have the UUID of another one, or a release or a tactic that no catalogue has.
func predecessorsOddTagsAreCounted(t *testing.T, db *database) {
	ctx := context.Background()
	source := predecessors(t, db, append(oldRows(),
		"UPDATE ttp_tag SET uuid = '"+id("another").String()+"' WHERE source_id = '1'",
		"UPDATE ttp_tag SET tactic = 'TA9999' WHERE source_id = '2'",
		"UPDATE ttp_tag SET attack_release = 'v99.0' WHERE source_id = '3'")...)["file"]
	succeed(t, db.open(t).Migrate(ctx))
	s := db.open(t, ttp.WithCatalogue(builtin.Catalogue()))
	want := firstImport(false)
	want.Normalized["ttp_tag.uuid"], want.Normalized["attack_release"] = 1, 6
	want.Odd["TA9999 in enterprise-v15.1"], want.Odd["release enterprise-v99.0"] = 1, 1
	equalReport(t, "report", must[ttp.PredecessorReport](t)(s.ImportPredecessor(ctx, source.url, ttp.PredecessorOptions{})), want)
}

func predecessorThatIsNoneIsRefused(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	ours := "sqlite://" + filepath.Join(t.TempDir(), "ttp.db")
	other := must[*ttp.Store](t)(ttp.Open(ctx, ours))
	succeed(t, errors.Join(other.Migrate(ctx), other.Close()))
	for url, want := range map[string]string{
		ours:                                 "source: the database is not the predecessor's: ",
		"sqlite://" + t.TempDir() + "/no.db": "source: there is no such file",
		"sqlite://":                          "source: want sqlite://PATH, without parameters",
		"sqlite://:memory:":                  "source: want sqlite://PATH, without parameters",
		ours + "?mode=ro":                    "source: want sqlite://PATH, without parameters",
		"postgres://root:secret@127.0.0.1/decnet":   "source: want a URL that begins with sqlite:// or mysql://",
		"mysql://root:secret@tcp(127.0.0.1:1)/ttp":  "source: dial tcp 127.0.0.1:1",
		"sqlite://root:secret@tcp(127.0.0.1:1)/ttp": "source: want sqlite://PATH without a password",
	} {
		_, err := s.ImportPredecessor(ctx, url, ttp.PredecessorOptions{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", url, err)
		}
	}
	equal(t, "scopes", must[ttp.ScopeCounts](t)(s.CountScopes(ctx)), ttp.ScopeCounts{})
}

func predecessorsDifferencesAreTold(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTag("of our own", named("a1", "", "T1110")))
	cycle := append(oldRows(), "UPDATE attacker_identities SET merged_into_uuid = '"+bareI2+"' WHERE uuid = '"+id("i1").String()+"'")
	source := predecessors(t, db, cycle...)["file"]
	report := must[ttp.PredecessorReport](t)(s.ImportPredecessor(ctx, source.url, ttp.PredecessorOptions{}))
	equal(t, "differences", report.Differences[:2], []ttp.PredecessorCounts{
		{Scope: "fleet", Source: 5, Stored: 6}, {Scope: "attacker " + id("a1").String(), Source: 2, Stored: 3},
	})
	equal(t, "kept", report.KeptWithout, map[string]int{"attackers.ip": 2, "attacker_identities.merged_into_uuid": 1})
}

// There are more rows than fit in a batch, and the first import writes some of them. SQLite accepts evidence that is
// not JSON. The last row is the same tag as one of another batch.
func interruptedImportOfThePredecessorGoesOn(t *testing.T, db *database) {
	const n = 2500
	rows := []string{"BEGIN"}
	for i := range n {
		attacker := fmt.Sprint("a", i%7)
		rows = append(rows, oldTag{
			source: fmt.Sprint(i), attacker: id(attacker).String(), session: fmt.Sprint("s", i%50), technique: "T1083", confidence: "0.7",
			evidence: "{}", release: "v15.1", created: "2026-03-01 12:00:00",
		}.row())
	}
	rows = append(rows, oldTag{
		source: "NaN", attacker: id("a1").String(), technique: "T1083", confidence: "0.7", evidence: `{"a": NaN}`, release: "v15.1",
		created: "2026-03-01 12:00:00",
	}.row(), "INSERT INTO ttp_tag SELECT 'z', "+oldTagColumns+" FROM ttp_tag WHERE source_id = '0'", "COMMIT")
	file := newPredecessorFile(t)
	file.pool.SetMaxOpenConns(1)
	file.exec(t, rows...)
	s := db.store(t)
	dry := must[ttp.PredecessorReport](t)(s.ImportPredecessor(context.Background(), file.url, ttp.PredecessorOptions{DryRun: true}))
	equal(t, "tags of the dry run", dry.Tags, ttp.PredecessorTags{Read: n + 2, Inserted: n, Refused: 2})
	ctx, cancel := context.WithCancel(context.Background())
	_, err := s.ImportPredecessor(ctx, file.url, ttp.PredecessorOptions{Progress: func(int) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	first := count(t, s)
	if first == 0 || first >= n {
		t.Errorf("the first import wrote %d tags", first)
	}
	report := must[ttp.PredecessorReport](t)(s.ImportPredecessor(context.Background(), file.url, ttp.PredecessorOptions{}))
	equal(t, "tags", report.Tags, ttp.PredecessorTags{Read: n + 2, Inserted: n - int(first), Duplicate: int(first), Refused: 2})
	equal(t, "compared", report.Compared, 1+7+50)
	equal(t, "differences", report.Differences, []ttp.PredecessorCounts{})
}
