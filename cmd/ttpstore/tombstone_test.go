package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

// purgeWithTombstone removes a session with a tombstone and returns the tombstone.
func (c cli) purgeWithTombstone(session string, args ...string) ttp.Tombstone {
	c.t.Helper()
	if got := c.runWith("", append([]string{"purge", "session", session, "--yes", "--tombstone"}, args...)...); got.status != exitSuccess {
		c.t.Fatal(got)
	}
	all := c.tombstones()
	return all[len(all)-1]
}

func (c cli) tombstones() (all []ttp.Tombstone) {
	c.t.Helper()
	got := c.runWith("", "tombstone", "list", "--json")
	if err := json.Unmarshal([]byte(got.stdout), &all); err != nil || got.status != exitSuccess {
		c.t.Fatal(got, err)
	}
	return all
}

func TestTombstone(t *testing.T) {
	c := filled(t)
	again := func(want ttp.ImportReport) {
		t.Helper()
		want.Lines, want.Campaigns, want.Identities, want.Attackers, want.Read, want.BelowFloor = 8, 1, 1, 1, 5, 1
		if got := importReport(t, c.runWith(records(), "import", "-", "--json").stdout); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	id := c.purgeWithTombstone("s1").UUID.String()
	again(ttp.ImportReport{Tombstoned: 4})
	c.wantTags("0")
	c.want(result{exitSuccess, "tags\t4\n", "dry run: nothing was changed\n"}, "", "tombstone", "lift", id, "--dry-run")
	again(ttp.ImportReport{Tombstoned: 4})
	c.want(result{exitSuccess, "tags\t4\n", ""}, "", "tombstone", "lift", id, "--batch=1")
	c.want(result{exitFailure, "", "ttpstore: lift tombstone " + id + ": not found\n"}, "", "tombstone", "lift", id)
	c.want(result{exitFailure, "", "ttpstore: lift tombstone " + id + ": not found\n"}, "", "tombstone", "lift", id, "--dry-run")
	again(ttp.ImportReport{Inserted: 4})
	c.wantTags("4")
}

func TestTombstoneList(t *testing.T) {
	c := twoAttackers(t)
	c.want(result{exitSuccess, "[]\n", "no tombstones\n"}, "", "tombstone", "list", "--json")
	c.want(result{exitSuccess, "", "no tombstones\n"}, "", "tombstone", "list")
	first, second := c.purgeWithTombstone("s1"), c.purgeWithTombstone("s2", "--reason", "our own\u202e test")
	date := func(s ttp.Tombstone) string { return s.CreatedAt.Format("2006-01-02T15:04:05.999999Z") }
	short := func(s ttp.Tombstone) string { return s.UUID.String()[:8] + "  " + s.CreatedAt.Format(time.DateTime) }
	c.want(result{exitSuccess, "TOMBSTONE  CREATED              TAGS  REMOVED           REASON\n" +
		strings.Replace(short(first), "  ", "   ", 1) + "     4  purge session s1\n" +
		strings.Replace(short(second), "  ", "   ", 1) + "     2  purge session s2  our own\\u202e test\n", ""}, "", "tombstone", "list", "-o=table")
	c.want(result{exitSuccess, "uuid,removed,reason,created_at,tags\n" +
		first.UUID.String() + ",purge session s1,," + date(first) + ",4\n", "showing 1 of 2; use --after " + first.UUID.String() + " for the next page or --limit 0 for all\n"},
		"", "tombstone", "list", "-o=csv", "--limit=1")
	c.want(result{exitSuccess, `{"uuid":"` + second.UUID.String() + `","removed":"purge session s2","reason":"our own` + "\u202e" +
		` test","created_at":"` + date(second) + `","tags":2}` + "\n", ""},
		"", "tombstone", "list", "--after", first.UUID.String(), "-n=0", "-o=jsonl")
}

func TestWrongTombstone(t *testing.T) {
	c := newCLI(t)
	for args, message := range map[string]string{
		"list x":                            `unexpected argument "x"`,
		"list --limit -1":                   `invalid argument "-1" for "-n, --limit" flag: must be a whole number from 0 to 10000`,
		"list --after x":                    `invalid argument "x" for "--after" flag: must be a UUID`,
		"list --output xml":                 `invalid argument "xml" for "-o, --output" flag: must be table, json, jsonl or csv`,
		"lift":                              "missing argument ID",
		"lift x":                            `the argument ID must be an id or at least the first 8 digits of one, not "x"`,
		"lift " + attackerID + " --batch 0": `invalid argument "0" for "--batch" flag: must be a whole number from 1 to 1000`,
	} {
		name, _, _ := strings.Cut(args, " ")
		c.wantWrong(message, "tombstone "+name, append([]string{"tombstone"}, strings.Fields(args)...)...)
	}
	c.wantNoFile()
}

func TestTombstonesAreCompleted(t *testing.T) {
	c := filled(t)
	if got := c.runWith("", "purge", "session", "s1", "--tombstone", "--yes"); got.status != exitSuccess {
		t.Fatal(got)
	}
	tombstone := c.rows("tombstone", "list")[0]
	c.want(result{exitSuccess, tombstone["uuid"] + "\t" + tombstone["removed"] + "\n:4\n",
		"Completion ended with directive: ShellCompDirectiveNoFileComp\n"}, "", "__complete", "tombstone", "lift", "")
}
