package ttp

import (
	"context"
	"database/sql"
	"errors"
)

// Tx runs a transaction of the store's, in which a service writes rows of its own together with tags. It commits if
// run returns nil, and otherwise rolls back and returns run's error. The transaction runs like the store's own writes:
// on the store's pool, in the queue of writers, and with retries. Tx calls run again after a conflict with another
// transaction, or if the connection was lost before COMMIT was sent, so run must change nothing but the database. Tx
// returns [ErrBusy] once all retries failed, and [ErrUnknownOutcome] if the reply to COMMIT was lost; then all rows or
// none are written, or possibly a part on a server without [Capabilities].AtomicCommits. Repeating the call is safe for
// tags, but writes other rows again unless run prevents it.
//
// In run, use the tx for SQL, the store for calls of this package, and the context for both. The outer store refuses
// calls with this context, since they would wait for the transaction that they are part of. A transaction on a SQLite
// file keeps all other writers waiting: do slow work before it.
func (s *Store) Tx(ctx context.Context, run func(ctx context.Context, tx *sql.Tx, s *Store) error) error {
	const op = "run transaction"
	observed, attempts := s.observe(ctx, op), 0
	err := s.runTx(ctx, &attempts, run)
	if failed, ok := err.(*runError); ok { //nolint:errorlint // not one that retried has wrapped
		err = failed.error
	} else {
		err = s.fail(ctx, op, err)
	}
	observed(Observation{Attempts: attempts}, err)
	return err
}

func (s *Store) runTx(ctx context.Context, attempts *int, run func(context.Context, *sql.Tx, *Store) error) error {
	if err := s.requireNoTx(ctx); err != nil {
		return err
	}
	if err := s.usable(ctx); err != nil {
		return err
	}
	changes := s.catalogues.changeCount()
	inside := context.WithValue(ctx, insideTx{s.write}, true)
	_, err := retried(ctx, s, func(tx *sql.Tx) (struct{}, error) {
		*attempts++
		inner := s.WithTx(tx)
		inner.txQueries = s.writes.in(tx)
		if err := run(inside, tx, inner); err != nil {
			return struct{}{}, &runError{err}
		}
		return struct{}{}, nil
	})
	if s.catalogues.changeCount() != changes { // run may have loaded a release, and another read the old ones
		s.catalogues.forget()
	}
	return err
}

// runError is an error of the function that Tx runs.
type runError struct{ error }

func (e *runError) Unwrap() error { return e.error }

// insideTx is a key of the contexts that Tx makes. Transactions of several stores may be nested.
type insideTx struct{ pool *sql.DB }

// refuseInsideTx refuses calls of a store within its own Tx.
func (s *Store) refuseInsideTx(ctx context.Context) error {
	if s.tx == nil && ctx.Value(insideTx{s.write}) != nil {
		return errors.New("called inside Store.Tx: use the store that Tx passes")
	}
	return nil
}

// requireNoTx refuses calls that cannot run inside a transaction.
func (s *Store) requireNoTx(ctx context.Context) error {
	if s.tx != nil {
		return errors.New("cannot run inside a transaction: call it on the outer store")
	}
	return s.refuseInsideTx(ctx)
}
