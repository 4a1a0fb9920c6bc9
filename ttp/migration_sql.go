package ttp

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/decnet/ttpstore/sql/schema"
)

// sqliteNote is for those who run the SQL: sqlite3 continues after a failed statement.
const sqliteNote = "-- It needs SQLite 3.43 or newer. Run it with sqlite3 -bail FILE, which stops at the first error.\n"

// MigrationSQL returns the SQL of all migrations of a dialect, for an empty database. It includes the version table,
// so that [Store.Migrate] continues from there; it records no version if a table is missing, since its creation failed.
func MigrationSQL(dialect Dialect) (string, error) {
	files, err := fs.Glob(schema.FS, path.Join(string(dialect), "*.up.sql"))
	if err != nil {
		return "", err
	}
	latest, err := latestMigration(dialect)
	if err != nil {
		return "", err
	}
	if latest == 0 {
		return "", fmt.Errorf("ttp: unknown dialect %q: want %q or %q", dialect, SQLite, MySQL)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "-- The schema of ttpstore, version %d, for an empty database.\n", latest)
	if dialect == SQLite {
		out.WriteString(sqliteNote)
	}
	// An empty version table shows that the tables are this module's, if a later statement fails.
	fmt.Fprintf(&out, `
-- The version of the schema.
CREATE TABLE IF NOT EXISTS %[1]s (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL);
DELETE FROM %[1]s;

`, migrationsTable)
	for _, file := range files {
		content, err := fs.ReadFile(schema.FS, file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&out, "-- %s\n%s\n", path.Base(file), content)
	}
	fmt.Fprintf(&out, `-- This counts no rows, but fails if a table is missing.
INSERT INTO %s (version, dirty) SELECT %d + COUNT(*), FALSE FROM
    %s
WHERE 1 = 0;
`, migrationsTable, latest, strings.Join(slices.Sorted(maps.Keys(ownColumns)), ",\n    "))
	return out.String(), nil
}
