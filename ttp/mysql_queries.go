package ttp

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/decnet/ttpstore/db/mysqlgen"
)

// insertTags inserts all tags with one statement. With clientFoundRows a duplicate would count as inserted. To detect
// that, the first inserted tag of a pool is inserted again and must not count.
func (e mysqlEngine) insertTags(ctx context.Context, db dbtx, rows []insertRow) (int64, error) {
	n, err := insertTagRows(ctx, db, rows)
	if err != nil || e.countsNewRows.Load() {
		return n, err
	}
	if n == int64(len(rows)) {
		again, err := insertTagRows(ctx, db, rows[:1])
		if err != nil {
			return 0, err
		}
		if again != 0 {
			return 0, errors.New("the connection has clientFoundRows, which would count duplicates as inserted: " +
				"open it without this parameter")
		}
	}
	e.countsNewRows.Store(true)
	return n, nil
}

func insertTagRows(ctx context.Context, db dbtx, rows []insertRow) (int64, error) {
	args := make([]any, 0, len(rows)*insertColumns)
	for _, row := range rows {
		args = appendInsertArgs(args, row.Tag)
	}
	result, err := db.ExecContext(ctx, insertTagQuery(len(rows)), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

var fullInsertTag = sync.OnceValue(func() string { return repeatTuple(mysqlgen.InsertTag, insertChunkRows) })

// insertTagQuery returns InsertTag for n rows.
func insertTagQuery(n int) string {
	if n == insertChunkRows {
		return fullInsertTag()
	}
	return repeatTuple(mysqlgen.InsertTag, n)
}

// upsertAttackers writes many rows with one statement, which processes them in order.
func (mysqlEngine) upsertAttackers(ctx context.Context, db dbtx, attackers []Attacker) error {
	for chunk := range slices.Chunk(attackers, insertChunkRows) {
		var args []any
		for _, a := range chunk {
			args = append(args, idOrNull(&a.UUID), nullIP(a.IP), idOrNull(&a.IdentityUUID))
		}
		if _, err := db.ExecContext(ctx, repeatTuple(mysqlgen.UpsertAttacker, len(chunk)), args...); err != nil {
			return err
		}
	}
	return nil
}

// repeatSelect repeats the inner SELECT of a generated INSERT.
func repeatSelect(query string, n int) string {
	head, rest, _ := strings.Cut(query, "FROM (")
	row, tail, _ := strings.Cut(rest, ") AS added")
	return head + "FROM (" + row + strings.Repeat(" UNION ALL "+row, n-1) + ") AS added" + tail
}

// repeatTuple repeats the VALUES tuple of a generated INSERT, which contains only placeholders.
func repeatTuple(query string, n int) string {
	head, rest, _ := strings.Cut(query, "VALUES (")
	tuple, tail, _ := strings.Cut(rest, ")")
	return head + "VALUES (" + tuple + ")" + strings.Repeat(", ("+tuple+")", n-1) + tail
}

// countSlots is the number of slots of the sharded counter of each technique. Each transaction adds to a random slot, and
// draws another one when it is retried after a lock wait timeout.
const countSlots = 16

func (mysqlEngine) addTechniqueCounts(ctx context.Context, db dbtx, groups []group, when addWhen) (bool, error) {
	slot := rand.IntN(countSlots)
	for chunk := range slices.Chunk(groups, insertChunkRows) {
		var args []any
		for _, g := range chunk {
			args = appendCountArgs(args, g, slot)
		}
		args = append(args, int(when))
		if added, err := affected(db.ExecContext(ctx, repeatSelect(mysqlgen.AddTechniqueCount, len(chunk)), args...)); err != nil || !added {
			return false, err
		}
		when = always // the condition holds for all groups or none
	}
	return true, nil
}

func (mysqlEngine) markTechniqueStale(ctx context.Context, db dbtx, key groupKey) error {
	var args []any
	for slot := range countSlots {
		args = append(args, int64(key), slot)
	}
	_, err := db.ExecContext(ctx, repeatTuple(mysqlgen.MarkTechniqueStale, countSlots), args...)
	return err
}
