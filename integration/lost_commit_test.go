package integration

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/decnet/ttpstore/ttp"
)

// TestACommitWithoutReplyEndsAfterItsContext loses COMMITs on their way to the server, as a broken network does.
func TestACommitWithoutReplyEndsAfterItsContext(t *testing.T) {
	dsn := newDatabase(t)
	direct := openStore(t, "mysql://"+dsn)
	var cancelCall atomic.Pointer[context.CancelFunc]
	p, proxyDSN := startProxy(t, dsn, func(packet []byte) cut {
		cancel := cancelCall.Load()
		if cancel == nil || !isCommit(packet) {
			return noCut
		}
		(*cancel)()
		return swallow
	})
	s := openStore(t, "mysql://"+proxyDSN)
	attacker := ttp.Attacker{UUID: retryTag("").AttackerUUID}
	succeed(t, s.UpsertAttackers(t.Context(), []ttp.Attacker{attacker})) // identifies the server
	for _, call := range []struct {
		name string
		want error
		run  func(context.Context) error
	}{
		{"insert", ttp.ErrUnknownOutcome, func(ctx context.Context) error {
			_, err := s.InsertTags(ctx, []ttp.Tag{retryTag("lost")})
			return err
		}},
		{"upsert", ttp.ErrUnknownOutcome, func(ctx context.Context) error {
			return s.UpsertAttackers(ctx, []ttp.Attacker{attacker, {UUID: retryTag("x").ComputeUUID()}})
		}},
		{"transaction", ttp.ErrUnknownOutcome, func(ctx context.Context) error {
			return s.Tx(ctx, func(ctx context.Context, _ *sql.Tx, s *ttp.Store) error {
				_, err := s.InsertTags(ctx, []ttp.Tag{retryTag("lost")})
				return err
			})
		}},
		{"snapshot", context.Canceled, func(ctx context.Context) error {
			_, err := s.ListRules(ctx, ttp.Filter{})
			return err
		}},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancelCall.Store(&cancel)
		err := within(t, time.Minute, func() error { return call.run(ctx) })
		if !errors.Is(err, call.want) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s returned %v, want %v and the context's error", call.name, err, call.want)
		}
	}
	if got := p.cuts.Load(); got != 4 {
		t.Errorf("%d COMMITs were lost, want 4", got)
	}
	cancelCall.Store(nil)
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
			if _, err := tx.ExecContext(short, "SELECT SLEEP(1)"); err == nil {
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

// TestAFailedMigrationLockLeavesNoConnection interrupts the wait for the migration lock, for which autocommit is on. On that
// connection, a transaction could not roll back.
func TestAFailedMigrationLockLeavesNoConnection(t *testing.T) {
	if engine.Keyspaces > 0 {
		t.Skip("vtgate lists no waits for locks: run this test with " + EngineEnv + "=mysql-9.7")
	}
	dsn := newDatabase(t)
	s := openStore(t, "mysql://"+dsn)
	config, err := mysql.ParseDSN(dsn)
	succeed(t, err)
	succeed(t, withServer(config, time.Minute, func(ctx context.Context, db *sql.DB) error {
		db.SetMaxOpenConns(2)
		holder, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = holder.Close() }()
		const lock = "SELECT GET_LOCK(CONCAT_WS('.', 'ttpstore.migrate', CRC32(DATABASE())), 0)"
		if _, err := holder.ExecContext(ctx, lock); err != nil {
			return err
		}
		failed := make(chan error, 1)
		go func() { failed <- s.Migrate(ctx) }()
		const waiting = "SELECT id FROM information_schema.processlist WHERE state = 'User lock' AND db = DATABASE()"
		var id int64
		for err = sql.ErrNoRows; errors.Is(err, sql.ErrNoRows); time.Sleep(10 * time.Millisecond) {
			err = db.QueryRowContext(ctx, waiting).Scan(&id)
		}
		if err == nil {
			_, err = db.ExecContext(ctx, fmt.Sprint("KILL QUERY ", id))
		}
		if <-failed == nil {
			t.Error("Migrate did not fail")
		}
		return err
	}))
	stop := errors.New("stop")
	err = s.Tx(t.Context(), func(ctx context.Context, _ *sql.Tx, s *ttp.Store) error {
		_, err := s.InsertTags(ctx, []ttp.Tag{retryTag("1")})
		return errors.Join(err, stop)
	})
	if !errors.Is(err, stop) {
		t.Errorf("the transaction returned %v", err)
	}
	requireTags(t, s, nil, 0)
}
