package ttp

import (
	"context"

	"github.com/decnet/ttpstore/db/sqlitegen"
)

// insertTags loops over one prepared statement: SQLite runs in the process, and many rows in one
// statement gain nothing.
func (sqliteEngine) insertTags(ctx context.Context, db dbtx, tags []*Tag) (int64, error) {
	stmt, err := db.PrepareContext(ctx, sqlitegen.InsertTag)
	if err != nil {
		return 0, err
	}
	defer func() { _ = stmt.Close() }()
	var written int64
	args := make([]any, 0, insertColumns)
	for _, tag := range tags {
		args = appendInsertArgs(args[:0], tag)
		result, err := stmt.ExecContext(ctx, args...)
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		written += n
	}
	return written, nil
}

// addTechniqueCounts needs one slot: SQLite has one writer.
func (sqliteEngine) addTechniqueCounts(ctx context.Context, db dbtx, groups []group) error {
	stmt, err := db.PrepareContext(ctx, sqlitegen.AddTechniqueCount)
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }()
	var args []any
	for _, g := range groups {
		args = appendCountArgs(args[:0], g, 0)
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

func (sqliteEngine) markTechniqueStale(ctx context.Context, db dbtx, key groupKey) error {
	_, err := db.ExecContext(ctx, sqlitegen.MarkTechniqueStale, int64(key), 0)
	return err
}
