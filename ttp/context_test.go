package ttp

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/golang-migrate/migrate/v4"
	"github.com/google/uuid"
)

// lateContext has passed its deadline, but its timer has not fired yet.
type lateContext struct{ context.Context }

func (lateContext) Deadline() (time.Time, bool) { return time.Now().Add(-time.Millisecond), true }

func TestATimeoutOfADialerAtTheDeadlineIsDeadlineExceeded(t *testing.T) {
	mysql.RegisterDialContext("unix", func(context.Context, string) (net.Conn, error) { return nil, os.ErrDeadlineExceeded })
	t.Cleanup(func() { mysql.DeregisterDialContext("unix") })
	ctx := lateContext{t.Context()}
	db, err := sql.Open("mysql", "root@unix(socket)/db")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	s, err := New(db, MySQL, WithRetries(1, time.Second))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.ListDistinctTechniques(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("New: got %v", err)
	}
	if _, err = Open(ctx, "mysql://root@unix(socket)/db"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Open: got %v", err)
	}
}

func openMigrated(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "ttp.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestErrorsOfTheCallOutliveItsDeadline(t *testing.T) {
	s, ctx := openMigrated(t), lateContext{t.Context()}
	if _, err := s.GetTag(ctx, uuid.New()); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown tag: got %v", err)
	}
	if _, err := s.InsertTags(ctx, []Tag{{}}); !errors.Is(err, ErrInvalidTag) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an invalid tag: got %v", err)
	}
}

func TestAStoppedMigrationReturnsTheContextsError(t *testing.T) {
	s := openMigrated(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.migrate(ctx, func(m *migrate.Migrate, _ SchemaStatus) error {
		for cancel(); len(m.GracefulStop) == 0; {
			time.Sleep(time.Millisecond)
		}
		return m.Steps(-2)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestMigrationsWaitForWritersWithTheirContext(t *testing.T) {
	s := openMigrated(t)
	before, err := s.SchemaStatus(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = s.Tx(t.Context(), func(context.Context, *sql.Tx, *Store) error {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- s.MigrateDown(ctx, before.Version-1) }()
		select {
		case err := <-done:
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("the migration still waits")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if after, err := s.SchemaStatus(t.Context()); err != nil || after != before {
		t.Errorf("got %+v, %v, want %+v", after, err, before)
	}
}

func TestTheMigrationLockOutlivesItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	ctx, cancel := context.WithCancel(t.Context())
	unlock, err := lockSQLiteFile(ctx, path, "")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	time.Sleep(50 * time.Millisecond) // database/sql would roll back a sql.Tx
	other, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if _, err := other.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); !errors.Is((sqliteEngine{}).sentinel(err), ErrBusy) {
		t.Errorf("locked twice: %v", err)
	}
	unlock()
	if _, err := other.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Errorf("still locked: %v", err)
	}
}
