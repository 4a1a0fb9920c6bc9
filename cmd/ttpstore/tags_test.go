package main

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

func TestTags(t *testing.T) {
	c := twoAttackers(t)
	for _, args := range []string{"fleet", "fleet --all", "fleet -n 0", "fleet --limit 6"} {
		if sources := c.sources("tags " + args); sources != "yxdbca" {
			t.Errorf("%s: %s", args, sources)
		}
	}
	if sources := c.sources("tags session s1 --oldest-first"); sources != "acbd" {
		t.Error(sources)
	}
	for _, how := range []string{"--limit=1", "--all", "--oldest-first"} {
		c.want(result{exitSuccess, "", "no tag has session none\n"}, "", "tags", "session", "none", how)
	}
	c.want(result{exitSuccess, "{\"tags\": [], \"total\": 0}\n", "no tag has session none\n"}, "", "tags", "session", "none", "--json")
	c.want(result{exitSuccess, "", "no tag has session none\n"}, "", "tags", "session", "none", "--all", "-o=jsonl")
	c.want(result{exitSuccess, "0\n", ""}, "", "tags", "session", "none", "--count")
}

// sources returns the sources of the tags that a command lists.
func (c cli) sources(command string) (sources string) {
	c.t.Helper()
	args := shellWords(command)
	for _, row := range c.rows(args[0], args[1:]...) {
		sources += row["source_id"]
	}
	return sources
}

// tagPage parses the output of tags --json and returns the sources of the tags.
func tagPage(t *testing.T, got result) (sources, next string) {
	t.Helper()
	var page ttp.TagPage
	if err := json.Unmarshal([]byte(got.stdout), &page); err != nil || got.status != exitSuccess || (got.stderr != "") != (page.Next != "") {
		t.Fatalf("%+v: %v", got, err)
	}
	for _, tag := range page.Tags {
		sources += tag.SourceID
	}
	return sources, page.Next
}

func TestTagsPageByPage(t *testing.T) {
	c := twoAttackers(t)
	args := []string{"tags", "fleet", "--json", "--limit", "4"}
	sources, next := tagPage(t, c.runWith("", args...))
	if sources != "yxdb" || next == "" {
		t.Fatal(sources, next)
	}
	if sources, next := tagPage(t, c.runWith("", append(args, "--cursor", next)...)); sources != "ca" || next != "" {
		t.Error(sources, next)
	}
	if got := c.runWith("", "tags", "fleet", "--limit", "4"); got.stderr != "showing 4 of 6; use --cursor "+next+" for the next page or --limit 0 for all\n" {
		t.Errorf("%+v", got)
	}
	if sources, _ := tagPage(t, c.runWith("", "tags", "fleet", "--json", "--limit=1", "--cursor="+next)); sources != "c" {
		t.Error("another limit with the same cursor", sources)
	}
	_, ofAttacker := tagPage(t, c.runWith("", "tags", "attacker", strings.ToUpper(attackerID), "--json", "--limit=3"))
	if sources, _ := tagPage(t, c.runWith("", "tags", "attacker", attackerID, "--json", "--cursor="+ofAttacker)); sources != "a" {
		t.Error("the same id in other letters", sources)
	}
	for _, test := range []struct{ args, message string }{
		{"fleet --rule R1 --cursor " + next, "belongs to another scope or filter: start again without a cursor"},
		{"session s1 --cursor " + next, "belongs to another scope or filter: start again without a cursor"},
		{"fleet --cursor " + next[1:], "is damaged: pass Next of the previous page unchanged"},
	} {
		c.wantWrong("list tags: invalid query: cursor: "+test.message, "tags", append([]string{"tags"}, strings.Fields(test.args)...)...)
	}
}

