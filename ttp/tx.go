package ttp

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// maxAttempts bounds the attempts of a transaction that conflicts with others.
	maxAttempts = 12
	// maxRetryTime bounds their duration; a single attempt on SQLite may wait for its busy_timeout.
	maxRetryTime = 30 * time.Second
	// rollbackTimeout bounds the wait for the end of a transaction after the end of its context.
	rollbackTimeout = 5 * time.Second
)

// usable checks the schema and detects the server's properties.
func (s *Store) usable(ctx context.Context) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	return s.identify(ctx)
}

// query runs a read of one statement.
func query[T any](ctx context.Context, s *Store, op string, read func(queries) (T, error)) (T, error) {
	return observedRead(ctx, s, op, func() (T, error) { return read(s.engine.queries(s.reader())) })
}

// snapshot runs a read of several statements in one snapshot.
func snapshot[T any](ctx context.Context, s *Store, op string, read func(queries) (T, error)) (T, error) {
	if s.tx != nil {
		return query(ctx, s, op, read)
	}
	return observedRead(ctx, s, op, func() (T, error) {
		if err := s.reads.prepareMissed(ctx); err != nil {
			var none T
			return none, err
		}
		return inTx(ctx, s.read, s.engine.snapshotOptions(), func(tx *sql.Tx) (T, error) {
			return read(s.engine.queries(s.reads.in(tx)))
		})
	})
}

func observedRead[T any](ctx context.Context, s *Store, op string, read func() (T, error)) (out T, err error) {
	observed := s.observe(ctx, op)
	defer func() { observed(Observation{Rows: resultRows(out), Attempts: 1}, err) }()
	if err = s.usable(ctx); err == nil {
		out, err = read()
		err = cmp.Or(s.engine.checkRead(), err)
	}
	if err != nil {
		var none T
		return none, s.fail(ctx, op, err)
	}
	return out, nil
}

// update is transact with the operation's name in errors and observations.
func update[T any](ctx context.Context, s *Store, op string, write func(queries) (T, error)) (T, error) {
	observed, attempts := s.observe(ctx, op), 0
	out, err := transact(ctx, s, func(q queries) (T, error) {
		attempts++
		return write(q)
	})
	err = s.fail(ctx, op, err)
	observed(Observation{Rows: resultRows(out), Attempts: attempts}, err)
	return out, err
}

// transact runs a write atomically: in a transaction that is retried after conflicts with others, or in a savepoint of
// the caller's transaction, which only the caller can retry. It returns [ErrUnknownOutcome] if the reply to COMMIT was
// lost.
func transact[T any](ctx context.Context, s *Store, write func(queries) (T, error)) (T, error) {
	var none T
	if err := s.usable(ctx); err != nil {
		return none, err
	}
	if s.tx != nil {
		leave, err := s.engine.enter(ctx, s.tx)
		if err != nil {
			return none, err
		}
		defer leave()
		return inSavepoint(ctx, s.tx, func() (T, error) { return write(s.engine.queries(s.txQueries)) })
	}
	return retried(ctx, s, func(tx *sql.Tx) (T, error) { return write(s.engine.queries(s.writes.in(tx))) })
}

// retried runs a write transaction when its turn in the queue comes, and again after each conflict with others,
// or if the connection was lost before COMMIT was sent.
func retried[T any](ctx context.Context, s *Store, run func(*sql.Tx) (T, error)) (T, error) {
	var none T
	leave, err := s.enqueueWriter(ctx)
	if err != nil {
		return none, err
	}
	defer leave()
	out, err := backoff.Retry(ctx, func() (T, error) {
		out, err := none, s.writes.prepareMissed(ctx)
		if err == nil {
			out, err = inTx(ctx, s.write, s.engine.writeOptions(), run)
		}
		switch {
		case err == nil:
			s.written.Store(true)
			s.engine.afterWrite(s.write)
		case s.unknownOutcome(err):
			err = backoff.Permanent(fmt.Errorf("%w: %w", ErrUnknownOutcome, err))
		case !s.engine.retryable(err) && !errors.Is(err, errRaced) && !commitNotSent(err):
			err = backoff.Permanent(err)
		}
		return out, err
	}, backoff.WithBackOff(retryPauses()), backoff.WithMaxTries(s.retries.attempts), backoff.WithMaxElapsedTime(s.retries.within))
	if permanent, ok := err.(*backoff.PermanentError); ok { //nolint:errorlint // not one of the caller's
		err = permanent.Err // Retry returns the last attempt's error as it is
	}
	if err != nil && s.engine.retryable(err) {
		err = fmt.Errorf("%w: an uncommitted transaction of another connection holds locks past the retry time: %w", ErrBusy, err)
	}
	return out, err
}

// enqueueWriter makes the writers of a single-writer engine proceed in order of arrival, since database/sql hands a
// free connection to any waiter.
func (s *Store) enqueueWriter(ctx context.Context) (leave func(), err error) {
	if s.writerQueue == nil {
		return func() {}, nil
	}
	select {
	case s.writerQueue <- struct{}{}:
		return func() { <-s.writerQueue }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// retryPauses returns a backoff that starts at the typical duration of a transaction. Its default jitter of half the
// interval separates transactions that collided.
func retryPauses() *backoff.ExponentialBackOff {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval = 5 * time.Millisecond
	pauses.MaxInterval = time.Second
	pauses.Multiplier = 2
	return pauses
}

// inTx commits the changes of run, or rolls them back on error. An error of COMMIT is a commitError, see
// unknownOutcome.
func inTx[T any](ctx context.Context, db *sql.DB, opts *sql.TxOptions, run func(*sql.Tx) (T, error)) (T, error) {
	var none T
	tx, err := db.BeginTx(ctx, opts)
	if err != nil {
		return none, err
	}
	defer func() { _ = tx.Rollback() }() // also when run panics; a no-op after Commit
	out, err := run(tx)
	if err != nil {
		return none, err
	}
	if err := tx.Commit(); err != nil {
		return none, &commitError{err}
	}
	return out, nil
}

// commitError is an error of COMMIT.
type commitError struct{ error }

func (e *commitError) Unwrap() error { return e.error }

// unknownOutcome reports whether a transaction that failed with err may be committed: its reply to COMMIT was lost.
func (s *Store) unknownOutcome(err error) bool {
	failed, ok := err.(*commitError) //nolint:errorlint // not of another store's transaction, which run may return
	switch {
	case !ok, errors.Is(err, sql.ErrTxDone), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false // database/sql rolls back instead of committing after the end of the context
	}
	return !commitNotSent(err) && !s.engine.rolledBack(failed.error)
}

// commitNotSent reports whether the connection was lost before COMMIT was sent.
func commitNotSent(err error) bool {
	_, ok := err.(*commitError) //nolint:errorlint // as in unknownOutcome
	return ok && errors.Is(err, driver.ErrBadConn)
}

// inSavepoint rolls the changes of run back on error, without affecting the rest of the transaction.
func inSavepoint[T any](ctx context.Context, tx *sql.Tx, run func() (T, error)) (T, error) {
	var none T
	if _, err := tx.ExecContext(ctx, "SAVEPOINT ttpstore"); err != nil {
		return none, err
	}
	out, err := run()
	if err == nil {
		if _, err = tx.ExecContext(ctx, "RELEASE SAVEPOINT ttpstore"); err == nil {
			return out, nil
		}
	}
	// Roll back even if the caller's context is cancelled. After a deadlock, the engine has already rolled the
	// whole transaction back.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_, undo := tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT ttpstore")
	if undo != nil {
		return none, errors.Join(err, undo)
	}
	return none, err
}
