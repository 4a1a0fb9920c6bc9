package ttp

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

const (
	// insertChunkRows is the number of rows in one statement on MySQL; more gain nothing.
	insertChunkRows = 250
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
)

// String returns the outcome as records and reports spell it.
func (o Outcome) String() string {
	switch o {
	case Inserted:
		return "inserted"
	case Duplicate:
		return "duplicate"
	case BelowFloor:
		return "below_floor"
	}
	return "unknown"
}

// InsertResult says what a call of InsertTags did.
type InsertResult struct {
	// BatchUUID is the batch_uuid of the rows that this call wrote, a UUIDv7.
	BatchUUID uuid.UUID
	// Outcomes holds one outcome for each tag of the call, in the same order.
	Outcomes []Outcome
	// Inserted is the number of rows that this call wrote.
	Inserted int
	// Techniques are the distinct technique ids of the rows that this call wrote, sorted.
	Techniques []string
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
// replayed any number of times. Of callers that race for a tag, exactly one sees [Inserted].
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
	w := newTagWrite(rows, s.floor)
	written, err := update(ctx, s, op, func(q queries) (map[uuid.UUID]bool, error) { return w.exactly(ctx, q, batch) })
	if err != nil {
		return InsertResult{}, err
	}
	return w.result(batch, written), nil
}

// stamp returns the tags as they are stored, or all that is wrong with them.
func stamp(tags []Tag, batch uuid.UUID, now time.Time) ([]Tag, []Problem) {
	stamped := make([]Tag, len(tags))
	var problems []Problem
	for i, tag := range tags {
		tag, found := tag.canonical()
		problems = append(problems, at(i, found)...)
		tag.BatchUUID, tag.IngestedAt = batch, now
		stamped[i] = tag
	}
	return stamped, problems
}

// tagWrite is what one call has to write.
type tagWrite struct {
	tags     []Tag     // in input order
	outcomes []Outcome // in input order; 0 where the database decides
	rows     []*Tag    // those to write, each once, in uuid order: so that racing calls do not deadlock
}

// newTagWrite orders tags that are in their stored form. Those below the floor never reach the database.
func newTagWrite(tags []Tag, floor float64) *tagWrite {
	w := &tagWrite{tags: tags, outcomes: make([]Outcome, len(tags))}
	rows := make([]int, 0, len(tags))
	for i := range tags {
		if tags[i].Confidence < floor {
			w.outcomes[i] = BelowFloor
			continue
		}
		rows = append(rows, i)
	}
	w.order(rows)
	return w
}

// order sorts the rows by uuid; of those with one uuid it keeps the first of the input.
func (w *tagWrite) order(rows []int) {
	slices.SortFunc(rows, func(a, b int) int {
		return cmp.Or(bytes.Compare(w.tags[a].UUID[:], w.tags[b].UUID[:]), cmp.Compare(a, b))
	})
	w.rows = make([]*Tag, 0, len(rows))
	for i, row := range rows {
		if i > 0 && w.tags[row].UUID == w.tags[rows[i-1]].UUID {
			w.outcomes[row] = Duplicate
			continue
		}
		w.rows = append(w.rows, &w.tags[row])
	}
}

// count writes the rows and returns how many were new.
func (w *tagWrite) count(ctx context.Context, q queries) (int, error) {
	written := 0
	for chunk := range w.chunks() {
		n, err := q.insertTags(ctx, chunk)
		if err != nil {
			return 0, err
		}
		written += int(n)
	}
	return written, nil
}

// exactly writes the rows and returns which were new. It asks only about chunks that were new in part.
func (w *tagWrite) exactly(ctx context.Context, q queries, batch uuid.UUID) (map[uuid.UUID]bool, error) {
	written := make(map[uuid.UUID]bool, len(w.rows))
	for chunk := range w.chunks() {
		n, err := q.insertTags(ctx, chunk)
		switch {
		case err != nil:
			return nil, err
		case n == 0:
		case n == int64(len(chunk)):
			for _, tag := range chunk {
				written[tag.UUID] = true
			}
		default:
			ids, err := q.tagUUIDsInBatch(ctx, batch, chunk)
			if err != nil {
				return nil, err
			}
			for _, id := range ids {
				written[id] = true
			}
		}
	}
	return written, nil
}

