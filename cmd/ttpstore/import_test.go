package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

// importReport parses the output of import --json.
func importReport(t *testing.T, stdout string) ttp.ImportReport {
	t.Helper()
	var report ttp.ImportReport
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatalf("%q: %v", stdout, err)
	}
	return report
}

func TestImport(t *testing.T) {
	all := records()
	fresh := ttp.ImportReport{Lines: 8, Campaigns: 1, Identities: 1, Attackers: 1, Read: 5, Inserted: 4, BelowFloor: 1}
	again := fresh
	again.Inserted, again.Duplicate = 0, 4
	noFloor := fresh
	noFloor.Inserted, noFloor.BelowFloor = 5, 0

	for _, test := range []struct {
		name  string
		stdin string
		args  []string
		want  ttp.ImportReport
		then  ttp.ImportReport // report of a subsequent plain import
	}{
		{"stdin", all, []string{"-"}, fresh, again},
		{"stdin in gzip", zip(t, all), []string{"-"}, fresh, again},
		{"small batches", all, []string{"-", "--batch", "1"}, fresh, again},
		{"no floor", all, []string{"-", "--floor", "0"}, noFloor, again},
		{"nothing", "", []string{"-"}, ttp.ImportReport{}, fresh},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCLI(t)
			got := c.runWith(test.stdin, append([]string{"import", "--json"}, test.args...)...)
			if got.status != exitSuccess || got.stderr != "created the missing schema\n" {
				t.Errorf("%+v", got)
			}
			if report := importReport(t, got.stdout); report != test.want {
				t.Errorf("got %+v, want %+v", report, test.want)
			}
			got = c.runWith("", "import", "--json", c.write("plain.jsonl", all))
			if report := importReport(t, got.stdout); report != test.then || got.stderr != "" {
				t.Errorf("then got %+v, want %+v", got, test.then)
			}
		})
	}
}

func TestImportPrintsCounts(t *testing.T) {
	c := newCLI(t)
	file := c.write("tags.jsonl.gz", zip(t, records()))
	if got := c.runWith("", "migrate", "up"); got.status != exitSuccess {
		t.Fatal(got)
	}
	counts := "lines\t8\ncampaigns\t1\nidentities\t1\nattackers\t1\nread\t5\ninserted\t4\nduplicate\t0\nbelow floor\t1\ntombstoned\t0\ninvalid\t0\n"
	for range 2 { // the first wrote nothing
		c.want(result{exitSuccess, counts, "dry run: nothing was written\n"}, "", "import", "--dry-run", file)
	}
	c.want(result{exitSuccess, counts, ""}, "", "import", file)
}

func TestImportStopsAtInvalidLines(t *testing.T) {
	c := filled(t)
	lines := tagLine("x", "TA0006", "T1110", "0.9", "2026-03-15T00:00:00Z") + // written with the first batch
		"\n" +
		tagLine("y", "TA0006", "T1110", "0.9", "2026-03-15T00:00:00Z") +
		tagLine("z", "TA6", "T1110", "2", "2026-03-15T00:00:00Z") +
		"nonsense\n"
	counts := func(lines, read, inserted, invalid string) string {
		return "lines\t" + lines + "\ncampaigns\t0\nidentities\t0\nattackers\t0\nread\t" + read +
			"\ninserted\t" + inserted + "\nduplicate\t0\nbelow floor\t0\ntombstoned\t0\ninvalid\t" + invalid + "\n"
	}
	problem := "line 4: tactic: must be \"TA\" and four digits\nline 4: confidence: must be a number from 0 to 1\n"
	c.want(result{exitFailure, counts("4", "1", "1", "1"), problem +
		"ttpstore: import: stopped at 2 problems; the batch was not written: fix the lines or skip them with --skip-invalid\n"},
		lines, "import", "--batch", "2", "-")
	fleet := c.runWith("", "rollup", "fleet", "-o=jsonl").stdout
	if !strings.Contains(fleet, `"technique_id":"T1110","technique_name":"Brute Force","tactic_name":"Credential Access",`+
		`"mitre_url":"https://attack.mitre.org/techniques/T1110","tactic":"TA0006","tactics":[{"tactic":"TA0006","tactic_name":"Credential Access","count":1}]`) {
		t.Errorf("the lines before the batch are written, those of it are not: %s", fleet)
	}
	got := c.runWith(lines, "import", "--skip-invalid", "--json", "-")
	if want := (ttp.ImportReport{Lines: 5, Read: 2, Inserted: 1, Duplicate: 1, Invalid: 2}); got.status != exitSuccess ||
		importReport(t, got.stdout) != want || got.stderr != problem+"line 5: must be a JSON object\n" {
		t.Errorf("%+v", got)
	}
}

func TestImportPrintsTenProblems(t *testing.T) {
	c := filled(t)
	got := c.runWith(strings.Repeat("nonsense\n", 23), "import", "-")
	want := "line 10: must be a JSON object\n... and 13 more problems\nttpstore: import: stopped at 23 problems; "
	if got.status != exitFailure || !strings.Contains(got.stderr, want) || strings.Count(got.stderr, "\n") != 12 {
		t.Errorf("%+v", got)
	}
}

func TestImportEndsWithTheContext(t *testing.T) {
	c := filled(t)
	stdin, silent, err := os.Pipe() // reads of it block
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	status := run(ctx, []string{"--db", "sqlite://" + c.db, "import", "-"}, stdin, &stdout, &stderr)
	if status != exitFailure || stderr.String() != "ttpstore: interrupted\n" {
		t.Error(status, stderr.String())
	}
}

func TestImportRecognisesOtherFiles(t *testing.T) {
	c := filled(t)
	for content, hint := range map[string]string{
		`{"eventid":"cowrie.login.failed","username":"root","timestamp":"2018-05-06T17:44:05Z"}` + "\n":                        "this is a Cowrie log: convert its events to tags first; ",
		"{\n  \"name\": \"x\", \"versions\": {\"layer\": \"4.5\"},\n \"domain\": \"enterprise-attack\", \"techniques\": []\n}": "this is an ATT&CK Navigator layer; ",
		`{"type":"bundle","id":"bundle--1","objects":[]}`:                                                                      "this is a STIX bundle; ",
		"[\n  {\"name\": \"x\", \"versions\": {\"layer\": \"4.5\"},\n \"domain\": \"mobile-attack\", \"techniques\": []}\n]":   "this is an ATT&CK Navigator layer; ",
		`[{"technique_id":"T1110","tactic":"TA0006","count":2}]`:                                                               "this is a JSON array; ",
		c.runWith("", "tags", "fleet", "--json").stdout:                                                                        "this is output of \"ttpstore tags\": use `ttpstore --db ",
		c.runWith("", "tags", "fleet", "-o=jsonl").stdout:                                                                      "this is output of \"ttpstore tags\": use `ttpstore --db ",
		"uuid,technique_id,tactic\n1,T1110,TA0006\n":                                                                           "this looks like CSV; ",
		"SQLite format 3\x00": "this is a SQLite database: use it with --db\n",
	} {
		for _, input := range []string{content, zip(t, content)} {
			for _, flags := range [][]string{nil, {"--skip-invalid"}} {
				got := c.runWith(input, append([]string{"import", "-"}, flags...)...)
				if !strings.Contains(got.stderr, "\n"+hint) || len(flags) == 0 && got.status != exitFailure {
					t.Errorf("%q: %+v", content, got)
				}
			}
		}
	}
	if got := c.runWith("nonsense\n", "import", "-"); strings.Contains(got.stderr, "this is") {
		t.Errorf("%+v", got)
	}
}
