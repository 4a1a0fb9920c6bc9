package ttp

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A file that cannot be written is read without locks, so that another program may change it at any time.
func TestBackupOfAChangedFrozenFileIsBusy(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "ttp.db")
	s, err := Open(t.Context(), "sqlite://"+path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Migrate(t.Context()), s.Close()); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func() error{
		func() error { return os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)) },
		func() error { return os.Truncate(path, 4096*4) }, // the copy fails
	} {
		s := openFrozen(t, path)
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if err := s.Backup(t.Context(), filepath.Join(folder, "backup.db")); !errors.Is(err, ErrBusy) {
			t.Errorf("got %v", err)
		}
	}
	left, err := filepath.Glob(filepath.Join(folder, "*backup.db*"))
	if err != nil || len(left) > 0 {
		t.Errorf("it left %q, %v", left, err)
	}
}

// openFrozen opens a file as Open does without write permission, which root never lacks.
func openFrozen(t *testing.T, path string) *Store {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	read, err := sql.Open("sqlite", sqliteFile(path)+"mode=ro&immutable=1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = read.Close() })
	s, err := New(read, SQLite)
	if err != nil {
		t.Fatal(err)
	}
	s.engine = sqliteEngine{path: path, frozen: info}
	return s
}
