package ttp_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

// lockedSQLite returns a store without a busy_timeout, and a function that takes the write lock on another connection.
func lockedSQLite(t *testing.T, opts ...ttp.Option) (s *ttp.Store, lock func() (unlock func())) {
	t.Helper()
	dsn := "file:" + filepath.Join(t.TempDir(), "ttp.db") + "?_txlock=immediate&_pragma=journal_mode(WAL)"
	var pools [2]*sql.DB
	for i := range pools {
		pool, err := sql.Open("sqlite", dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = pool.Close() })
		pools[i] = pool
	}
	s, err := ttp.New(pools[0], ttp.SQLite, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, func() func() {
		tx, err := pools[1].BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return func() { _ = tx.Rollback() }
	}
}

// A dry run takes its turn in the queue of writers, so that others wait for it instead of failing.
func TestDryRunQueuesWithWriters(t *testing.T) {
	t.Parallel()
	s, _ := lockedSQLite(t, ttp.WithRetries(1, time.Minute))
	inserted := make(chan error, 1)
	report, err := s.Import(t.Context(), strings.NewReader("\n"), ttp.ImportOptions{DryRun: true, Progress: func(ttp.ImportReport) {
		go func() {
			_, err := s.InsertTags(t.Context(), []ttp.Tag{exampleTag("1")})
			inserted <- err
		}()
		select {
		case err := <-inserted:
			t.Errorf("a write returned during the dry run: %v", err)
			inserted <- err
		case <-time.After(200 * time.Millisecond):
		}
	}})
	if err != nil || report.Lines != 1 {
		t.Errorf("got %+v, %v", report, err)
	}
	if err := <-inserted; err != nil {
		t.Error(err)
	}
}

func TestBusyDatabaseIsRetried(t *testing.T) {
	t.Parallel()
	s, lock := lockedSQLite(t)
	time.AfterFunc(200*time.Millisecond, lock())
	result, err := s.InsertTags(t.Context(), []ttp.Tag{exampleTag("1")})
	if err != nil || result.Inserted != 1 {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestRetriesEndWithErrBusy(t *testing.T) {
	t.Parallel()
	s, lock := lockedSQLite(t)
	unlock := lock()
	_, err := s.InsertTags(t.Context(), []ttp.Tag{exampleTag("1")})
	const cause = "an uncommitted transaction of another connection holds locks past the retry time"
	if !errors.Is(err, ttp.ErrBusy) || !strings.Contains(err.Error(), cause) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := s.InsertTags(ctx, []ttp.Tag{exampleTag("1")}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a deadline: got %v", err)
	}
	unlock()
	result, err := s.InsertTags(t.Context(), []ttp.Tag{exampleTag("1")})
	if err != nil || result.Inserted != 1 {
		t.Errorf("afterwards: got %+v, %v", result, err)
	}
}
