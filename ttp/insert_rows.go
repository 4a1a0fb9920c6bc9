package ttp

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listStoredTagUUIDs    = many((*sqlitegen.Queries).ListStoredTagUUIDs, (*mysqlgen.Queries).ListStoredTagUUIDs, toID, toID)
	lockTagUUIDs          = many((*sqlitegen.Queries).LockTagUUIDs, (*mysqlgen.Queries).LockTagUUIDs, toID, toID)
	listTagUUIDsInBatches = many((*sqlitegen.Queries).ListTagUUIDsInBatches, (*mysqlgen.Queries).ListTagUUIDsInBatches, toID, toID)
)

const (
	// insertChunkRows is the number of rows in one statement; more gain nothing.
	insertChunkRows = 500
	// insertProbeRows is the number of rows in the first of several statements, which finds out whether the
	// rows are stored already.
	insertProbeRows = 32
	// insertChunkBytes keeps a statement below the smallest max_allowed_packet in use, 4 MiB, even when
	// every byte of its evidence is escaped.
	insertChunkBytes = 1 << 20
)

// tagWrite writes the tags of one or several calls in one transaction.
type tagWrite struct {
	// rows holds each tag once. They are written in uuid order, so that racing transactions do not deadlock.
	rows []insertRow
	// batches are the calls' batch UUIDs; empty where tags have batches of earlier calls.
	batches [][]byte
	// inCallers means a transaction of the caller's, in which a plain read may see an old state.
	inCallers bool
}

// insertRow is a tag and where its outcome goes.
type insertRow struct {
	*Tag
	outcome *Outcome
}

// errRaced makes transact run the transaction again.
var errRaced = fmt.Errorf("%w: another writer added some of the same tags", ErrBusy)

// add adds tags that are in their stored form. Those below the floor are not written; of those with one
// uuid, the first to be added is.
func (w *tagWrite) add(tags []Tag, outcomes []Outcome, floor float64) {
	for i := range tags {
		if tags[i].Confidence < floor {
			outcomes[i] = BelowFloor
			continue
		}
		outcomes[i] = Duplicate
		w.rows = append(w.rows, insertRow{&tags[i], &outcomes[i]})
	}
}

// write writes the rows, finds out which were new and counts these. While rows turn out to be stored, it
// reads before it inserts: a row that is not sent is much cheaper than a duplicate.
func (w *tagWrite) write(ctx context.Context, q queries) error {
	slices.SortStableFunc(w.rows, func(a, b insertRow) int { return bytes.Compare(a.UUID[:], b.UUID[:]) })
	w.rows = slices.CompactFunc(w.rows, func(a, b insertRow) bool { return a.UUID == b.UUID })
	for _, row := range w.rows {
		*row.outcome = Duplicate // also when the transaction is run again
	}
	precheck := w.mustPrecheck()
	for chunk := range w.chunks() {
		rows := chunk
		if precheck {
			var err error
			if rows, err = w.missing(ctx, q, chunk); err != nil {
				return err
			}
		}
		inserted, err := w.insert(ctx, q, rows)
		if err != nil {
			return err
		}
		precheck = w.mustPrecheck() || (!w.inCallers && inserted < len(chunk))
	}
	return w.count(ctx, q)
}

// mustPrecheck reports whether only reading before inserting can tell which rows are new, since no batch does.
func (w *tagWrite) mustPrecheck() bool { return len(w.batches) == 0 }

// insert writes rows, marks those that were new and returns their number. It reads which were only where some
// were.
func (w *tagWrite) insert(ctx context.Context, q queries, rows []insertRow) (int, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	n, err := q.insertTags(ctx, q.db, rows)
	switch {
	case err != nil || n == 0:
		return 0, err
	case n == int64(len(rows)):
		for _, row := range rows {
			*row.outcome = Inserted
		}
		return len(rows), nil
	case w.mustPrecheck():
		return 0, errRaced
	}
	ids, err := listTagUUIDsInBatches(ctx, q, args{BatchUUIDs: w.batches, UUIDs: uuidsOfRows(rows)})
	setOutcome(rows, ids, Inserted)
	return len(ids), err
}

// missing returns the rows that are not stored.
func (w *tagWrite) missing(ctx context.Context, q queries, rows []insertRow) ([]insertRow, error) {
	read := listStoredTagUUIDs
	if w.inCallers {
		read = lockTagUUIDs
	}
	ids, err := read(ctx, q, args{UUIDs: uuidsOfRows(rows)})
	stored := setOf(ids)
	return slices.DeleteFunc(slices.Clone(rows), func(row insertRow) bool { return stored[row.UUID] }), err
}

