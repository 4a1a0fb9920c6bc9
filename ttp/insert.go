package ttp

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listStoredTagUUIDs  = many((*sqlitegen.Queries).ListStoredTagUUIDs, (*mysqlgen.Queries).ListStoredTagUUIDs, toID, toID)
	lockTagUUIDs        = many((*sqlitegen.Queries).LockTagUUIDs, (*mysqlgen.Queries).LockTagUUIDs, toID, toID)
	listTagUUIDsInBatch = many((*sqlitegen.Queries).ListTagUUIDsInBatch, (*mysqlgen.Queries).ListTagUUIDsInBatch, toID, toID)
)

const (
	// insertChunkRows is the number of rows in one statement; more gain nothing.
	insertChunkRows = 500
	// insertProbeRows is the number of rows in the first, by which a call finds out whether its rows
	// are stored already.
	insertProbeRows = 32
	// insertChunkBytes keeps a statement below the smallest max_allowed_packet in use, 4 MiB, even when
	// every byte of its evidence is escaped.
	insertChunkBytes = 1 << 20
)

// Outcome is what InsertTags did with a row.
type Outcome uint8

// The outcomes there are; the zero Outcome is none of them.
const (
	Inserted   Outcome = iota + 1 // written by this call
	Duplicate                     // already stored, or given earlier in the same call: left as it was
	BelowFloor                    // not written, since its confidence is below the store's floor
	Tombstoned                    // not written, since it was removed with a tombstone
)

var outcomeNames = []string{"unknown", Inserted: "inserted", Duplicate: "duplicate", BelowFloor: "below_floor", Tombstoned: "tombstoned"}

// String returns the outcome as JSON and reports spell it.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return outcomeNames[0]
}

// MarshalText returns the outcome's String.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads what MarshalText returned.
func (o *Outcome) UnmarshalText(text []byte) error {
	i := slices.Index(outcomeNames, string(text))
	if i < 1 {
		return fmt.Errorf("ttp: unknown outcome %q", text)
	}
	*o = Outcome(i)
	return nil
}

// InsertResult says what a call of InsertTags did.
type InsertResult struct {
	// BatchUUID is the batch_uuid of the rows that this call wrote, a UUIDv7.
	BatchUUID uuid.UUID `json:"batch_uuid"`
	// Outcomes holds one outcome for each tag of the call, in the same order.
	Outcomes []Outcome `json:"outcomes"`
	// Inserted is the number of rows that this call wrote.
	Inserted int `json:"inserted"`
	// Techniques are the distinct technique ids of the rows that this call wrote, sorted.
	Techniques []string `json:"techniques"`
}

// Count returns the number of tags with this outcome.
func (r InsertResult) Count(o Outcome) int {
	n := 0
	for _, outcome := range r.Outcomes {
		if outcome == o {
			n++
		}
	}
	return n
}

// InsertTags writes the tags that are not stored yet, all in one transaction, and says what it did with
// each. The first write wins: a tag that is stored is left as it is, so that the same events may be
// replayed any number of times. Of callers that race for a tag, exactly one sees [Inserted]. What was removed
// with a [Tombstone] stays away.
//
// It returns an [*InvalidError] that lists every tag that breaks a rule of its fields ([ErrInvalidTag]),
// and [ErrBusy] when the database stayed locked through all retries. After an error nothing is written.
func (s *Store) InsertTags(ctx context.Context, tags []Tag) (InsertResult, error) {
	const op = "insert tags"
	batch, err := uuid.NewV7()
	if err != nil {
		return InsertResult{}, s.fail(ctx, op, err)
	}
	rows, problems := stamp(tags, batch, s.now())
	if len(problems) > 0 {
		return InsertResult{}, s.fail(ctx, op, &InvalidError{Kind: ErrInvalidTag, Problems: problems})
	}
	w := s.newTagWrite(rows, batch)
	if _, err := update(ctx, s, op, func(q queries) (int, error) { return w.write(ctx, q) }); err != nil {
		return InsertResult{}, err
	}
	return w.result(), nil
}

