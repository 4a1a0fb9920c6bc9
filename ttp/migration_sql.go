package ttp

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/decnet/ttpstore/sql/schema"
)

// MigrationSQL returns the SQL of all migrations of a dialect, for an empty database. It includes the version table,
// so that [Store.Migrate] continues from there.
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
	for _, file := range files {
		content, err := fs.ReadFile(schema.FS, file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&out, "-- %s\n%s\n", path.Base(file), content)
	}
	fmt.Fprintf(&out, `-- The version of the schema.
CREATE TABLE IF NOT EXISTS %[1]s (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL);
DELETE FROM %[1]s;
INSERT INTO %[1]s (version, dirty) VALUES (%[2]d, FALSE);
`, migrationsTable, latest)
	return out.String(), nil
}
