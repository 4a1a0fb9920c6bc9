package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/decnet/ttpstore/internal/conformance"
)

func TestMigratingDownSaysHowManyTagsGo(t *testing.T) {
	c := filled(t)
	refusal := func(loss string) result {
		return result{exitFailure, "", "ttpstore: " + loss + ": confirm it with --yes, since nobody can be asked here\n"}
	}
	c.want(refusal("this loses the rows that version 8 cannot hold, of a database with 4 tags"), "y\n", "migrate", "down", "8")
	c.want(refusal("this drops all tables, with 4 tags"), "y\n", "migrate", "down", "0")
	if got := c.runWith("", "migrate", "down", "8", "--yes"); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(refusal("this drops all tables, with an unknown number of tags"), "y\n", "migrate", "down", "0")
	if got := c.runWith("", "migrate", "down", "0", "--yes"); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(result{exitSuccess, "schema stays at version 0\n", ""}, "", "migrate", "down", "0")
}

func TestForeignDatabaseIsRefused(t *testing.T) {
	c := newCLI(t)
	conformance.PredecessorFile(t, c.db)
	why := "foreign schema, nothing was changed: the table ttp_tag has no column technique_key and looks like DECNET's: " +
		"give ttpstore a database of its own and import from this one instead\n"
	for _, args := range []string{
		"migrate up", "migrate down 0", "migrate down 0 --yes", "migrate force 0", "import -", "rollup fleet", "verify",
	} {
		got := c.runWith(records(), strings.Fields(args)...)
		if got.status != exitFailure || got.stdout != "" || !strings.HasSuffix(got.stderr, why) || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s: %+v", args, got)
		}
	}
	if got := c.runWith("", "migrate", "status"); got.status != exitSuccess || !strings.HasSuffix(got.stdout, "state    "+why) {
		t.Errorf("status: %+v", got)
	}
}

// Where an import was killed while it made the schema, the command that the next one names is enough.
func TestKilledImportCanBeRunAgain(t *testing.T) {
	program := filepath.Join(t.TempDir(), "ttpstore")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for round := range 16 {
		c := newCLI(t)
		file := c.write("tags.jsonl", records())
		imported := exec.CommandContext(t.Context(), program, "--db", "sqlite://"+c.db, "import", file)
		if err := imported.Start(); err != nil {
			t.Fatal(err)
		}
		for range 1000 { // until it has begun
			if _, err := os.Stat(c.db); err == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(round*5) * time.Millisecond)
		_ = imported.Process.Kill()
		_ = imported.Wait() // killed, or done before
		got := c.runWith("", "import", file)
		if got.status != exitSuccess {
			if !strings.Contains(got.stderr, " migrate up`") {
				t.Errorf("round %d: the import was refused: %+v", round, got)
			}
			if got := c.runWith("", "migrate", "up"); got.status != exitSuccess {
				t.Errorf("round %d: migrate up: %+v", round, got)
			}
			got = c.runWith("", "import", file)
		}
		if got.status != exitSuccess {
			t.Errorf("round %d: %+v", round, got)
		}
	}
}