// stamp returns the tags as they are stored, or all that is wrong with them.
func stamp(tags []Tag, batch uuid.UUID, now time.Time) ([]Tag, []Problem) {
	stamped := slices.Clone(tags)
	var problems []Problem
	for i := range stamped {
		tag := &stamped[i]
		problems = append(problems, at(RowPlace, i, tag.canonicalize())...)
		tag.BatchUUID, tag.IngestedAt = batch, now
	}
	return stamped, problems
}

// tagWrite is what one call has to write.
type tagWrite struct {
	tags     []Tag     // in input order
	outcomes []Outcome // in input order; 0 where the database decides
	// rows are the tags to write, each once, in uuid order: so that racing calls do not deadlock. index
	// says where each is in the input.
	rows  []*Tag
	index []int
	// batch is of all rows; uuid.Nil where each has its own.
	batch uuid.UUID
	// inCallers means a transaction of the caller's, in which a plain read may tell of an old state.
	inCallers  bool
	written    []bool             // rows that were new
	tombstoned map[uuid.UUID]bool // rows that were new and that a tombstone keeps out
}

// errRaced sends the transaction around again.
var errRaced = fmt.Errorf("%w: another writer wrote the same tags meanwhile", ErrBusy)

// newTagWrite orders tags that are in their stored form. Those below the floor never reach the database;
// of those with one uuid, the first of the input does.
func (s *Store) newTagWrite(tags []Tag, batch uuid.UUID) *tagWrite {
	w := &tagWrite{tags: tags, outcomes: make([]Outcome, len(tags)), batch: batch, inCallers: s.tx != nil}
	order := make([]int, 0, len(tags))
	for i := range tags {
		if tags[i].Confidence < s.floor {
			w.outcomes[i] = BelowFloor
			continue
		}
		order = append(order, i)
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(bytes.Compare(tags[a].UUID[:], tags[b].UUID[:]), cmp.Compare(a, b))
	})
	for _, i := range order {
		if n := len(w.rows); n > 0 && w.rows[n-1].UUID == tags[i].UUID {
			w.outcomes[i] = Duplicate
			continue
		}
		w.rows = append(w.rows, &tags[i])
		w.index = append(w.index, i)
	}
	return w
}

// write writes the rows, finds out which were new and counts these. While rows turn out to be stored, it
// looks before it inserts: a row that is not sent is much cheaper than a duplicate.
func (w *tagWrite) write(ctx context.Context, q queries) (inserted int, err error) {
	w.written, w.tombstoned = make([]bool, len(w.rows)), map[uuid.UUID]bool{}
	precheck := true
	for chunk := range w.chunks() {
		rows := chunk
		if w.mustPrecheck() || (precheck && !w.inCallers) {
			if rows, err = w.missing(ctx, q, chunk); err != nil {
				return 0, err
			}
		}
		n := 0
		if len(rows) > 0 {
			if n, err = w.insert(ctx, q, rows); err != nil {
				return 0, err
			}
		}
		inserted += n
		precheck = n < len(chunk)
	}
	if inserted == 0 {
		return 0, nil
	}
	kept, err := w.takeBack(ctx, q, w.insertedRows())
	if err != nil || len(kept) == 0 {
		return 0, err
	}
	return len(kept), q.addTechniqueCounts(ctx, q.db, countsOf(kept, 1)) // last, since all writers meet there
}

// mustPrecheck: only by looking can a call tell which rows were new that are of no batch of its own.
func (w *tagWrite) mustPrecheck() bool { return w.batch == uuid.Nil }

// insert writes rows and marks those that were new. It asks only where they were new in part.
func (w *tagWrite) insert(ctx context.Context, q queries, rows []*Tag) (int, error) {
	n, err := q.insertTags(ctx, q.db, rows)
	switch {
	case err != nil || n == 0:
		return 0, err
	case n == int64(len(rows)):
		for _, row := range rows {
			w.mark(row.UUID)
		}
		return len(rows), nil
	case w.mustPrecheck():
		return 0, errRaced
	}
	ids, err := listTagUUIDsInBatch(ctx, q, args{BatchUUID: w.batch[:], UUIDs: tagUUIDs(rows)})
	for _, id := range ids {
		w.mark(id)
	}
	return len(ids), err
}

