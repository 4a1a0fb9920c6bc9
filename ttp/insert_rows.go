package ttp

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"

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
	// insertChunkRows is the maximum number of rows in one statement; more are not faster.
	insertChunkRows = 500
	// insertProbeRows is the number of rows in the first of several statements, which probes whether the rows are
	// already stored.
	insertProbeRows = 32
	// insertChunkBytes keeps a statement below max_allowed_packet, at least 4 MiB in practice, even if every byte
	// of evidence is escaped.
	insertChunkBytes = 1 << 20
)

// tagWrite writes the tags of one or several calls in one transaction.
type tagWrite struct {
	// rows holds each tag once. They are written in UUID order, so that concurrent transactions do not deadlock.
	rows []insertRow
	// copies holds further rows of the same tags. They are tombstoned like the first one, and otherwise duplicates.
	copies []insertRow
	// batches holds the batch UUIDs of the calls. It is empty for an import with tags of earlier batches.
	batches [][]byte
	// tombstones is set by the store's first write that finds a tombstone. Then writes skip tombstoned rows: inserting
	// and deleting many takes about ten times as long. It affects only speed, except for a tag that is both stored and
	// tombstoned, which only manual changes create. It may stay set after another store lifts the last tombstone; each
	// statement then costs one more query.
	tombstones *atomic.Bool
	// inCallerTx means the caller's transaction, in which a read without locks may see an old snapshot.
	inCallerTx bool
	// raced means that another writer added some of the same tags during an earlier attempt. Then each statement
	// inserts one row, so that the number of affected rows identifies new rows.
	raced bool
	// resumed means that an earlier attempt may be committed: the reply to its COMMIT was lost. Rows that it wrote
	// are recognized by their batch.
	resumed bool
}

// insertRow is a tag and the destination of its outcome.
type insertRow struct {
	*Tag
	outcome *Outcome
}

// errRaced makes transact retry the transaction.
var errRaced = fmt.Errorf("%w: another writer added some of the same tags", ErrBusy)

// add adds tags in canonical form, except those below the write floor. Of several tags with the same UUID, the
// first one wins.
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

// write inserts the rows, sets their outcomes and adds new rows to the fleet's counts. As long as chunks contain
// stored rows, it reads before it inserts: skipping a row is much cheaper than inserting a duplicate.
func (w *tagWrite) write(ctx context.Context, q queries) error {
	w.separateCopies()
	for _, row := range slices.Concat(w.rows, w.copies) {
		*row.outcome = Duplicate // resets the outcomes of an earlier attempt
	}
	precheck := w.needsPrecheck() || w.resumed
	for chunk := range chunksOf(w.rows, q.sharded) {
		chunk, err := w.skipTombstoned(ctx, q, chunk)
		if err != nil {
			return err
		}
		if len(chunk) == 0 {
			continue
		}
		rows := chunk
		if precheck {
			if rows, err = w.missing(ctx, q, chunk); err != nil {
				return err
			}
		}
		inserted, err := w.insert(ctx, q, rows)
		if err != nil {
			return err
		}
		precheck = w.needsPrecheck() || (!w.inCallerTx && inserted < len(chunk))
	}
	if err := w.count(ctx, q); err != nil || !w.resumed {
		return err
	}
	return w.resume(ctx, q)
}

// separateCopies sorts the rows and moves all but the first of each tag to the copies.
func (w *tagWrite) separateCopies() {
	slices.SortStableFunc(w.rows, func(a, b insertRow) int { return bytes.Compare(a.UUID[:], b.UUID[:]) })
	var previous uuid.UUID
	w.rows = slices.DeleteFunc(w.rows, func(row insertRow) bool {
		isCopy := row.UUID == previous
		if isCopy {
			w.copies = append(w.copies, row)
		}
		previous = row.UUID
		return isCopy
	})
}

// resume sets the outcome of the rows that the earlier attempt committed. It runs last, so that only the other rows
// are counted. A sharded engine may have committed the earlier rows without their counts, which it recounts later.
func (w *tagWrite) resume(ctx context.Context, q queries) error {
	var stored []insertRow
	for _, row := range w.rows {
		if *row.outcome == Duplicate {
			stored = append(stored, row)
		}
	}
	for chunk := range chunksOf(stored, q.sharded) {
		ids, err := listTagUUIDsInBatches(ctx, q, args{BatchUUIDs: w.batches, UUIDs: uuidsOfRows(chunk)})
		if err != nil {
			return err
		}
		setOutcome(chunk, ids, Inserted)
	}
	if !q.sharded {
		return nil
	}
	for _, g := range countsOf(tagsOf(w.inserted()), 1) {
		if err := q.markTechniqueStale(ctx, q.db, g.key); err != nil {
			return err
		}
	}
	return nil
}

// needsPrecheck reports whether new rows cannot be identified by batch, so that write must read before it inserts.
func (w *tagWrite) needsPrecheck() bool { return len(w.batches) == 0 }

