package main

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

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
	if got := c.runWith("", "migrate", "status"); !strings.HasSuffix(got.stdout, "\nstate    up to date\n") {
		t.Error(got)
	}
	c.want(result{exitUsage, "", "ttpstore: this loses rows: standard input is not a terminal, confirm with --yes\n" +
		"Run 'ttpstore migrate down --help' for usage.\n"}, "y\n", "migrate", "down", "0")
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
	clean := regexp.MustCompile(`^version  (\d+)\nlatest   (\d+)\ndirty    false\nstate    up to date\n$`)
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