func (w *tagWrite) mark(id uuid.UUID) {
	i, _ := slices.BinarySearchFunc(w.rows, id, func(row *Tag, id uuid.UUID) int { return bytes.Compare(row.UUID[:], id[:]) })
	w.written[i] = true
}

// insertedRows are the rows that were new.
func (w *tagWrite) insertedRows() []*Tag {
	var rows []*Tag
	for i, row := range w.rows {
		if w.written[i] {
			rows = append(rows, row)
		}
	}
	return rows
}

// missing returns the rows that are not stored.
func (w *tagWrite) missing(ctx context.Context, q queries, rows []*Tag) ([]*Tag, error) {
	read := listStoredTagUUIDs
	if w.inCallers {
		read = lockTagUUIDs
	}
	ids, err := read(ctx, q, args{UUIDs: tagUUIDs(rows)})
	return without(rows, ids), err
}

// takeBack deletes what was written of tags that a tombstone keeps out, and returns the rest. It comes after
// the writing, since only then no removal of the same rows can be under way; where there are no tombstones,
// it costs one small read.
func (w *tagWrite) takeBack(ctx context.Context, q queries, rows []*Tag) ([]*Tag, error) {
	read := lockBuriedTags
	if !w.inCallers { // where the answer could be an old one
		if any, err := anyTombstone(ctx, q, args{}); err != nil || len(any) == 0 {
			return rows, err
		}
		read = listBuriedTagUUIDs
	}
	var kept []*Tag
	for chunk := range slices.Chunk(rows, insertChunkRows) {
		ids, err := read(ctx, q, args{UUIDs: tagUUIDs(chunk)})
		if err != nil {
			return nil, err
		}
		if len(ids) > 0 {
			if _, err := deleteTags(ctx, q, args{UUIDs: idBytes(ids)}); err != nil {
				return nil, err
			}
		}
		for _, id := range ids {
			w.tombstoned[id] = true
		}
		kept = append(kept, without(chunk, ids)...)
	}
	return kept, nil
}

// without returns the rows whose uuids are not among ids, in their order.
func without(rows []*Tag, ids []uuid.UUID) []*Tag {
	if len(ids) == 0 {
		return rows
	}
	out := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	kept := make([]*Tag, 0, len(rows))
	for _, row := range rows {
		if !out[row.UUID] {
			kept = append(kept, row)
		}
	}
	return kept
}

// chunks cuts the rows into statements bounded in rows and bytes, the first of them small.
func (w *tagWrite) chunks() iter.Seq[[]*Tag] {
	return func(yield func([]*Tag) bool) {
		start, size, most := 0, 0, insertProbeRows
		for i, tag := range w.rows {
			if i-start == most || (i > start && size+len(tag.Evidence) > insertChunkBytes) {
				if !yield(w.rows[start:i]) {
					return
				}
				start, size, most = i, 0, insertChunkRows
			}
			size += len(tag.Evidence)
		}
		if start < len(w.rows) {
			yield(w.rows[start:])
		}
	}
}

func (w *tagWrite) result() InsertResult {
	r := InsertResult{BatchUUID: w.batch, Outcomes: w.outcomes, Techniques: []string{}}
	for row, i := range w.index {
		w.outcomes[i] = Duplicate
		if w.tombstoned[w.rows[row].UUID] {
			w.outcomes[i] = Tombstoned
		} else if w.written[row] {
			w.outcomes[i] = Inserted
			r.Inserted++
			r.Techniques = append(r.Techniques, w.tags[i].TechniqueID)
		}
	}
	slices.Sort(r.Techniques)
	r.Techniques = slices.Compact(r.Techniques)
	return r
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

func tagUUIDs(tags []*Tag) [][]byte {
	ids := make([][]byte, len(tags))
	for i, tag := range tags {
		ids[i] = tag.UUID[:]
	}
	return ids
}
