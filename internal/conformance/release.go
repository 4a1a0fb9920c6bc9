package conformance

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/ttp"
)

// releaseFiles holds, for each released version of this module and each dialect, a database that it made, as a SQLite file or
// as SQL, and the export of its records.
//
//go:embed releases
var releaseFiles embed.FS

// writeReleaseEnv is the environment variable with the version to add to releaseFiles; see CONTRIBUTING.md.
const writeReleaseEnv = "TTPSTORE_WRITE_RELEASE"

var releaseCases = []testCase{
	{name: "DatabasesOfReleasesAreUpgraded", run: databasesOfReleasesAreUpgraded, long: true},
}

func databasesOfReleasesAreUpgraded(t *testing.T, db *database) {
	if version := os.Getenv(writeReleaseEnv); version != "" {
		writeRelease(t, db, filepath.Join("..", "internal", "conformance", "releases", version))
		return
	}
	versions := must[[]fs.DirEntry](t)(releaseFiles.ReadDir("releases"))
	for _, version := range versions {
		t.Run(version.Name(), func(t *testing.T) {
			folder := must[fs.FS](t)(fs.Sub(releaseFiles, "releases/"+version.Name()))
			s := openRelease(t, db, folder)
			succeed(t, s.Migrate(context.Background()))
			export := must[[]byte](t)(fs.ReadFile(folder, string(db.Dialect)+".jsonl"))
			imported := db.store(t)
			checkRelease(t, s, imported, string(export))
			succeed(t, imported.MigrateDown(context.Background(), 0)) // empty for the next version
		})
	}
}

const (
	releaseFile = "database.sqlite"
	releaseSQL  = "mysql.sql"
)

// openRelease opens a copy of a released version's database.
func openRelease(t *testing.T, db *database, folder fs.FS) *ttp.Store {
	t.Helper()
	if db.Dialect == ttp.MySQL {
		db = newDatabase(t, db.Engine)
		text := string(must[[]byte](t)(fs.ReadFile(folder, releaseSQL)))
		for statement := range strings.SplitSeq(strings.TrimSpace(text), ";\n") {
			exec(t, db, statement)
		}
		return db.open(t)
	}
	file := filepath.Join(t.TempDir(), "ttp.db")
	succeed(t, os.WriteFile(file, must[[]byte](t)(fs.ReadFile(folder, releaseFile)), 0o600))
	s := must[*ttp.Store](t)(ttp.Open(context.Background(), "sqlite://"+file))
	t.Cleanup(func() { succeed(t, s.Close()) })
	return s
}

// checkRelease compares an upgraded store of fillRelease with its export, and with a new store that imports it.
func checkRelease(t *testing.T, upgraded, imported *ttp.Store, export string) {
	t.Helper()
	ctx := context.Background()
	status := must[ttp.SchemaStatus](t)(upgraded.SchemaStatus(ctx))
	equal(t, "status", status, ttp.SchemaStatus{Version: status.Latest, Latest: status.Latest})
	equal(t, "findings", findings(t, upgraded), nil)

	must[ttp.ImportReport](t)(imported.Import(ctx, strings.NewReader(export), ttp.ImportOptions{}))
	records := exported(t, upgraded)
	equal(t, "records", records, exported(t, imported))
	old := strings.Split(strings.TrimSpace(export), "\n")
	equal(t, "number of records", len(records), len(old))
	for i, line := range old { // later versions may add keys
		var was, is map[string]any
		succeed(t, json.Unmarshal([]byte(line), &was))
		succeed(t, json.Unmarshal(records[i], &is))
		for key, value := range was {
			equal(t, fmt.Sprintf("%s of record %d", key, i), is[key], value)
		}
	}
	for _, scope := range []ttp.Scope{
		ttp.Fleet(), ttp.OfCampaign(id("c2")), ttp.OfIdentity(id("i2")), ttp.OfAttacker(id("a3")), ttp.OfSession("session"),
	} {
		got := must[[]ttp.TechniqueRollupRow](t)(upgraded.Rollup(ctx, scope))
		want := must[[]ttp.TechniqueRollupRow](t)(imported.Rollup(ctx, scope))
		equal(t, scope.String(), got, want)
		equal(t, scope.String()+" has rows", len(got) > 0, true)
	}
	catalogue := must[*attack.Catalogue](t)(upgraded.LoadedAttackReleases(ctx))
	_, loaded := catalogue.Release("enterprise-v1.0")
	equal(t, "loaded release", loaded, true)
	equal(t, "outcomes", insert(t, upgraded, releaseTags()...).Outcomes, []ttp.Outcome{
		ttp.Duplicate, ttp.Duplicate, ttp.Duplicate, ttp.Duplicate, ttp.Tombstoned,
	})
}