// chunks cuts the rows into statements bounded in rows and bytes.
func (w *tagWrite) chunks() iter.Seq[[]*Tag] {
	return func(yield func([]*Tag) bool) {
		start, size := 0, 0
		for i, tag := range w.rows {
			if i-start == insertChunkRows || (i > start && size+len(tag.Evidence) > insertChunkBytes) {
				if !yield(w.rows[start:i]) {
					return
				}
				start, size = i, 0
			}
			size += len(tag.Evidence)
		}
		if start < len(w.rows) {
			yield(w.rows[start:])
		}
	}
}

func (w *tagWrite) result(batch uuid.UUID, written map[uuid.UUID]bool) InsertResult {
	r := InsertResult{BatchUUID: batch, Outcomes: w.outcomes, Inserted: len(written)}
	for i := range w.tags {
		if w.outcomes[i] != 0 {
			continue
		}
		w.outcomes[i] = Duplicate
		if written[w.tags[i].UUID] {
			w.outcomes[i] = Inserted
			r.Techniques = append(r.Techniques, w.tags[i].TechniqueID)
		}
	}
	slices.Sort(r.Techniques)
	r.Techniques = slices.Compact(r.Techniques)
	return r
}

// insertParams is InsertTag's input, as each dialect generates it.
type insertParams interface {
	sqlitegen.InsertTagParams | mysqlgen.InsertTagParams
}

func insertTagParams[P insertParams](t *Tag) P {
	return P(sqlitegen.InsertTagParams{
		UUID:           t.UUID[:],
		SourceKind:     t.SourceKind,
		SourceID:       t.SourceID,
		AttackerUUID:   nullID(t.AttackerUUID),
		IdentityUUID:   nullID(t.IdentityUUID),
		SessionID:      nullText(t.SessionID),
		DeckyID:        nullText(t.DeckyID),
		Tactic:         t.Tactic,
		TechniqueID:    t.TechniqueID,
		SubTechniqueID: nullText(t.SubTechniqueID),
		Confidence:     t.Confidence,
		RuleID:         t.RuleID,
		RuleVersion:    int64(t.RuleVersion),
		Evidence:       string(t.Evidence),
		AttackRelease:  t.AttackRelease,
		ObservedAt:     t.ObservedAt.UnixMicro(),
		IngestedAt:     t.IngestedAt.UnixMicro(),
		BatchUUID:      t.BatchUUID[:],
	})
}

// tagRow is a stored tag, as each dialect generates it.
type tagRow interface {
	sqlitegen.TtpTag | mysqlgen.TtpTag
}

func toTag[R tagRow](row R) Tag {
	r := sqlitegen.TtpTag(row)
	return Tag{
		UUID:           toID(r.UUID),
		SourceKind:     r.SourceKind,
		SourceID:       r.SourceID,
		AttackerUUID:   toID(r.AttackerUUID),
		IdentityUUID:   toID(r.IdentityUUID),
		SessionID:      r.SessionID.String,
		DeckyID:        r.DeckyID.String,
		Tactic:         r.Tactic,
		TechniqueID:    r.TechniqueID,
		SubTechniqueID: r.SubTechniqueID.String,
		Confidence:     r.Confidence,
		RuleID:         r.RuleID,
		RuleVersion:    int(r.RuleVersion),
		Evidence:       []byte(r.Evidence),
		AttackRelease:  r.AttackRelease,
		ObservedAt:     toTime(r.ObservedAt),
		IngestedAt:     toTime(r.IngestedAt),
		BatchUUID:      toID(r.BatchUUID),
	}
}

func tagUUIDs(tags []*Tag) [][]byte {
	ids := make([][]byte, len(tags))
	for i, tag := range tags {
		ids[i] = tag.UUID[:]
	}
	return ids
}
