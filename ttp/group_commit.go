package ttp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// DefaultGroupRows is the default maximum number of tags in a shared transaction. See [WithGroupCommit].
	DefaultGroupRows = 1000
	// groupBytes is the maximum size of the evidence of the tags in a shared transaction.
	groupBytes = 1 << 20
	// groupCallRows is the maximum number of tags of a call that shares a transaction. On MySQL, larger calls are faster
	// in transactions of their own, which run at the same time.
	groupCallRows = 100
	// secondGroupRows is the number of waiting tags at which an engine may execute a second group at the same time.
	// Smaller groups are faster one after the other.
	secondGroupRows = 32
)

// WithGroupCommit sets the maximum number of tags that concurrent calls of [Store.InsertTags] write in a shared
// transaction, [DefaultGroupRows] by default. Calls of more than 100 tags use a transaction of their own; with 0, all
// calls do.
//
// Each call stays atomic, with its own batch, outcomes and errors. No call waits for others to arrive. If another
// transaction holds locks on a tag of one call, the calls of its group and those behind it wait too, and may return
// [ErrBusy].
func WithGroupCommit(rows int) Option {
	return func(s *Store) error {
		if rows < 0 {
			return fmt.Errorf("the rows of a group commit must not be negative: %d", rows)
		}
		s.groups = nil
		if rows > 0 {
			s.groups = &groupCommit{maxRows: rows}
		}
		return nil
	}
}

// groupCommit runs concurrent small calls of InsertTags in shared transactions, one at a time, or two on MySQL. Calls
// that arrive during a transaction share the next one.
type groupCommit struct {
	maxRows int

	mu      sync.Mutex
	waiting []*insertCall // in order of arrival
	rows    int           // number of tags of waiting
	running int           // number of goroutines that execute run
}

// groupState is the state of a call in a groupCommit.
type groupState struct {
	done  chan error // receives the result once
	alone bool       // whether the transaction is not shared; set under the lock by take
}

// admits reports whether the call is small enough to share a transaction.
func (g *groupCommit) admits(call *insertCall) bool {
	return len(call.tags) <= min(g.maxRows, groupCallRows) && evidenceBytes(call) <= groupBytes
}

// insert waits for the call's transaction or the end of its context. If the context ends before the transaction
// begins, nothing is written; if it ends during a shared transaction, the outcome is unknown.
func (g *groupCommit) insert(s *Store, call *insertCall) error {
	for i := range call.tags { // the caller may reuse its evidence after a cancellation
		call.tags[i].Evidence = bytes.Clone(call.tags[i].Evidence)
	}
	call.group.done = make(chan error, 1)
	g.mu.Lock()
	g.waiting, g.rows = append(g.waiting, call), g.rows+len(call.tags)
	if g.running == 0 || (g.running == 1 && g.rows >= secondGroupRows && s.engine.secondGroup()) {
		g.running++
		go g.run(s)
	}
	g.mu.Unlock()
	select {
	case err := <-call.group.done:
		return err
	case <-call.ctx.Done():
		return g.abandon(call)
	}
}

func (g *groupCommit) abandon(call *insertCall) error {
	g.mu.Lock()
	i := slices.Index(g.waiting, call)
	if i >= 0 {
		g.waiting, g.rows = slices.Delete(g.waiting, i, i+1), g.rows-len(call.tags)
	}
	g.mu.Unlock()
	if i < 0 && call.group.alone { // its transaction uses the same context
		return <-call.group.done
	}
	select {
	case err := <-call.group.done:
		return err
	default:
	}
	if i < 0 {
		return fmt.Errorf("%w: %w", ErrUnknownOutcome, call.ctx.Err())
	}
	return call.ctx.Err()
}

// run executes groups until no call is waiting, or too few for two groups at a time.
func (g *groupCommit) run(s *Store) {
	for {
		runtime.Gosched() // lets callers of the previous group join the next one
		calls := g.take()
		if len(calls) == 0 {
			return
		}
		s.insertGroup(calls)
	}
}

// take removes and returns the calls of the next group. It returns none when run must end.
func (g *groupCommit) take() []*insertCall {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running > 1 && g.rows < secondGroupRows {
		g.running--
		return nil
	}
	n, rows, size := 0, 0, 0
	for _, call := range g.waiting {
		if n > 0 && (rows+len(call.tags) > g.maxRows || size+evidenceBytes(call) > groupBytes) {
			break
		}
		n, rows, size = n+1, rows+len(call.tags), size+evidenceBytes(call)
	}
	calls := slices.Clone(g.waiting[:n])
	g.waiting, g.rows = slices.Delete(g.waiting, 0, n), g.rows-rows
	if n == 0 {
		g.running--
	}
	for _, call := range calls {
		call.group.alone = n == 1
	}
	return calls
}

// insertGroup runs a group. If its transaction fails permanently, each call runs in a transaction of its own, so
// that only faulty calls fail.
func (s *Store) insertGroup(calls []*insertCall) {
	if len(calls) == 1 {
		calls[0].group.done <- s.insertCalls(calls[0].ctx, calls[0])
		return
	}
	ctx, cancel := joinContexts(calls)
	defer cancel()
	err := s.insertCalls(ctx, calls...)
	for _, call := range calls {
		if err != nil && ctx.Err() == nil && !s.engine.retryable(err) && !errors.Is(err, ErrUnknownOutcome) {
			call.group.done <- s.insertCalls(call.ctx, call)
		} else {
			call.group.done <- err
		}
	}
}

// joinContexts returns a context that is cancelled once the contexts of all calls are.
func joinContexts(calls []*insertCall) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(calls[0].ctx))
	waiting := new(atomic.Int64)
	waiting.Store(int64(len(calls)))
	stops := make([]func() bool, len(calls))
	for i, call := range calls {
		stops[i] = context.AfterFunc(call.ctx, func() {
			if waiting.Add(-1) == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}

func evidenceBytes(call *insertCall) int {
	n := 0
	for i := range call.tags {
		n += len(call.tags[i].Evidence)
	}
	return n
}