// count adds the new rows to the fleet's counts, last of all, since all writers meet there. Where there are
// tombstones, it takes back the rows that one keeps out. It looks for them only after the writing, when no
// removal of the same rows can be under way.
func (w *tagWrite) count(ctx context.Context, q queries) error {
	rows := w.inserted()
	if len(rows) == 0 {
		return nil
	}
	if !w.inCallers { // whose snapshot may be too old to show a tombstone
		added, err := q.addTechniqueCounts(ctx, q.db, countsOf(tagsOf(rows), 1), unlessTombstones)
		if err != nil || added {
			return err
		}
	}
	if err := w.takeBack(ctx, q, rows); err != nil {
		return err
	}
	if rows = w.inserted(); len(rows) == 0 {
		return nil
	}
	_, err := q.addTechniqueCounts(ctx, q.db, countsOf(tagsOf(rows), 1), always)
	return err
}

// takeBack deletes the rows that a tombstone keeps out.
func (w *tagWrite) takeBack(ctx context.Context, q queries, rows []insertRow) error {
	read := listTombstonedTagUUIDs
	if w.inCallers {
		read = lockTombstonedTags
	}
	for chunk := range slices.Chunk(rows, insertChunkRows) {
		ids, err := read(ctx, q, args{UUIDs: uuidsOfRows(chunk)})
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			continue
		}
		if _, err := deleteTags(ctx, q, args{UUIDs: idBytes(ids)}); err != nil {
			return err
		}
		setOutcome(chunk, ids, Tombstoned)
	}
	return nil
}

// inserted returns the rows that were new.
func (w *tagWrite) inserted() []insertRow {
	var rows []insertRow
	for _, row := range w.rows {
		if *row.outcome == Inserted {
			rows = append(rows, row)
		}
	}
	return rows
}

func setOutcome(rows []insertRow, ids []uuid.UUID, outcome Outcome) {
	named := setOf(ids)
	for _, row := range rows {
		if named[row.UUID] {
			*row.outcome = outcome
		}
	}
}

func setOf(ids []uuid.UUID) map[uuid.UUID]bool {
	set := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// chunks cuts the rows into statements bounded in rows and bytes. The first of several is small.
func (w *tagWrite) chunks() iter.Seq[[]insertRow] {
	return func(yield func([]insertRow) bool) {
		start, size, most := 0, 0, insertChunkRows
		if len(w.rows) > insertChunkRows {
			most = insertProbeRows
		}
		for i, row := range w.rows {
			if i-start == most || (i > start && size+len(row.Evidence) > insertChunkBytes) {
				if !yield(w.rows[start:i]) {
					return
				}
				start, size, most = i, 0, insertChunkRows
			}
			size += len(row.Evidence)
		}
		if start < len(w.rows) {
			yield(w.rows[start:])
		}
	}
}

func tagsOf(rows []insertRow) []*Tag {
	tags := make([]*Tag, len(rows))
	for i, row := range rows {
		tags[i] = row.Tag
	}
	return tags
}

func uuidsOfRows(rows []insertRow) [][]byte {
	ids := make([][]byte, len(rows))
	for i, row := range rows {
		ids[i] = row.UUID[:]
	}
	return ids
}

// insertColumns is the number of InsertTag's placeholders.
const insertColumns = 19

// appendInsertArgs appends what InsertTag binds for a tag, in the order of its columns, which both
// dialects share. The generated method would copy its large parameter several times a row.
func appendInsertArgs(args []any, t *Tag) []any {
	return append(args,
		t.UUID[:], t.SourceKind, t.SourceID, idOrNull(&t.AttackerUUID), idOrNull(&t.IdentityUUID),
		textOrNull(t.SessionID), textOrNull(t.DeckyID), t.Tactic, t.TechniqueID, textOrNull(t.SubTechniqueID),
		t.Confidence, t.RuleID, int64(t.RuleVersion), string(t.Evidence), t.AttackRelease,
		t.ObservedAt.UnixMicro(), t.IngestedAt.UnixMicro(), t.BatchUUID[:], int64(keyOf(t)))
}

func idOrNull(id *uuid.UUID) any {
	if *id == uuid.Nil {
		return nil
	}
	return id[:]
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
