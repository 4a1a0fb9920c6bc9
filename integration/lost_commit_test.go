package integration

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

// TestACommitWithoutReplyEndsAfterItsContext loses COMMITs on their way to the server, as a broken network does.
func TestACommitWithoutReplyEndsAfterItsContext(t *testing.T) {
	dsn := newDatabase(t)
	direct := openStore(t, "mysql://"+dsn)
	var armed atomic.Bool
	p, proxyDSN := startProxy(t, dsn, func(packet []byte) cut {
		if armed.Load() && isCommit(packet) {
			return swallow
		}
		return noCut
	})
	s := openStore(t, "mysql://"+proxyDSN)
	attacker := ttp.Attacker{UUID: retryTag("").AttackerUUID}
	succeed(t, s.UpsertAttackers(t.Context(), []ttp.Attacker{attacker})) // identifies the server
	armed.Store(true)
	for name, write := range map[string]func(context.Context) error{
		"insert": func(ctx context.Context) error {
			_, err := s.InsertTags(ctx, []ttp.Tag{retryTag("lost")})
			return err
		},
		"upsert": func(ctx context.Context) error {
			return s.UpsertAttackers(ctx, []ttp.Attacker{attacker, {UUID: retryTag("x").ComputeUUID()}})
		},
		"transaction": func(ctx context.Context) error {
			return s.Tx(ctx, func(ctx context.Context, _ *sql.Tx, s *ttp.Store) error {
				_, err := s.InsertTags(ctx, []ttp.Tag{retryTag("lost")})
				return err
			})
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		err := within(t, time.Minute, func() error { return write(ctx) })
		cancel()
		if !errors.Is(err, ttp.ErrUnknownOutcome) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s returned %v, want ErrUnknownOutcome and DeadlineExceeded", name, err)
		}
	}
	if got := p.cuts.Load(); got != 3 {
		t.Errorf("%d COMMITs were lost, want 3", got)
	}
	armed.Store(false)
	_, err := s.InsertTags(t.Context(), []ttp.Tag{retryTag("next")})
	succeed(t, err)
	requireTags(t, direct, nil, 1)
}

// within returns the result of a call, which must return in time.
func within(t *testing.T, limit time.Duration, call func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		t.Fatal("the call does not return")
		return nil
	}
}

// TestACommitThatIsNotSentIsRepeated loses the connection of a transaction between its last statement and COMMIT.
func TestACommitThatIsNotSentIsRepeated(t *testing.T) {
	s := openStore(t, "mysql://"+newDatabase(t))
	attempts := 0
	err := s.Tx(t.Context(), func(ctx context.Context, tx *sql.Tx, s *ttp.Store) error {
		attempts++
		if _, err := s.InsertTags(ctx, []ttp.Tag{retryTag("1")}); err != nil {
			return err
		}
		if attempts == 1 { // the driver closes the connection of an interrupted statement
			short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			defer cancel()
			if _, err := tx.ExecContext(short, "SELECT SLEEP(5)"); err == nil {
				t.Error("the statement was not interrupted")
			}
		}
		return nil
	})
	succeed(t, err)
	if attempts != 2 {
		t.Errorf("the function ran %d times, want 2", attempts)
	}
	requireTags(t, s, nil, 1)
}
