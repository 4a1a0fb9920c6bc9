package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/internal/conformance"
)

func TestImportFrom(t *testing.T) {
	c := newCLI(t)
	source := filepath.Join(t.TempDir(), "decnet.db")
	conformance.PredecessorFile(t, source)
	before := read(t, source)
	created := "created the missing schema\n"
	report := strings.Join([]string{"campaigns\t0 read: 0 inserted, 0 updated, 0 unchanged",
		"identities\t0 read: 0 inserted, 0 updated, 0 unchanged", "attackers\t1 read: 1 inserted, 0 updated, 0 unchanged",
		"tags\t1 read: 1 inserted, 0 duplicate, 0 below floor, 0 tombstoned, 0 refused",
		"normalized\t1  attack_release", "normalized\t1  created_at as observed_at", "normalized\t1  ttp_tag.uuid\n"}, "\n")
	compared := strings.Join([]string{"compared\tfleet: 1 equal, 0 different", "compared\tattackers: 1 equal, 0 different",
		"compared\tsessions: 1 equal, 0 different", "compared\tidentities: 0 equal, 0 different",
		"compared\tall scopes: 3 equal, 0 different\n"}, "\n")
	c.want(result{exitSuccess, report + compared, created}, "", "import", "--from", "sqlite://"+source)
	c.want(result{exitSuccess, "1\n", ""}, "", "tags", "fleet", "--count")
	if read(t, source) != before || !slices.Equal(files(t, filepath.Dir(source)), []string{"decnet.db"}) {
		t.Errorf("the source was changed: %v", files(t, filepath.Dir(source)))
	}

	own := c.db
	c.db = filepath.Join(t.TempDir(), "other.db")
	if got := c.runWith("", "migrate", "up"); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(result{exitSuccess, report, "dry run: nothing was written\n"}, "", "import", "--dry-run", "--from", "sqlite://"+source)
	c.want(result{exitSuccess, "0\n", ""}, "", "tags", "fleet", "--count")
	if got := c.runWith("", "import", "--from", "sqlite://"+source, "--json"); got.status != exitSuccess ||
		!strings.Contains(got.stdout, "\n"+`  "different": 0,`+"\n") ||
		!strings.Contains(got.stdout, `    "created_at as observed_at": 1,`) ||
		!strings.Contains(strings.Join(strings.Fields(got.stdout), ""), `"attackers":{"compared":1,"different":0}`) {
		t.Errorf("as JSON: %+v", got)
	}
	if got := c.runWith(records(), "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	got := c.runWith("", "import", "--from", "sqlite://"+source)
	if got.status != exitFailure || got.stderr != "ttpstore: import: the number of tags differs from the source in 2 scopes\n" ||
		!strings.Contains(got.stdout, "\ndifferent\tfleet: 1 in the source, 5 here\n") {
		t.Errorf("a database with other tags: %+v", got)
	}

	notIts := "ttpstore: import predecessor: source: the database is not the predecessor's: SQL logic error: no such table: campaigns (1)\n"
	c.want(result{exitFailure, "", notIts}, "", "import", "--from", "sqlite://"+own)
	c.want(result{exitFailure, "", "ttpstore: import predecessor: source: there is no such file\n"},
		"", "import", "--from", "sqlite://"+own+".no")
	if _, err := os.Stat(own + ".no"); err == nil {
		t.Error("the source was made")
	}
	c.want(result{exitFailure, "", "ttpstore: import predecessor: source: want sqlite://PATH, without parameters\n"},
		"", "import", "--from", "sqlite://"+source+"?mode=ro")
	c.wantWrong(`unexpected argument "x"`, "import", "import", "x", "--from", "sqlite://"+source)
	c.wantWrong("--from and --batch are mutually exclusive", "import", "import", "--from", "sqlite://"+source, "--batch", "3")
	c.wantWrong(`invalid argument "" for "--from" flag: must not be empty`, "import", "import", "--from=")
}

// A password in the environment is not visible to other users. The flag and the argument FILE override it.
func TestImportFromTheEnvironment(t *testing.T) {
	c := newCLI(t)
	source := filepath.Join(t.TempDir(), "decnet.db")
	conformance.PredecessorFile(t, source)
	t.Setenv(fromEnvironment, "sqlite://"+source+".no")
	c.want(result{exitFailure, "", "ttpstore: import predecessor: source: there is no such file\n"}, "", "import")
	for _, args := range [][]string{{"import", "--from", "sqlite://" + source}, {"import", "-"}} {
		if got := c.runWith(records(), args...); got.status != exitSuccess {
			t.Errorf("%q: got %+v", args, got)
		}
	}
	c.want(result{exitSuccess, "5\n", ""}, "", "tags", "fleet", "--count")
	c.wantWrong("--from and --batch are mutually exclusive", "import", "import", "--batch", "3")
	t.Setenv(fromEnvironment, "")
	c.wantWrong(`missing argument FILE`, "import", "import")
}

// Nothing is created for a source that does not exist, nor in a dry run.
func TestImportFromCreatesNoDatabase(t *testing.T) {
	c := newCLI(t)
	source := filepath.Join(t.TempDir(), "decnet.db")
	c.want(result{exitFailure, "", "ttpstore: import predecessor: source: there is no such file\n"},
		"", "import", "--from", "sqlite://"+source)
	conformance.PredecessorFile(t, source)
	got := c.runWith("", "import", "--dry-run", "--from", "sqlite://"+source)
	if got.status != exitFailure || !strings.HasPrefix(got.stderr, "ttpstore: import predecessor: schema missing: run `ttpstore") {
		t.Errorf("a dry run without a database: %+v", got)
	}
	if made := files(t, filepath.Dir(c.db)); len(made) > 0 {
		t.Errorf("created %v", made)
	}
}

// The report of an import that failed has no comparison.
func TestInterruptedImportFrom(t *testing.T) {
	c := newCLI(t)
	source := filepath.Join(t.TempDir(), "decnet.db")
	conformance.PredecessorFile(t, source, "ALTER TABLE ttp_tag RENAME COLUMN decky_id TO decoy_id")
	got := c.runWith("", "import", "--from", "sqlite://"+source)
	if got.status != exitFailure || !strings.Contains(got.stdout, "attackers\t1 read: 1 inserted") ||
		strings.Contains(got.stdout, "compared") || !strings.Contains(got.stderr, "decky_id") {
		t.Errorf("got %+v", got)
	}
}
