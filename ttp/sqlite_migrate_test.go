package ttp_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/decnet/ttpstore/internal/conformance"
	"github.com/decnet/ttpstore/ttp"
)

// All processes must take the same lock, whichever name they open the file by, even before it exists.
func TestLinkedSQLiteFilesShareOneLock(t *testing.T) {
	root := t.TempDir()
	for _, folder := range []string{"data", "links"} {
		if err := os.Mkdir(filepath.Join(root, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"folder": "data", "links/absolute": filepath.Join(root, "data", "ttp.db"), "links/relative": "../data/ttp.db",
		"links/chain": "relative", "links/through": "../folder/ttp.db",
	} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	migrate := func(name string) {
		s, err := ttp.Open(t.Context(), "sqlite://"+filepath.Join(root, name))
		if err == nil {
			err = errors.Join(s.Migrate(t.Context()), s.Close())
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var wg sync.WaitGroup
	for _, name := range []string{"data/ttp.db", "folder/ttp.db", "links/absolute", "links/relative", "links/chain", "links/through"} {
		wg.Go(func() { migrate(name) })
	}
	wg.Wait()
	migrate("data/ttp.db") // if two connections close at once, SQLite may take neither for the last one, and keep the WAL
	for folder, want := range map[string][]string{
		"data": {"ttp.db", "ttp.db.migrate-lock"}, "links": {"absolute", "chain", "relative", "through"},
	} {
		if names := filesIn(t, filepath.Join(root, folder)); !slices.Equal(names, want) {
			t.Errorf("%s holds %q, want %q", folder, names, want)
		}
	}
}

func TestPoolOfALinkedSQLiteFileSharesItsLock(t *testing.T) {
	data, links := t.TempDir(), t.TempDir()
	link := filepath.Join(links, "link.db")
	if err := os.Symlink(filepath.Join(data, "ttp.db"), link); err != nil {
		t.Fatal(err)
	}
	pool, err := sql.Open("sqlite", "file:"+link)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	s, err := ttp.New(pool, ttp.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names := filesIn(t, data); !slices.Equal(names, []string{"ttp.db", "ttp.db.migrate-lock"}) {
		t.Errorf("found %q", names)
	}
}

// A service may change its working directory after it opened its store.
func TestRelativePathIsResolvedByOpen(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	t.Chdir(first)
	s, err := ttp.Open(t.Context(), "sqlite://ttp.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(second)
	if err := errors.Join(s.Migrate(t.Context()), s.Close()); err != nil {
		t.Fatal(err)
	}
	if names := filesIn(t, first); !slices.Equal(names, []string{"ttp.db", "ttp.db.migrate-lock"}) {
		t.Errorf("the directory of Open: found %q", names)
	}
	if names := filesIn(t, second); len(names) > 0 {
		t.Errorf("the directory of Migrate: found %q", names)
	}
}

// The store must not switch the file to WAL or create a lock file.
func TestForeignSQLiteFileIsUnchanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "decnet.db")
	conformance.PredecessorFile(t, path)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ttp.Open(t.Context(), "sqlite://"+path)
	if err != nil {
		t.Fatal(err)
	}
	_, insert := s.InsertTags(t.Context(), []ttp.Tag{exampleTag("1")})
	for _, err := range []error{insert, s.Migrate(t.Context()), s.MigrateDown(t.Context(), 0), s.ForceSchemaVersion(t.Context(), 0)} {
		if !errors.Is(err, ttp.ErrForeignSchema) {
			t.Errorf("got %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file changed, %v", err)
	}
	if names := filesIn(t, filepath.Dir(path)); !slices.Equal(names, []string{"decnet.db"}) {
		t.Errorf("found %q", names)
	}
}

// The error has one line, without the SQL, and following its advice succeeds.
func TestFailedMigrationReportsItsCause(t *testing.T) {
	pool, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "ttp.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	s, err := ttp.New(pool, ttp.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.ExecContext(t.Context(), "CREATE TABLE ttp_tag_session (x INTEGER)"); err != nil { // the name of an index
		t.Fatal(err)
	}
	for range 2 {
		err = s.Migrate(t.Context())
		if err == nil || !strings.Contains(err.Error(), "there is already a table named ttp_tag_session") ||
			!strings.Contains(err.Error(), "call Store.Migrate again") || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v", err)
		}
	}
	if _, err := pool.ExecContext(t.Context(), "DROP TABLE ttp_tag_session"); err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Error(err)
	}
}

// A process that was killed while writing leaves a journal, which a read-only connection cannot roll back.
func TestInterruptedSQLiteFileOpens(t *testing.T) {
	path, copied := filepath.Join(t.TempDir(), "ttp.db"), filepath.Join(t.TempDir(), "ttp.db")
	pool, err := sql.Open("sqlite", "file:"+path+"?_pragma=cache_size(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	if _, err := pool.ExecContext(t.Context(), "CREATE TABLE filler (x BLOB); INSERT INTO filler VALUES (randomblob(100000))"); err != nil {
		t.Fatal(err)
	}
	tx, err := pool.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), "UPDATE filler SET x = randomblob(100000)"); err != nil { // more than the cache holds
		t.Fatal(err)
	}
	for _, side := range []string{"", "-journal"} {
		content, err := os.ReadFile(path + side)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+side, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := ttp.Open(t.Context(), "sqlite://"+copied)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Migrate(t.Context()), s.Close()); err != nil {
		t.Error(err)
	}
}

// Reading a file in WAL mode makes side files, which only a connection that may write removes.
func TestImportLeavesNoSideFilesOfThePredecessor(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "decnet.db")
	conformance.PredecessorFile(t, path)
	pool, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = pool.ExecContext(t.Context(), "PRAGMA journal_mode = WAL")
	if err := errors.Join(err, pool.Close()); err != nil {
		t.Fatal(err)
	}
	s, err := ttp.Open(t.Context(), "sqlite://:memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := s.ImportPredecessor(t.Context(), "sqlite://"+path, ttp.PredecessorOptions{})
	if err != nil || report.Tags.Inserted != 1 {
		t.Errorf("got %+v, %v", report.Tags, err)
	}
	if names := filesIn(t, folder); !slices.Equal(names, []string{"decnet.db"}) {
		t.Errorf("found %q", names)
	}
}
