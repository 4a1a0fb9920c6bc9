package ttp

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// DefaultGroupRows bounds the tags of concurrent calls of [Store.InsertTags] that share a transaction.
	DefaultGroupRows = 1000
	// groupBytes bounds their evidence.
	groupBytes = 1 << 20
)

// WithGroupCommit bounds the tags of concurrent calls of [Store.InsertTags] that share a transaction, instead of
// [DefaultGroupRows]. A call of more tags has a transaction of its own; at 0 every call has.
//
// Sharing changes no promise: each call is all or nothing, with its own batch, outcomes and errors. No call
// waits for others to come.
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

// groupCommit runs concurrent small calls of InsertTags in shared transactions, one at a time: the calls that
// arrive during one share the next.
type groupCommit struct {
	maxRows int

	mu      sync.Mutex
	waiting []*insertCall // in order of arrival
	running bool          // a goroutine runs groups until none waits
}

// groupSeat is a call's place in a group.
type groupSeat struct {
	done  chan error // receives the outcome once
	alone bool       // the call shares its transaction with none; set under the lock when it is taken
}

// admits reports whether the call is small enough to share a transaction.
func (g *groupCommit) admits(call *insertCall) bool {
	return len(call.tags) <= g.maxRows && evidenceBytes(call) <= groupBytes
}

// insert waits for the call's transaction, or for the end of its context. A call whose context ends before its
// transaction begins is not written; of one that shares its transaction, nobody knows.
func (g *groupCommit) insert(s *Store, call *insertCall) error {
	for i := range call.tags { // the caller may change its own after it has given up
		call.tags[i].Evidence = bytes.Clone(call.tags[i].Evidence)
	}
	call.group.done = make(chan error, 1)
	g.mu.Lock()
	g.waiting = append(g.waiting, call)
	if !g.running {
		g.running = true
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
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	g.mu.Unlock()
	if i < 0 && call.group.alone { // its transaction has the same context
		return <-call.group.done
	}
	select {
	case err := <-call.group.done:
		return err
	default:
		return call.ctx.Err()
	}
}

// run runs groups until no call waits.
func (g *groupCommit) run(s *Store) {
	for {
		runtime.Gosched() // the callers of the last group, if they are back at once, share the next
		calls := g.take()
		if len(calls) == 0 {
			return
		}
		s.insertGroup(calls)
	}
}

// take returns the calls of the next group, and none when run has to end.
func (g *groupCommit) take() []*insertCall {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, rows, size := 0, 0, 0
	for _, call := range g.waiting {
		rows, size = rows+len(call.tags), size+evidenceBytes(call)
		if n > 0 && (rows > g.maxRows || size > groupBytes) {
			break
		}
		n++
	}
	calls := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	g.running = n > 0
	for _, call := range calls {
		call.group.alone = n == 1
	}
	return calls
}

// insertGroup runs a group. If the database refuses its transaction, each call is run by itself, so that only
// the one that it refuses fails.
func (s *Store) insertGroup(calls []*insertCall) {
	if len(calls) == 1 {
		calls[0].group.done <- s.insertCalls(calls[0].ctx, calls[0])
		return
	}
	ctx, cancel := whileAnyWaits(calls)
	defer cancel()
	err := s.insertCalls(ctx, calls...)
	for _, call := range calls {
		if err != nil && ctx.Err() == nil && !s.engine.retryable(err) {
			call.group.done <- s.insertCalls(call.ctx, call)
		} else {
			call.group.done <- err
		}
	}
}

// whileAnyWaits returns a context that ends when those of all calls have.
func whileAnyWaits(calls []*insertCall) (context.Context, context.CancelFunc) {
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
