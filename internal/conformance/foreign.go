package conformance

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/sql/schema"
	"github.com/decnet/ttpstore/ttp"
)

var foreignCases = []testCase{
	{name: "ForeignTablesAreUnchanged", run: foreignTablesAreUnchanged},
	{name: "EveryTableIsGuarded", run: everyTableIsGuarded},
	{name: "OtherTablesAreAllowed", run: otherTablesAreAllowed},
}

//go:embed testdata/predecessor.sql
var predecessor string

// predecessorStatements returns SQL that creates the schema of DECNET, with a tag.
func predecessorStatements() []string {
	return strings.Split(strings.TrimSuffix(strings.TrimSpace(predecessor), ";"), ";\n")
}

// PredecessorFile creates a SQLite file with the schema of DECNET and a tag, and executes more statements.
func PredecessorFile(tb testing.TB, path string, more ...string) {
	tb.Helper()
	pool, err := sql.Open("sqlite", "file:"+path)
	succeed(tb, err)
	for _, statement := range append(predecessorStatements(), more...) {
		_, err = pool.ExecContext(context.Background(), statement)
		succeed(tb, err)
	}
	succeed(tb, pool.Close())
}

// WriteFile executes a statement on a SQLite file, like another program.
func WriteFile(path, statement string) error {
	pool, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return err
	}
	_, err = pool.ExecContext(context.Background(), statement)
	return errors.Join(err, pool.Close())
}

const versionTable = "CREATE TABLE ttp_schema_migrations (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL)"

func foreignTablesAreUnchanged(t *testing.T, db *database) {
	tests := []struct {
		name       string
		statements []string
		want       string
	}{
		{"Predecessor", predecessorStatements(), "looks like DECNET's"},
		{"PredecessorWithoutAlembic", append(predecessorStatements(), "DROP TABLE alembic_version"), "looks like DECNET's"},
		{"Alembic", predecessorStatements()[:2], "alembic_version"},
		{"AnotherProduct", []string{"CREATE TABLE ttp_tag (uuid CHAR(36) NOT NULL PRIMARY KEY)"},
			"the table ttp_tag has no column technique_key and is another product's"},
		// States that earlier migrations without this check, or forcing their version, left behind.
		{"HalfMigrated", append(predecessorStatements(), versionTable, "INSERT INTO ttp_schema_migrations VALUES (4, true)"), "ttp_tag"},
		{"Forced", append(predecessorStatements(), versionTable, "INSERT INTO ttp_schema_migrations VALUES (8, false)"), "ttp_tag"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			db := newDatabase(t, db.Engine)
			for _, statement := range test.statements {
				exec(t, db, statement)
			}
			checkForeign(t, db, test.want)
		})
	}
	t.Run("VersionTableIsMissing", func(t *testing.T) {
		db := newDatabase(t, db.Engine)
		insert(t, db.store(t), newTag("1"))
		exec(t, db, "DROP TABLE ttp_schema_migrations")
		checkForeign(t, db, "ttp_schema_migrations")
	})
}

// checkForeign checks that every kind of call fails with a reason and changes nothing.
func checkForeign(t *testing.T, db *database, why string) {
	t.Helper()
	ctx, s, before := context.Background(), db.open(t), tables(t, db)
	for name, err := range map[string]error{
		"up": s.Migrate(ctx), "down": s.MigrateDown(ctx, 0), "force": s.ForceSchemaVersion(ctx, 0),
	} {
		if !errors.Is(err, ttp.ErrForeignSchema) || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("migrating %s: got %v, want a message with %q", name, err, why)
		}
	}
	refused(t, s, ttp.ErrForeignSchema, why)
	equal(t, "numbers of rows by table", tables(t, db), before)
}

// tables maps the tables of the database to the number of their rows.
func tables(t *testing.T, db *database) map[string]int {
	t.Helper()
	query := "SELECT name FROM sqlite_schema WHERE type = 'table'"
	if db.Dialect == ttp.MySQL {
		query = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
	}
	rows, err := db.pool.QueryContext(context.Background(), query)
	succeed(t, err)
	defer func() { _ = rows.Close() }()
	counts := map[string]int{}
	for rows.Next() {
		var name string
		succeed(t, rows.Scan(&name))
		counts[name] = 0
	}
	succeed(t, errors.Join(rows.Err(), rows.Close()))
	for name := range counts {
		var n int
		succeed(t, db.pool.QueryRowContext(context.Background(), "SELECT COUNT(*) FROM "+name).Scan(&n))
		counts[name] = n
	}
	return counts
}

var createTable = regexp.MustCompile(`CREATE TABLE IF NOT EXISTS (\w+)`)

func everyTableIsGuarded(t *testing.T, db *database) {
	files, err := fs.Glob(schema.FS, string(db.Dialect)+"/*.up.sql")
	succeed(t, err)
	for _, file := range files {
		up := must[[]byte](t)(fs.ReadFile(schema.FS, file))
		for _, table := range createTable.FindAllSubmatch(up, -1) {
			t.Run(string(table[1]), func(t *testing.T) {
				db := newDatabase(t, db.Engine)
				exec(t, db, "CREATE TABLE "+string(table[1])+" (uuid CHAR(36) NOT NULL PRIMARY KEY)")
				checkForeign(t, db, string(table[1]))
			})
		}
	}
}

// A service may have its own tables and its own version table in the same database.
func otherTablesAreAllowed(t *testing.T, db *database) {
	exec(t, db, "CREATE TABLE attackers (uuid CHAR(36) NOT NULL PRIMARY KEY)")
	exec(t, db, "CREATE TABLE schema_migrations (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL)")
	ctx, s := context.Background(), db.store(t)
	exec(t, db, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)") // after the migration
	insert(t, s, newTag("1"))
	succeed(t, db.open(t).Migrate(ctx))
	succeed(t, db.open(t).MigrateDown(ctx, 0))
	equal(t, "numbers of rows by table", tables(t, db),
		map[string]int{"attackers": 0, "schema_migrations": 0, "alembic_version": 0, "ttp_schema_migrations": 0})
}