// insert inserts rows, sets the outcome of new ones and returns their number. It identifies them by a query only
// if some but not all rows were new.
func (w *tagWrite) insert(ctx context.Context, q queries, rows []insertRow) (inserted int, err error) {
	if len(rows) == 0 {
		return 0, nil
	}
	if (w.raced || w.resumed) && len(rows) > 1 {
		for i := 0; i < len(rows) && err == nil; i++ {
			var n int
			n, err = w.insert(ctx, q, rows[i:i+1])
			inserted += n
		}
		return inserted, err
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
	case w.needsPrecheck():
		w.raced = true
		return 0, errRaced
	}
	ids, err := listTagUUIDsInBatches(ctx, q, args{BatchUUIDs: w.batches, UUIDs: uuidsOfRows(rows)})
	setOutcome(rows, ids, Inserted)
	return len(ids), err
}

// missing returns the rows that are not stored.
func (w *tagWrite) missing(ctx context.Context, q queries, rows []insertRow) ([]insertRow, error) {
	read := listStoredTagUUIDs
	if w.inCallerTx {
		read = lockTagUUIDs
	}
	ids, err := read(ctx, q, args{UUIDs: uuidsOfRows(rows)})
	stored := setOf(ids)
	return slices.DeleteFunc(slices.Clone(rows), func(row insertRow) bool { return stored[row.UUID] }), err
}

// count deletes tombstoned rows, if there is any tombstone, and adds the others to the fleet's counts. It runs last:
// all writers contend for the counts, and the locks on the new rows exclude their concurrent removal.
func (w *tagWrite) count(ctx context.Context, q queries) error {
	rows := w.inserted()
	if len(rows) == 0 {
		return nil
	}
	if !w.inCallerTx && !w.tombstones.Load() { // the snapshot of a caller's transaction may lack a recent tombstone
		added, err := q.addTechniqueCounts(ctx, q.db, countsOf(tagsOf(rows), 1), unlessTombstones)
		if err != nil || added {
			return err
		}
		w.tombstones.Store(true)
	}
	if err := w.deleteTombstoned(ctx, q, rows); err != nil {
		return err
	}
	if rows = w.inserted(); len(rows) == 0 {
		return nil
	}
	_, err := q.addTechniqueCounts(ctx, q.db, countsOf(tagsOf(rows), 1), always)
	return err
}

// skipTombstoned returns the rows without tombstoned ones, and sets the outcome of these. A concurrent removal may add
// a tombstone later, so that count checks the rows again.
func (w *tagWrite) skipTombstoned(ctx context.Context, q queries, rows []insertRow) ([]insertRow, error) {
	if w.inCallerTx || !w.tombstones.Load() { // the snapshot of a caller's transaction may have a lifted tombstone
		return rows, nil
	}
	ids, err := listTombstonedTagUUIDs(ctx, q, args{UUIDs: uuidsOfRows(rows)})
	if err != nil || len(ids) == 0 {
		return rows, err
	}
	setOutcome(rows, ids, Tombstoned)
	setOutcome(w.copies, ids, Tombstoned)
	return slices.DeleteFunc(slices.Clone(rows), func(row insertRow) bool { return *row.outcome == Tombstoned }), nil
}

// deleteTombstoned deletes tombstoned rows and sets their outcome.
func (w *tagWrite) deleteTombstoned(ctx context.Context, q queries, rows []insertRow) error {
	read := listTombstonedTagUUIDs
	if w.inCallerTx {
		read = lockTombstonedTags
	}
	for chunk := range chunksOf(rows, q.sharded) {
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
		setOutcome(w.copies, ids, Tombstoned)
	}
	return nil
}

// inserted returns the new rows.
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

// chunksOf splits rows in UUID order into statements of bounded rows and bytes, on a sharded engine also by shardOf.
// The first of several is small.
func chunksOf(rows []insertRow, sharded bool) iter.Seq[[]insertRow] {
	return func(yield func([]insertRow) bool) {
		start, size, maxRows := 0, 0, insertChunkRows
		if len(rows) > insertChunkRows {
			maxRows = insertProbeRows
		}
		for i, row := range rows {
			full := i-start == maxRows || size+len(row.Evidence) > insertChunkBytes
			if i > start && (full || (sharded && shardOf(row.UUID[:]) != shardOf(rows[start].UUID[:]))) {
				if !yield(rows[start:i]) {
					return
				}
				start, size, maxRows = i, 0, insertChunkRows
			}
			size += len(row.Evidence)
		}
		if start < len(rows) {
			yield(rows[start:])
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

// appendInsertArgs appends the arguments of InsertTag in column order, which both dialects share. The generated
// method would copy its large parameter struct several times per row.
func appendInsertArgs(args []any, t *Tag) []any {
	return append(args,
		t.UUID[:], t.SourceKind, t.SourceID, idOrNull(&t.AttackerUUID), idOrNull(&t.IdentityUUID),
		textOrNull(t.SessionID), textOrNull(t.DeckyID), t.Tactic, t.TechniqueID, textOrNull(t.SubTechniqueID),
		t.Confidence, t.RuleID, int64(t.RuleVersion), string(t.Evidence), t.AttackRelease,
		t.ObservedAt.UnixMicro(), t.IngestedAt.UnixMicro(), t.BatchUUID[:], int64(keyOf(t)))
}
