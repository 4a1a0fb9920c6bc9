package ttp_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

// A copy of the file alone must hold everything.
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
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		if !slices.Equal(names, []string{name, name + ".migrate-lock"}) {
			t.Errorf("after closing %s: %q", name, names)
		}
	}
}

func TestReadingMakesNoSQLiteFile(t *testing.T) {
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
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) > 0 {
		t.Errorf("there is %v, %v", entries, err)
	}
}

func TestOpenSaysWhatIsWrongWithTheURL(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing", "ttp.db")
	for url, want := range map[string]string{
		"":                        "sqlite:// or mysql://",
		"ttp.db":                  "sqlite:// or mysql://",
		"sqlite://":               "sqlite://PATH",
		"sqlite://a.db?mode=ro":   "without parameters",
		"sqlite://" + missing:     "folder",
		"mysql://root@tcp(h:1)":   "mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE",
		"sqlite://" + t.TempDir(): "",
	} {
		s, err := ttp.Open(t.Context(), url)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v", url, s, err)
		}
	}
	if _, err := ttp.Open(t.Context(), "sqlite://"+missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := ttp.Open(t.Context(), "sqlite://:memory:", ttp.WithConfidenceFloor(1.5)); err == nil {
		t.Error("a floor of 1.5 was taken")
	}
	if _, err := ttp.New(nil, "oracle"); err == nil {
		t.Error("an unknown dialect was taken")
	}
}
