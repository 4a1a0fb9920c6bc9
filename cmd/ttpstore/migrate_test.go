package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/decnet/ttpstore/internal/conformance"
	"github.com/decnet/ttpstore/ttp"
)

func TestMigrate(t *testing.T) {
	c := newCLI(t)
	status := func() (s ttp.SchemaStatus) {
		t.Helper()
		got := c.runWith("", "migrate", "status", "--json")
		if err := json.Unmarshal([]byte(got.stdout), &s); err != nil || got.status != exitSuccess {
			t.Fatal(got, err)
		}
		return s
	}
	if got := c.runWith("", "migrate", "up"); got.status != exitSuccess || !strings.HasPrefix(got.stdout, "schema migrated from version 0 to ") {
		t.Error(got)
	}
	if got := c.runWith("", "migrate", "up"); got.status != exitSuccess || !strings.HasPrefix(got.stdout, "schema unchanged at version ") {
		t.Error(got)
	}
	if s := status(); s.Version != s.Latest || s.Version == 0 || s.Dirty {
		t.Error(s)
	}
	if got := c.runWith("", "migrate", "status"); !strings.HasSuffix(got.stdout, "\nstate\tup to date\n") {
		t.Error(got)
	}
	c.want(result{exitFailure, "", "ttpstore: this drops all tables and 0 tags: standard input is not a terminal, confirm with --yes\n"},
		"y\n", "migrate", "down", "0")
	if s := status(); s.Version != s.Latest {
		t.Error("down without --yes went down", s)
	}
	if got := c.runWith("", "migrate", "down", "99", "--yes"); got.status != exitFailure {
		t.Error(got)
	}
	if got := c.runWith("", "migrate", "down", "0", "--yes"); got.status != exitSuccess || !strings.HasSuffix(got.stdout, " to 0\n") {
		t.Error(got)
	}
	if s := status(); s.Version != 0 {
		t.Error(s)
	}
	if got := c.runWith("", "migrate", "force", "1"); got.status != exitFailure {
		t.Error(got)
	}
}

func TestOldSchemaIsRefused(t *testing.T) {
	c := filled(t)
	var status ttp.SchemaStatus
	if err := json.Unmarshal([]byte(c.runWith("", "migrate", "status", "--json").stdout), &status); err != nil {
		t.Fatal(err)
	}
	if got := c.runWith("", "migrate", "down", strconv.Itoa(status.Latest-1), "--yes"); got.status != exitSuccess {
		t.Fatal(got)
	}
	for _, args := range [][]string{{"rollup", "fleet"}, {"export", "-"}, {"import", "-"}} {
		if got := c.runWith(records(), args...); got.status != exitFailure || got.stdout != "" || !strings.Contains(got.stderr, "schema too old") {
			t.Errorf("%v: %+v", args, got)
		}
	}
}

// Services that start together migrate concurrently, in separate processes.
func TestSeveralProcessesMigrateAtOnce(t *testing.T) {
	program := program(t)
	clean := regexp.MustCompile(`^version\t(\d+)\nlatest\t(\d+)\ndirty\tfalse\nstate\tup to date\n$`)
	for range 5 {
		c := newCLI(t)
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				out, err := exec.CommandContext(t.Context(), program, "--db", "sqlite://"+c.db, "migrate", "up").CombinedOutput()
				if err != nil {
					t.Errorf("%v: %s", err, out)
				}
			})
		}
		wg.Wait()
		if got := c.runWith("", "migrate", "status"); !clean.MatchString(got.stdout) {
			t.Errorf("%+v", got)
		}
	}
}

func TestMigratingDownSaysHowManyTagsGo(t *testing.T) {
	c := filled(t)
	refusal := func(loss string) result {
		return result{exitFailure, "", "ttpstore: " + loss + ": standard input is not a terminal, confirm with --yes\n"}
	}
	c.want(refusal("this loses data that version 8 cannot store, from a database of 4 tags"), "y\n", "migrate", "down", "8")
	c.want(refusal("this drops all tables and 4 tags"), "y\n", "migrate", "down", "0")
	if got := c.runWith("", "migrate", "down", "8", "--yes"); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(refusal("this drops all tables and an unknown number of tags"), "y\n", "migrate", "down", "0")
	if got := c.runWith("", "migrate", "down", "0", "--yes"); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(result{exitSuccess, "schema unchanged at version 0\n", ""}, "", "migrate", "down", "0")
}

func TestForeignDatabaseIsRefused(t *testing.T) {
	c := newCLI(t)
	conformance.PredecessorFile(t, c.db)
	why := "foreign schema, nothing was changed: the table ttp_tag has no column technique_key and looks like DECNET's: " +
		"give ttpstore a database of its own and run \"ttpstore import --from\" with the URL of this one\n"
	for _, args := range []string{
		"migrate up", "migrate down 0", "migrate down 0 --yes", "migrate force 0", "import -", "rollup fleet", "verify",
	} {
		got := c.runWith(records(), strings.Fields(args)...)
		if got.status != exitFailure || got.stdout != "" || !strings.HasSuffix(got.stderr, why) || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s: %+v", args, got)
		}
	}
	if got := c.runWith("", "migrate", "status"); got.status != exitSuccess || !strings.HasSuffix(got.stdout, "state\t"+why) {
		t.Errorf("status: %+v", got)
	}
}

// After an import was killed while it created the schema, the command that the next import suggests repairs it.
func TestKilledImportCanBeRunAgain(t *testing.T) {
	program := program(t)
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

func TestViews(t *testing.T) {
	c := filled(t)
	names := "ttp_attacker_view, ttp_campaign_view, ttp_identity_view, ttp_tag_view"
	c.want(result{exitSuccess, "", "created views " + names + "\n"}, "", "migrate", "views")
	c.wantWrong(`unexpected argument "x"`, "migrate views", "migrate", "views", "x")
	missing := newCLI(t)
	if got := missing.runWith("", "migrate", "views"); got.status != exitFailure || !strings.Contains(got.stderr, "schema missing") {
		t.Errorf("%+v", got)
	}
	missing.wantNoFile()
}
