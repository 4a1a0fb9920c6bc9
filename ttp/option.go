package ttp

import (
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// WithClock sets the clock for [Tag.IngestedAt], tombstones and the age of tags in [Store.ExpireTags], instead of
// [time.Now].
func WithClock(now func() time.Time) Option {
	return func(s *Store) error {
		if now == nil {
			return errors.New("the clock must not be nil")
		}
		s.now = now
		return nil
	}
}

// WithPoolSize sets the maximum number of connections that [Open] makes to a server, 32 by default: half of them write and
// half read, at least one each. For a SQLite file it sets the maximum number of connections that read, 4 by default; one
// more writes. It has no effect on a database in memory. [New] refuses it: the pool is the caller's.
func WithPoolSize(connections int) Option {
	return func(s *Store) error {
		switch {
		case connections < 1:
			return fmt.Errorf("the pool size must be positive: %d", connections)
		case !s.owned:
			return errors.New("the pool is the caller's: set its size with SetMaxOpenConns")
		case s.writerQueue == nil: // a server
			setMySQLPoolSize(s.write, s.read, connections)
		case s.read != s.write: // not in memory
			setPoolSize(s.read, connections)
		}
		return nil
	}
}

func setPoolSize(db *sql.DB, connections int) {
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
}

// retries bounds the attempts of a transaction.
type retries struct {
	attempts uint
	within   time.Duration
}

// WithRetries sets the maximum number of attempts of a transaction that conflicts with others, and their maximum
// duration, before [ErrBusy]: 12 within 30 seconds by default. One attempt means no retry. The same limits apply if the
// connection was lost before COMMIT was sent; then the last attempt's error is returned.
func WithRetries(attempts int, within time.Duration) Option {
	return func(s *Store) error {
		if attempts < 1 || within <= 0 {
			return fmt.Errorf("the attempts and their duration must be positive: %d within %v", attempts, within)
		}
		s.retries = retries{uint(attempts), within}
		return nil
	}
}