// For a relative time window, the hint must give the fixed time.
func TestHintToGoOnHoldsTheWindow(t *testing.T) {
	c := twoAttackers(t)
	days := int(time.Since(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)).Hours() / 24)
	args := []string{"tags", "session", "s1", "--since", strconv.Itoa(days) + "d", "--until=0s", "--limit", "3"}
	got := c.runWith("", args...)
	hint := strings.Fields(strings.TrimSuffix(strings.TrimPrefix(got.stderr, "showing 3 of 4; use "), " for the next page or --limit 0 for all\n"))
	if got.status != exitSuccess || len(hint) != 6 || hint[0] != "--since" || hint[2] != "--until" || hint[4] != "--cursor" {
		t.Fatalf("%+v", got)
	}
	if sources, _ := tagPage(t, c.runWith("", append([]string{"tags", "session", "s1", "--json"}, hint...)...)); sources != "a" {
		t.Error(sources)
	}
	if got := c.runWith("", append(args, hint[4:]...)...); got.status != exitUsage {
		t.Errorf("without the window: %+v", got)
	}
}

func TestTagsAsJSONLines(t *testing.T) {
	c := twoAttackers(t)
	for _, test := range []struct{ args, want string }{
		{"fleet --all", "yxdbca"},
		{"session s1 --oldest-first", "acbd"},
		{"session s1 --oldest-first --all --tactic TA0006", "ab"},
	} {
		got := c.runWith("", append([]string{"tags", "-o=jsonl"}, strings.Fields(test.args)...)...)
		var sources string
		for line := range strings.Lines(got.stdout) {
			var tag ttp.Tag
			if err := json.Unmarshal([]byte(line), &tag); err != nil || tag.UUID != tag.ComputeUUID() {
				t.Errorf("%q: %v", line, err)
			}
			sources += tag.SourceID
		}
		if sources != test.want || got.status != exitSuccess || got.stderr != "" {
			t.Errorf("%s: %q %+v", test.args, sources, got)
		}
	}
}

// A long list is printed in chunks under one header, all with the same columns.
func TestTagsInChunks(t *testing.T) {
	c := twoAttackers(t)
	var lines strings.Builder
	for i := range 2*chunk + 1 {
		lines.WriteString(tagLine("long"+strconv.Itoa(i), "TA0006", "T1110", "0.5", time.Unix(1780000000+int64(i), 0).UTC().Format(time.RFC3339)))
	}
	if got := c.runWith(lines.String(), "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	t.Setenv("COLUMNS", "200")
	got := strings.Split(c.runWith("", "tags", "fleet", "--all", "-o=table").stdout, "\n")
	if len(got) != 1+2*chunk+1+6+1 || strings.Count(strings.Join(got, "\n"), "OBSERVED") != 1 {
		t.Fatal(len(got))
	}
	decky := strings.Index(got[0], "DECKY")
	i := slices.IndexFunc(got, func(line string) bool { return strings.Contains(line, "payload y") })
	if i < 2*chunk || decky < 0 || strings.Index(got[i], "decky-1") != decky {
		t.Errorf("line %d: %q\n%q", i, got[0], got[i])
	}
}

func TestWrongTags(t *testing.T) {
	c := newCLI(t)
	for _, test := range []struct{ args, message string }{
		{"fleet --limit -1", `invalid argument "-1" for "-n, --limit" flag: must be a whole number from 0 to 10000`},
		{"fleet --limit 10001", `invalid argument "10001" for "-n, --limit" flag: must be a whole number from 0 to 10000`},
		{"fleet --cursor=", `invalid argument "" for "--cursor" flag: must not be empty`},
		{"fleet --count --limit 1", "--limit and --count are mutually exclusive"},
		{"fleet --count --all", "--count and --all are mutually exclusive"},
		{"fleet --all --cursor x", "--cursor and --all are mutually exclusive"},
		{"session x --oldest-first --cursor x", "--cursor and --oldest-first are mutually exclusive"},
		{"session x --oldest-first --count", "--count and --oldest-first are mutually exclusive"},
		{"fleet --oldest-first", "--oldest-first requires a session"},
		{"attacker " + attackerID + " --oldest-first", "--oldest-first requires a session"},
	} {
		c.wantWrong(test.message, "tags", append([]string{"tags"}, strings.Fields(test.args)...)...)
	}
	c.wantNoFile()
}
