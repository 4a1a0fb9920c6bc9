package ttp

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzSQLitePath checks that every path of a file is the same path when it is resolved again, and that a data source
// name opens the file of just that name.
func FuzzSQLitePath(f *testing.F) {
	for _, name := range []string{
		"ttp.db", "./a.db", "a/../b.db", "", ".", "..", ":memory:", "a?b", "a#b", "per%20cent.db", "with space.db",
		"üml&äut;=.db", "\xff", "a\x00b", "%00", "a+b", "file:x", `a\b`, "a\nb", "-wal", strings.Repeat("x", 300),
	} {
		f.Add(name)
	}
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, name string) {
		t.Chdir(folder)
		path, err := sqlitePath(name)
		if err != nil {
			if path != "" {
				t.Errorf("%q: got %q with %v", name, path, err)
			}
			return
		}
		again, err := sqlitePath(path)
		if again != path || err != nil || (name != sqliteMemory && !filepath.IsAbs(path)) || strings.ContainsAny(path, "?#") {
			t.Errorf("%q is resolved to %q, and that to %q, %v", name, path, again, err)
		}
		if filepath.Base(path) == name && path != name && len(name) < 200 && !strings.Contains(name, "\x00") {
			wantFile(t, path)
		}
	})
}

// wantFile checks that the data source name of the path creates the file, and no other one.
func wantFile(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", SQLiteDSN(path))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec("PRAGMA user_version = 1")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	files, readErr := os.ReadDir(".")
	made := slices.ContainsFunc(files, func(file os.DirEntry) bool { return file.Name() == filepath.Base(path) })
	if err := os.Remove(path); err != nil {
		t.Error(err)
	}
	if err != nil || readErr != nil || len(files) != 1 || !made {
		t.Errorf("%q made %v, %v, %v", path, files, err, readErr)
	}
}

func TestPoolSizeIsTheNumberOfReaders(t *testing.T) {
	file := "sqlite://" + filepath.Join(t.TempDir(), "ttp.db")
	for _, test := range []struct {
		url           string
		size, readers int
	}{{file, 1, 1}, {file, 7, 7}, {"sqlite://:memory:", 7, 1}} {
		s, err := Open(t.Context(), test.url, WithPoolSize(test.size))
		if err != nil {
			t.Fatal(err)
		}
		readers, writers := s.read.Stats().MaxOpenConnections, s.write.Stats().MaxOpenConnections
		if readers != test.readers || writers != 1 {
			t.Errorf("size %d of %s: at most %d connections read and %d write", test.size, test.url, readers, writers)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOnlyAMissingTableIsAMissingSchema(t *testing.T) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for statement, want := range map[string]error{
		"SELECT x FROM ttp_tag": ErrSchemaMissing, "SELECT x FROM sqlite_schema": nil, "SELEC": nil,
	} {
		_, err := db.Exec(statement)
		if got := (sqliteEngine{}).sentinel(err); err == nil || got != want { //nolint:errorlint // the sentinel itself
			t.Errorf("%s: got %v of %v, want %v", statement, got, err, want)
		}
	}
}
