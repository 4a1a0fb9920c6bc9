package ttp_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

// A copy of only the database file must be complete.
func TestClosingASQLiteFileLeavesNoWAL(t *testing.T) {
	for _, name := range []string{"plain.db", "with space.db", "per%20cent.db", "üml&äut.db"} {
		path := filepath.Join(t.TempDir(), name)
		s, err := ttp.Open(t.Context(), "sqlite://"+path)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.InsertTags(t.Context(), []ttp.Tag{exampleTag("1")}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ListTechniquesByIdentity(t.Context(), exampleAttacker); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if names := filesIn(t, filepath.Dir(path)); !slices.Equal(names, []string{name, name + ".migrate-lock"}) {
			t.Errorf("after closing %s: %q", name, names)
		}
	}
}

func filesIn(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestReadingCreatesNoSQLiteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.db")
	s, err := ttp.Open(t.Context(), "sqlite://"+path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ListDistinctTechniques(t.Context()); !errors.Is(err, ttp.ErrSchemaMissing) {
		t.Errorf("got %v", err)
	}
	if err := s.MigrateDown(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if names := filesIn(t, filepath.Dir(path)); len(names) > 0 {
		t.Errorf("found %q", names)
	}
}

func TestOpenRejectsInvalidURLs(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing", "ttp.db")
	for url, want := range map[string]string{
		"":                        "sqlite:// or mysql://",
		"ttp.db":                  "sqlite:// or mysql://",
		"sqlite://":               "sqlite://PATH",
		"sqlite://a.db?mode=ro":   "without parameters",
		"sqlite://" + missing:     "folder",
		"mysql://root@tcp(h:1)":   "mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE",
		"sqlite://" + t.TempDir(): "is a directory, want a file",

		"sqlite://root:secret@tcp(h:1)/ttp":    "for a server, want mysql://USER:PASSWORD@",
		"sqlite:///root:se\ncret@h/../x.db":    "for a server, want mysql://USER:PASSWORD@",
		"root:secret@tcp(h:1)/ttp":             "sqlite:// or mysql://",
		"mysql://root:secret@h:1/ttp":          "mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE",
		"mysql://tcp(root:secret@h:1)/ttp":     "mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE",
		"mysql://root:sec ret@tcp(h:1)ttp":     "mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE",
		"mysql://root:secret@tcp(h:1)/t?tls=x": "mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE",
	} {
		s, err := ttp.Open(t.Context(), url)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "cret") {
			t.Errorf("%q: got %v, %v", url, s, err)
		}
	}
	if _, err := ttp.Open(t.Context(), "sqlite://"+missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := ttp.Open(t.Context(), "sqlite://:memory:", ttp.WithConfidenceFloor(1.5)); err == nil {
		t.Error("a floor of 1.5 was accepted")
	}
	if _, err := ttp.New(new(sql.DB), "oracle"); err == nil || !strings.Contains(err.Error(), "oracle") {
		t.Errorf("an unknown dialect: got %v", err)
	}
	for _, dialect := range []ttp.Dialect{ttp.SQLite, ttp.MySQL} {
		if _, err := ttp.New(nil, dialect); err == nil || !strings.Contains(err.Error(), "not nil") {
			t.Errorf("no pool: got %v", err)
		}
	}
}

// A database in memory has one connection, which streams must not hold.
func TestStreamsAllowWritesOnOneConnection(t *testing.T) {
	s, err := ttp.Open(t.Context(), "sqlite://:memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	first, second := exampleTag("1"), exampleTag("2")
	if _, err := s.InsertTags(t.Context(), []ttp.Tag{first}); err != nil {
		t.Fatal(err)
	}
	streams := map[string]func(func() error) error{
		"TagsSeq": func(write func() error) error {
			for _, err := range s.TagsSeq(t.Context(), ttp.Fleet(), ttp.Filter{}) {
				return errors.Join(err, write())
			}
			return errors.New("got no tag")
		},
		"AttackerRollups": func(write func() error) error {
			for _, err := range s.AttackerRollups(t.Context(), ttp.Filter{}) {
				return errors.Join(err, write())
			}
			return errors.New("got no rollup")
		},
	}
	for name, stream := range streams {
		err := stream(func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := s.InsertTags(ctx, []ttp.Tag{second})
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCloseMayBeRepeated(t *testing.T) {
	s, err := ttp.Open(t.Context(), "sqlite://:memory:")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.InsertTags(t.Context(), []ttp.Tag{exampleTag("1")}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
}

// Close must not fail because it cannot update the planner's statistics.
func TestCloseSucceedsDuringAnotherWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ttp.db")
	s, err := ttp.Open(t.Context(), "sqlite://"+path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.InsertTags(t.Context(), []ttp.Tag{exampleTag("1")}); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// The prepared statement cache must work after the tables are dropped and created again.
func TestPreparedStatementsSurviveMigrations(t *testing.T) {
	s, err := ttp.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "ttp.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for range 2 {
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.InsertTags(t.Context(), []ttp.Tag{exampleTag("1")}); err != nil {
			t.Fatal(err)
		}
		if n, err := s.CountTags(t.Context(), ttp.OfAttacker(exampleAttacker), ttp.Filter{}); n != 1 || err != nil {
			t.Errorf("got %d tags, %v", n, err)
		}
		if err := s.MigrateDown(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if n, err := s.CountTags(t.Context(), ttp.OfAttacker(exampleAttacker), ttp.Filter{}); !errors.Is(err, ttp.ErrSchemaMissing) {
			t.Errorf("got %d tags, %v", n, err)
		}
	}
}

// SQLite's read-only connections create side files, which only writable ones remove.
func TestReadingLeavesNoSideFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ttp.db")
	for _, use := range []func(*ttp.Store) error{
		func(s *ttp.Store) error { return s.Migrate(t.Context()) },
		func(s *ttp.Store) error { return s.CheckSchema(t.Context()) },
		func(s *ttp.Store) error { _, err := s.ListDistinctTechniques(t.Context()); return err },
	} {
		s, err := ttp.Open(t.Context(), "sqlite://"+path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(use(s), s.Close()); err != nil {
			t.Fatal(err)
		}
		want := map[string]fs.FileMode{"ttp.db": 0o600, "ttp.db.migrate-lock": 0o600}
		if got := modes(t, filepath.Dir(path)); !maps.Equal(got, want) {
			t.Errorf("got %v", got)
		}
	}
}

// A new file has access for its owner only, and side files have the mode of the database.
func TestSQLiteFilesHaveTheDatabasesMode(t *testing.T) {
	for _, name := range []string{"plain.db", "with space.db", "per%20cent+.db", "üml&äut.db"} {
		for _, mode := range []fs.FileMode{0, 0o600, 0o664} {
			path := filepath.Join(t.TempDir(), name)
			if mode != 0 {
				if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, mode)); err != nil {
					t.Fatal(err)
				}
			}
			s, err := ttp.Open(t.Context(), "sqlite://"+path)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := cmp.Or(mode, 0o600)
			for file, got := range modes(t, filepath.Dir(path)) {
				if got != want {
					t.Errorf("%s has mode %v, want %v", file, got, want)
				}
			}
			if n := len(modes(t, filepath.Dir(path))); n != 4 {
				t.Errorf("found %d files, want the database, the WAL, its index and the lock", n)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// modes returns the modes of the files in a folder.
func modes(t *testing.T, folder string) map[string]fs.FileMode {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]fs.FileMode{}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		out[entry.Name()] = info.Mode()
	}
	return out
}
