package ttp

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
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
// and [ErrBusy] when the database stayed locked through all retries. After these nothing is written. After another
// error, such as a connection that is lost or a context that ends during COMMIT, either all of the call is written
// or nothing. Call again then: the replay writes what is missing, and what the first call wrote is a [Duplicate].
func (s *Store) InsertTags(ctx context.Context, tags []Tag) (InsertResult, error) {
	const op = "insert tags"
	batch, err := uuid.NewV7()
	if err != nil {
		return InsertResult{}, s.fail(ctx, op, err)
	}
	stamped, problems := stamp(tags, batch, s.now())
	if len(problems) > 0 {
		return InsertResult{}, s.fail(ctx, op, &InvalidError{Kind: ErrInvalidTag, Problems: problems})
	}
	call := &insertCall{ctx: ctx, tags: stamped, batch: batch, outcomes: make([]Outcome, len(stamped))}
	if err := s.insert(call); err != nil {
		return InsertResult{}, s.fail(ctx, op, err)
	}
	return call.result(), nil
}

// insertCall is one call of InsertTags.
type insertCall struct {
	ctx      context.Context //nolint:containedctx // of the caller who waits, whoever runs the transaction
	tags     []Tag           // in input order, as they are stored
	batch    uuid.UUID
	outcomes []Outcome // in input order
	group    groupSeat
}

// insert writes the call in a transaction of its own or, if it is small, in one that it shares.
func (s *Store) insert(call *insertCall) error {
	if s.tx == nil && s.groups != nil && s.groups.admits(call) {
		return s.groups.insert(s, call)
	}
	return s.insertCalls(call.ctx, call)
}

// insertCalls writes the tags of all calls in one transaction.
func (s *Store) insertCalls(ctx context.Context, calls ...*insertCall) error {
	w := tagWrite{inCallers: s.tx != nil}
	for _, call := range calls {
		w.batches = append(w.batches, call.batch[:])
		w.add(call.tags, call.outcomes, s.floor)
	}
	_, err := transact(ctx, s, func(q queries) (struct{}, error) { return struct{}{}, w.write(ctx, q) })
	return err
}

func (call *insertCall) result() InsertResult {
	r := InsertResult{BatchUUID: call.batch, Outcomes: call.outcomes, Techniques: []string{}}
	for i, outcome := range call.outcomes {
		if outcome == Inserted {
			r.Inserted++
			r.Techniques = append(r.Techniques, call.tags[i].TechniqueID)
		}
	}
	slices.Sort(r.Techniques)
	r.Techniques = slices.Compact(r.Techniques)
	return r
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
