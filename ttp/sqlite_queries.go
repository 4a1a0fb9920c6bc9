package ttp

import (
	"context"

	"github.com/decnet/ttpstore/db/sqlitegen"
)

// insertTags executes one prepared statement per tag. SQLite runs in this process, so that a statement for many rows is no
// faster.
func (sqliteEngine) insertTags(ctx context.Context, db dbtx, rows []insertRow) (int64, error) {
	stmt, err := db.PrepareContext(ctx, sqlitegen.InsertTag)
	if err != nil {
		return 0, err
	}
	defer func() { _ = stmt.Close() }()
	var written int64
	args := make([]any, 0, insertColumns)
	for _, row := range rows {
		args = appendInsertArgs(args[:0], row.Tag)
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

// addTechniqueCounts uses one slot, since SQLite has one writer.
func (sqliteEngine) addTechniqueCounts(ctx context.Context, db dbtx, groups []group, when addWhen) (bool, error) {
	stmt, err := db.PrepareContext(ctx, sqlitegen.AddTechniqueCount)
	if err != nil {
		return false, err
	}
	defer func() { _ = stmt.Close() }()
	var args []any
	for _, g := range groups {
		args = append(appendCountArgs(args[:0], g, 0), int(when))
		if added, err := affected(stmt.ExecContext(ctx, args...)); err != nil || !added {
			return false, err
		}
		when = always
	}
	return true, nil
}

func (sqliteEngine) upsertAttackers(ctx context.Context, db dbtx, attackers []Attacker) error {
	stmt, err := db.PrepareContext(ctx, sqlitegen.UpsertAttacker)
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }()
	for _, a := range attackers {
		args := []any{idOrNull(&a.UUID), nullIP(a.IP), idOrNull(&a.IdentityUUID)}
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
