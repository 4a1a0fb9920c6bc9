package ttp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"
)

// Outcome is the result of InsertTags for one tag.
type Outcome uint8

// The outcomes of InsertTags. The zero Outcome is not one of them.
const (
	Inserted   Outcome = iota + 1 // written by this call
	Duplicate                     // already stored, or repeated within the call
	BelowFloor                    // not written: its confidence is below the write floor
	Tombstoned                    // not written: it was removed with a tombstone
)

var outcomeNames = []string{"unknown", Inserted: "inserted", Duplicate: "duplicate", BelowFloor: "below_floor", Tombstoned: "tombstoned"}

// String returns the outcome in snake_case, such as "below_floor".
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return outcomeNames[0]
}

// MarshalText returns the same text as String.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText parses the text of MarshalText.
func (o *Outcome) UnmarshalText(text []byte) error {
	i := slices.Index(outcomeNames, string(text))
	if i < 1 {
		return fmt.Errorf("ttp: unknown outcome %q", text)
	}
	*o = Outcome(i)
	return nil
}

// InsertResult is the result of InsertTags.
type InsertResult struct {
	// BatchUUID is the batch_uuid of the tags that this call wrote, a UUIDv7.
	BatchUUID uuid.UUID `json:"batch_uuid"`
	// Outcomes holds the outcome of each tag, in input order.
	Outcomes []Outcome `json:"outcomes"`
	// Inserted is the number of tags that this call wrote.
	Inserted int `json:"inserted"`
	// Techniques holds the distinct technique IDs of the tags that this call wrote, sorted.
	Techniques []string `json:"techniques"`
}

// Count returns the number of tags with the outcome.
func (r InsertResult) Count(o Outcome) int {
	n := 0
	for _, outcome := range r.Outcomes {
		if outcome == o {
			n++
		}
	}
	return n
}

// InsertTags writes the tags that are not stored yet in one transaction and returns the outcome of each tag. It is
// idempotent: the first write of a tag wins, and a replay changes nothing. If several callers write the same tag
// concurrently, exactly one of them gets [Inserted]. Tags that were removed with a [Tombstone] are not written.
//
// It returns an [*InvalidError] ([ErrInvalidTag]) that lists every invalid field of every tag, and [ErrBusy] if all
// retries failed. If the reply to COMMIT is lost, it runs again and recognizes its own tags, so that a result is always
// exact; if that fails too, it returns [ErrUnknownOutcome]: either all of the call is written or nothing, or possibly a
// part on a server without [Capabilities].AtomicCommits. After any other error nothing is written. The call may be
// repeated after every error; after ErrUnknownOutcome, the replay returns [Duplicate] for tags that the first call wrote.
func (s *Store) InsertTags(ctx context.Context, tags []Tag) (result InsertResult, err error) {
	const op = "insert tags"
	observed, attempts := s.observe(ctx, op), new(atomic.Int64)
	defer func() {
		observed(Observation{Rows: len(tags), Outcomes: outcomesOf(result.Outcomes), Attempts: int(attempts.Load())}, err)
	}()
	batch, err := uuid.NewV7()
	if err != nil {
		return InsertResult{}, s.fail(ctx, op, err)
	}
	stamped, problems := stamp(tags, batch, s.now())
	if len(problems) > 0 {
		return InsertResult{}, s.fail(ctx, op, &InvalidError{Kind: ErrInvalidTag, Problems: problems})
	}
	call := &insertCall{ctx: ctx, attempts: attempts, tags: stamped, batch: batch, outcomes: make([]Outcome, len(stamped))}
	if err := s.insert(call); err != nil {
		return InsertResult{}, s.fail(ctx, op, err)
	}
	return call.result(), nil
}

// insertCall is one call of InsertTags.
type insertCall struct {
	ctx      context.Context //nolint:containedctx // of the waiting caller, which may differ from the transaction's
	tags     []Tag           // in input order and canonical form
	batch    uuid.UUID
	outcomes []Outcome     // in input order
	attempts *atomic.Int64 // of its transactions
	group    groupState
}

// insert writes the call in a shared transaction if it is small, otherwise in one of its own.
func (s *Store) insert(call *insertCall) error {
	if err := s.usable(call.ctx); err != nil {
		return err // before the call delays others of its group
	}
	if s.tx == nil && s.groups != nil && s.groups.admits(call) {
		return s.groups.insert(s, call)
	}
	return s.insertCalls(call.ctx, call)
}

// insertCalls writes the tags of all calls in one transaction.
func (s *Store) insertCalls(ctx context.Context, calls ...*insertCall) error {
	w := tagWrite{inCallerTx: s.tx != nil, tombstones: s.tombstones}
	for _, call := range calls {
		w.batches = append(w.batches, call.batch[:])
		w.add(call.tags, call.outcomes, s.floor)
	}
	write := func() (struct{}, error) {
		return transact(ctx, s, func(q queries) (struct{}, error) {
			for _, call := range calls {
				call.attempts.Add(1)
			}
			return struct{}{}, w.write(ctx, q)
		})
	}
	_, err := write()
	if !errors.Is(err, ErrUnknownOutcome) {
		return err
	}
	w.resumed = true
	_, resumed := backoff.Retry(ctx, write, backoff.WithBackOff(retryPauses()), backoff.WithMaxElapsedTime(s.retries.within))
	if resumed != nil {
		return fmt.Errorf("%w; running it again: %w", err, resumed)
	}
	if s.engine.sharded() {
		_ = s.recount(ctx) // the tags are committed; until a later recount, the fleet's rollup counts the tags of stale groups
	}
	return nil
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

// stamp returns the tags in canonical form with their batch and time, or their problems.
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