// releaseTags returns the tags of fillRelease, which removes the last one.
func releaseTags() []ttp.Tag {
	return []ttp.Tag{
		newTag("1", named("a1", "", "T1110"), func(tag *ttp.Tag) { tag.SessionID, tag.DeckyID = "session", "decky" }),
		newTag("2", named("a2", "i2", "T1110"), func(tag *ttp.Tag) { tag.SubTechniqueID, tag.SessionID = "T1110.001", "session" }),
		newTag("3", named("a3", "", "T0883"), func(tag *ttp.Tag) { tag.Tactic, tag.AttackRelease = "TA0108", "ics-v18.1" }),
		newTag("4", named("", "i1", "T1566"), func(tag *ttp.Tag) { tag.Evidence = []byte(`{"subject":"Grüße \"'\\"}`) }),
		newTag("5", named("a1", "", "T1110"), func(tag *ttp.Tag) { tag.SessionID = "removed" }),
	}
}

// fillRelease writes rows to all tables.
func fillRelease(t *testing.T, s *ttp.Store) {
	t.Helper()
	ctx := context.Background()
	succeed(t, s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: id("c1"), Name: "Grün"}, {UUID: id("c2")}}))
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i1"), CampaignUUID: id("c1")}, {UUID: id("i2")}}))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{
		{UUID: id("a1"), IdentityUUID: id("i1"), IP: netip.MustParseAddr("192.0.2.7")},
		{UUID: id("a2"), IdentityUUID: id("i2"), IP: netip.MustParseAddr("2001:db8::1")},
		{UUID: id("a3")},
	}))
	insert(t, s, releaseTags()...)
	succeed(t, s.MergeIdentity(ctx, id("i2"), id("i1")))
	succeed(t, s.MergeCampaign(ctx, id("c2"), id("c1")))
	must[ttp.Receipt](t)(s.PurgeSession(ctx, "removed", ttp.WithTombstone("a test")))
	succeed(t, s.LoadAttackRelease(ctx, release(t, "enterprise-v1.0")))
}

// writeRelease writes the files of a release.
func writeRelease(t *testing.T, db *database, folder string) {
	t.Helper()
	s := db.store(t)
	fillRelease(t, s)
	succeed(t, os.MkdirAll(folder, 0o755))
	// A release's database is never replaced.
	out := must[*os.File](t)(os.OpenFile(filepath.Join(folder, string(db.Dialect)+".jsonl"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644))
	must[ttp.ExportReport](t)(s.Export(context.Background(), out, ttp.Filter{}, nil))
	succeed(t, out.Close())
	if db.Dialect == ttp.SQLite {
		succeed(t, s.Backup(context.Background(), filepath.Join(folder, releaseFile)))
		return
	}
	text := []byte(must[string](t)(ttp.MigrationSQL(db.Dialect)))
	for _, table := range slices.Sorted(maps.Keys(tables(t, db))) {
		if table != "ttp_schema_migrations" {
			text = append(text, inserts(t, db, table)...)
		}
	}
	succeed(t, os.WriteFile(filepath.Join(folder, releaseSQL), text, 0o644))
}

// inserts returns a statement for each row of a table.
func inserts(t *testing.T, db *database, table string) string {
	t.Helper()
	rows, err := db.pool.QueryContext(context.Background(), "SELECT * FROM "+table)
	succeed(t, err)
	defer func() { _ = rows.Close() }()
	columns, err := rows.ColumnTypes()
	succeed(t, err)
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = column.Name()
	}
	var out strings.Builder
	for rows.Next() {
		values, texts := make([]any, len(columns)), make([]string, len(columns))
		for i := range values {
			values[i] = new(sql.RawBytes)
		}
		succeed(t, rows.Scan(values...))
		for i, value := range values {
			raw, kind := *value.(*sql.RawBytes), columns[i].DatabaseTypeName()
			switch {
			case raw == nil:
				texts[i] = "NULL"
			case kind == "DOUBLE" || strings.HasSuffix(kind, "INT"):
				texts[i] = string(raw)
			default:
				texts[i] = fmt.Sprintf("x'%x'", []byte(raw))
			}
		}
		fmt.Fprintf(&out, "INSERT INTO %s (%s) VALUES (%s);\n", table, strings.Join(names, ", "), strings.Join(texts, ", "))
	}
	succeed(t, rows.Err())
	return out.String()
}
