package ttp

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ownColumns maps every table of the migrations to a column of its first version that distinguishes it from another
// product's table of the same name. No later migration may drop that column.
var ownColumns = map[string]string{
	"ttp_campaign":        "survivor_uuid",
	"ttp_identity":        "survivor_uuid",
	"ttp_attacker":        "identity_uuid",
	"ttp_tag":             "technique_key",
	"ttp_merge_lock":      "changes",
	"ttp_tombstone":       "removed",
	"ttp_tombstoned_tag":  "tombstone_uuid",
	"ttp_technique_count": "stale",
	"ttp_attack_release":  "content",
}

// foreign returns why this module must not change the tables, which are mapped to their columns, and what to do, or "".
// The flag migrated reports whether the version table exists.
func foreign(tables map[string][]string, migrated bool) string {
	const ownDatabase = "give ttpstore a database of its own"
	const importIt = "looks like DECNET's: " + ownDatabase + " and call Store.ImportPredecessor with the URL of this one"
	for _, table := range slices.Sorted(maps.Keys(ownColumns)) {
		columns, exists := tables[table]
		switch {
		case exists && !slices.Contains(columns, ownColumns[table]) && slices.Contains(columns, "mitre_url"):
			return fmt.Sprintf("the table %s has no column %s and %s", table, ownColumns[table], importIt)
		case exists && !slices.Contains(columns, ownColumns[table]):
			return fmt.Sprintf("the table %s has no column %s and is another product's: %s", table, ownColumns[table], ownDatabase)
		case exists && !migrated:
			return fmt.Sprintf("the table %s exists without %s, which holds its version: restore that table", table, migrationsTable)
		}
	}
	if _, exists := tables["alembic_version"]; exists && !migrated {
		return "the table alembic_version " + importIt
	}
	return ""
}

// tableColumns maps the tables that foreign checks to their columns.
func (s *Store) tableColumns(ctx context.Context) (map[string][]string, error) {
	rows, err := s.reader().QueryContext(ctx, s.engine.listColumns())
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	tables := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return nil, err
		}
		table = strings.ToLower(table) // most engines ignore the case of names
		tables[table] = append(tables[table], strings.ToLower(column))
	}
	return tables, rows.Err()
}
