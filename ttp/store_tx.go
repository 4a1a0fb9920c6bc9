package ttp

import (
	"context"
	"database/sql"
	"errors"
)

// Tx runs a transaction of the store's, in which a service writes rows of its own together with tags. It commits if
// run returns nil, and otherwise rolls back and returns run's error. The transaction runs like the store's own writes:
// on the store's pool, in the queue of writers, and with retries. Tx calls run again after a conflict with another
// transaction, so run must change nothing but the database; [ErrBusy] is returned once all retries failed.
//
// In run, use the tx for SQL, the store for calls of this package, and the context for both. The outer store refuses
// calls with this context, since they would wait for the transaction that they are part of. A transaction on a SQLite
// file keeps all other writers waiting: do slow work before it.
func (s *Store) Tx(ctx context.Context, run func(ctx context.Context, tx *sql.Tx, s *Store) error) error {
	const op = "run transaction"
	if s.tx != nil {
		return s.fail(ctx, op, errors.New("not inside a transaction: call it on the store itself"))
	}
	if err := s.usable(ctx); err != nil {
		return s.fail(ctx, op, err)
	}
	observed, attempts := s.observe(ctx, op), 0
	inside := context.WithValue(ctx, insideTx{}, s.write)
	var failed error // the error of run, returned unchanged
	_, err := retried(ctx, s, func(tx *sql.Tx) (struct{}, error) {
		attempts++
		inner := s.WithTx(tx)
		inner.txQueries = s.writes.in(tx)
		failed = run(inside, tx, inner)
		return struct{}{}, failed
	})
	observed(Observation{Attempts: attempts}, err)
	if err == failed { //nolint:errorlint // the same error, not one of its kind
		return err
	}
	return s.fail(ctx, op, err)
}

// insideTx is the key of the pool in the contexts that Tx makes.
type insideTx struct{}

// refuseInsideTx refuses calls of a store within its own Tx.
func (s *Store) refuseInsideTx(ctx context.Context) error {
	if s.tx == nil && ctx.Value(insideTx{}) == s.write {
		return errors.New("called inside Store.Tx: use the store that Tx passes")
	}
	return nil
}
