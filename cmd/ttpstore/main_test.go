package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

const (
	campaignID = "27b9630e-70f3-513e-b7aa-1f4f8ca1f251"
	identityID = "e1292c78-2e52-5857-ae79-bbc6fe89e0c2"
	attackerID = "542eed02-5e33-5182-94c3-b95ea9af1b84"

	scopes = `{"type":"campaign","uuid":"` + campaignID + `","name":"Copper Heron"}
{"type":"identity","uuid":"` + identityID + `","campaign_uuid":"` + campaignID + `"}
{"type":"attacker","uuid":"` + attackerID + `","ip":"192.0.2.7","identity_uuid":"` + identityID + `"}
`
)

// tagLine is a tag of the test's attacker and session.
func tagLine(source, tactic, technique, confidence, time string) string {
	parent, _, sub := strings.Cut(technique, ".")
	if sub {
		technique = parent + `","sub_technique_id":"` + technique
	}
	return `{"type":"tag","source_kind":"command","source_id":"` + source + `","attacker_uuid":"` + attackerID +
		`","session_id":"s1","tactic":"` + tactic + `","technique_id":"` + technique + `","confidence":` + confidence +
		`,"rule_id":"R1","rule_version":1,"attack_release":"18.1","observed_at":"` + time + `","evidence":{}}` + "\n"
}

// records are 3 scopes, 4 tags and one tag below the floor.
func records() string {
	return scopes +
		tagLine("a", "TA0006", "T1110.001", "0.5", "2026-03-15T17:06:27.72714Z") +
		tagLine("b", "TA0006", "T1110.001", "0.75", "2026-03-15T17:06:36Z") +
		tagLine("c", "TA0001", "T1110.001", "0.72", "2026-03-15T17:06:30Z") +
		tagLine("d", "TA0007", "T1082", "0.925", "2026-03-16T00:00:00Z") +
		tagLine("e", "TA0007", "T1082", "0.25", "2026-03-17T00:00:00Z")
}

// result is what a run left behind.
type result struct {
	status         int
	stdout, stderr string
}

// cli runs commands on one database.
type cli struct {
	t  *testing.T
	db string
}

func newCLI(t *testing.T) cli {
	t.Helper()
	t.Setenv(dbEnvironment, "")
	return cli{t, filepath.Join(t.TempDir(), "ttp.db")}
}

func (c cli) runWith(stdin string, args ...string) result {
	c.t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{"--db", "sqlite://" + c.db}, args...)
	status := run(c.t.Context(), args, strings.NewReader(stdin), &stdout, &stderr)
	for _, text := range []string{stdout.String(), stderr.String()} {
		if strings.ContainsAny(text, "\x1b\r") {
			c.t.Errorf("%v: colour codes or a progress bar where no terminal is: %q", args, text)
		}
	}
	return result{status, stdout.String(), stderr.String()}
}

// want runs a command and compares all that it left behind.
func (c cli) want(want result, stdin string, args ...string) {
	c.t.Helper()
	if got := c.runWith(stdin, args...); got != want {
		c.t.Errorf("%v:\ngot  %d\nstdout %q\nstderr %q\nwant %d\nstdout %q\nstderr %q", args,
			got.status, got.stdout, got.stderr, want.status, want.stdout, want.stderr)
	}
}

// filled is a database with the records of the test.
func filled(t *testing.T) cli {
	t.Helper()
	c := newCLI(t)
	if got := c.runWith(records(), "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	return c
}

func (c cli) write(name, content string) string {
	c.t.Helper()
	path := filepath.Join(c.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func zip(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// importReport parses what import --json printed.
func importReport(t *testing.T, stdout string) ttp.ImportReport {
	t.Helper()
	var report ttp.ImportReport
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatalf("%q: %v", stdout, err)
	}
	return report
}

func (c cli) wantNoFile() {
	c.t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(c.db), "*"))
	if err != nil || len(files) > 0 {
		c.t.Errorf("files were made: %v %v", files, err)
	}
}

func TestReadingMakesNoFile(t *testing.T) {
	c := newCLI(t)
	url := "sqlite://" + c.db
	noFile := "ttpstore: the database " + url + " is missing: check --db or $TTPSTORE_DB, or make it with `ttpstore --db " + url + " import FILE`\n"
	noSchema := "schema missing: run `ttpstore --db " + url + " migrate up`\n"
	out := filepath.Join(filepath.Dir(c.db), "out.jsonl")
	for _, args := range [][]string{
		{"rollup", "fleet"}, {"rollup", "session", "s1"}, {"rollup", "campaign", campaignID},
		{"export", "-"}, {"export", out}, {"import", "--dry-run", "-"},
		{"tags", "fleet"}, {"tags", "fleet", "--all"}, {"tags", "session", "s1", "--oldest-first"}, {"tags", "fleet", "--count"},
		{"tag", attackerID}, {"timeline", "fleet"}, {"who", "session"}, {"new", "fleet", "--since", "7d"}, {"compare", "fleet", "fleet"},
		{"rules"}, {"phases", identityID}, {"rollup", "attackers"}, {"rollup", "identities"}, {"verify"}, {"verify", "--repair", "--yes"},
		{"scope", "show", "attacker", attackerID}, {"scope", "list", "campaigns"}, {"scope", "list", "identities", "--json"},
		{"scope", "list", "attackers", "--all"}, {"tombstone", "list"}, {"purge", "session", "s1", "--dry-run"},
		{"purge", "attacker", attackerID, "--yes"}, {"rollback", "rule", "R1", "--yes", "--tombstone"}, {"retention", "--keep=1d", "--yes"},
	} {
		want := noFile
		if args[0] == "import" {
			want = "ttpstore: check schema: " + noSchema
		}
		c.want(result{exitFailure, "", want}, records(), args...)
		c.wantNoFile()
	}
	got := c.runWith("", "migrate", "status")
	if got.status != exitSuccess || got.stderr != "" || !strings.HasPrefix(got.stdout, "version  0\n") ||
		!strings.HasSuffix(got.stdout, "\ndirty    false\nstate    "+noSchema) {
		t.Errorf("status: %+v", got)
	}
	c.wantNoFile()
}

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
	if got := c.runWith("", "migrate", "up"); got.status != exitSuccess || !strings.HasPrefix(got.stdout, "schema went from version 0 to ") {
		t.Error(got)
	}
	if got := c.runWith("", "migrate", "up"); got.status != exitSuccess || !strings.HasPrefix(got.stdout, "schema stays at version ") {
		t.Error(got)
	}
	if s := status(); s.Version != s.Latest || s.Version == 0 || s.Dirty {
		t.Error(s)
	}
	if got := c.runWith("", "migrate", "status"); !strings.HasSuffix(got.stdout, "\nstate    up to date\n") {
		t.Error(got)
	}
	c.want(result{exitFailure, "", "ttpstore: this drops all tables, with 0 tags: confirm it with --yes, since nobody can be asked here\n"},
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
		then  ttp.ImportReport // of a plain import afterwards
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
			if got.status != exitSuccess || got.stderr != "the schema was missing and has been created\n" {
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
	counts := "lines        8\ncampaigns    1\nidentities   1\nattackers    1\nread         5\ninserted     4\nduplicate    0\nbelow floor  1\ntombstoned   0\ninvalid      0\n"
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
		return "lines        " + lines + "\ncampaigns    0\nidentities   0\nattackers    0\nread         " + read +
			"\ninserted     " + inserted + "\nduplicate    0\nbelow floor  0\ntombstoned   0\ninvalid      " + invalid + "\n"
	}
	problem := "line 4: tactic: must be \"TA\" and four digits\nline 4: confidence: must be a number from 0 to 1\n"
	c.want(result{exitFailure, counts("4", "1", "1", "1"), problem +
		"ttpstore: import: stopped at 2 problems, nothing of their batch was written: mend them, or leave them out with --skip-invalid\n"},
		lines, "import", "--batch", "2", "-")
	fleet := c.runWith("", "rollup", "fleet", "--format", "csv").stdout
	if !strings.Contains(fleet, "\nT1110,,,,TA0006,TA0006:1,") {
		t.Errorf("the lines before the batch are written, those of it are not: %s", fleet)
	}
	got := c.runWith(lines, "import", "--skip-invalid", "--json", "-")
	if want := (ttp.ImportReport{Lines: 5, Read: 2, Inserted: 1, Duplicate: 1, Invalid: 2}); got.status != exitSuccess ||
		importReport(t, got.stdout) != want || got.stderr != problem+"line 5: must be a JSON object\n" {
		t.Errorf("%+v", got)
	}
}

func TestImportPrintsTwentyProblems(t *testing.T) {
	c := filled(t)
	got := c.runWith(strings.Repeat("nonsense\n", 23), "import", "-")
	want := "line 20: must be a JSON object\n... and 3 more\nttpstore: import: stopped at 23 problems, "
	if got.status != exitFailure || !strings.Contains(got.stderr, want) || strings.Count(got.stderr, "\n") != 22 {
		t.Errorf("%+v", got)
	}
}

func TestImportEndsWithTheContext(t *testing.T) {
	c := filled(t)
	stdin, silent, err := os.Pipe() // a read of it waits for ever
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

func TestExport(t *testing.T) {
	c := filled(t)
	dir := t.TempDir()
	stdout := c.runWith("", "export", "-")
	note := "exported 1 campaigns, 1 identities, 1 attackers, 4 tags\n"
	if stdout.status != exitSuccess || stdout.stderr != note || strings.Count(stdout.stdout, "\n") != 7 || !strings.HasPrefix(stdout.stdout, scopes) {
		t.Fatalf("%+v", stdout)
	}
	plain, zipped := filepath.Join(dir, "plain.jsonl"), filepath.Join(dir, "zipped.jsonl.gz")
	c.want(result{exitSuccess, "", note}, "", "export", plain)
	c.want(result{exitSuccess, `{"campaigns":1,"identities":1,"attackers":1,"tags":4}` + "\n", ""}, "", "export", "--json", zipped)
	if read(t, plain) != stdout.stdout {
		t.Error("a file holds something else than standard output")
	}
	if content := read(t, zipped); !strings.HasPrefix(content, "\x1f\x8b") {
		t.Errorf("not compressed: %q", content)
	}
	other := newCLI(t)
	if got := other.runWith("", "import", zipped); got.status != exitSuccess {
		t.Fatal(got)
	}
	if got := other.runWith("", "export", "-"); got != stdout {
		t.Errorf("an import of the export gives another export: %+v", got)
	}
}

func TestExportLeavesNoHalfFile(t *testing.T) {
	c := filled(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "out.jsonl")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.jsonl")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	if status := run(ctx, []string{"--db", "sqlite://" + c.db, "export", file}, nil, &stdout, &stderr); status != exitFailure {
		t.Error(status)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 || read(t, file) != "old" {
		t.Error("a failure changed the folder", files)
	}
	if got := c.runWith("", "export", link); got.status != exitSuccess {
		t.Error(got)
	}
	if target, err := os.Readlink(link); err != nil || target != file || read(t, file) == "old" {
		t.Error("a link's target is not what was written", target, err)
	}
	if got := c.runWith("", "export", os.DevNull); got.status != exitSuccess {
		t.Error(got)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatal("a device was replaced by a file", err)
	}
	if got := c.runWith("", "export", dir); got.status != exitFailure || got.stderr != "ttpstore: "+dir+" is a folder\n" {
		t.Error(got)
	}
}

func TestExportKeepsTheMode(t *testing.T) {
	c := filled(t)
	for _, mode := range []os.FileMode{0, 0o600, 0o640, 0o666} {
		file := filepath.Join(t.TempDir(), "out.jsonl")
		if mode != 0 {
			if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Chmod(file, mode)); err != nil {
				t.Fatal(err)
			}
		}
		if got := c.runWith("", "export", file); got.status != exitSuccess {
			t.Fatal(got)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if want := cmp.Or(mode, 0o600); info.Mode() != want || info.Size() == 0 {
			t.Errorf("a file of mode %v has now %v and %d bytes", mode, info.Mode(), info.Size())
		}
	}
}

func TestRollup(t *testing.T) {
	c := filled(t)
	table := `TECHNIQUE  SUB-TECHNIQUE  TACTICS             COUNT  FIRST SEEN            LAST SEEN             CONFIDENCE
T1110      T1110.001      TA0006 2, TA0001 1      3  2026-03-15T17:06:27Z  2026-03-15T17:06:36Z        0.75
T1082                     TA0007 1                1  2026-03-16T00:00:00Z  2026-03-16T00:00:00Z        0.93
`
	campaignTable := `TECHNIQUE  SUB-TECHNIQUE  TACTICS             COUNT  FIRST SEEN            LAST SEEN             CONFIDENCE  IDENTITIES
T1110      T1110.001      TA0006 2, TA0001 1      3  2026-03-15T17:06:27Z  2026-03-15T17:06:36Z        0.75           1
T1082                     TA0007 1                1  2026-03-16T00:00:00Z  2026-03-16T00:00:00Z        0.93           1
`
	header := "technique_id,technique_name,sub_technique_id,sub_technique_name,tactic,tactics,releases,count,first_seen,last_seen,confidence_max,mitre_url"
	csv := header + `
T1110,,T1110.001,,TA0006,TA0006:2;TA0001:1,enterprise-v18.1,3,2026-03-15T17:06:27.72714Z,2026-03-15T17:06:36Z,0.75,
T1082,,,,TA0007,TA0007:1,enterprise-v18.1,1,2026-03-16T00:00:00Z,2026-03-16T00:00:00Z,0.925,
`
	json := `[
  {
    "technique_id": "T1110",
    "sub_technique_id": "T1110.001",
    "tactic": "TA0006",
    "tactics": [
      {
        "tactic": "TA0006",
        "count": 2
      },
      {
        "tactic": "TA0001",
        "count": 1
      }
    ],
    "releases": [
      "enterprise-v18.1"
    ],
    "count": 3,
    "first_seen": "2026-03-15T17:06:27.72714Z",
    "last_seen": "2026-03-15T17:06:36Z",
    "confidence_max": 0.75
  },
  {
    "technique_id": "T1082",
    "tactic": "TA0007",
    "tactics": [
      {
        "tactic": "TA0007",
        "count": 1
      }
    ],
    "releases": [
      "enterprise-v18.1"
    ],
    "count": 1,
    "first_seen": "2026-03-16T00:00:00Z",
    "last_seen": "2026-03-16T00:00:00Z",
    "confidence_max": 0.925
  }
]
`
	campaignJSON := strings.NewReplacer("0.75\n", "0.75,\n    \"identity_count\": 1\n", "0.925\n", "0.925,\n    \"identity_count\": 1\n").Replace(json)
	for _, scope := range [][]string{{"fleet"}, {"session", "s1"}, {"attacker", attackerID}, {"identity", identityID}} {
		args := append([]string{"rollup"}, scope...)
		c.want(result{exitSuccess, table, ""}, "", args...)
		c.want(result{exitSuccess, csv, ""}, "", append(args, "--format", "csv")...)
		c.want(result{exitSuccess, json, ""}, "", append(args, "--format=json")...)
	}
	c.want(result{exitSuccess, campaignTable, ""}, "", "rollup", "campaign", campaignID)
	c.want(result{exitSuccess, campaignJSON, ""}, "", "rollup", "campaign", campaignID, "--format", "json")
	if got := c.runWith("", "rollup", "campaign", campaignID, "--format", "csv").stdout; !strings.HasPrefix(got, header+",identity_count\n") ||
		!strings.HasSuffix(got, ",0.925,,1\n") {
		t.Error(got)
	}
	for _, scope := range [][]string{{"session", "s2"}, {"attacker", campaignID}, {"identity", campaignID}, {"campaign", attackerID}} {
		args := append([]string{"rollup"}, scope...)
		c.want(result{exitSuccess, "", "no tags\n"}, "", args...)
		c.want(result{exitSuccess, "[]\n", ""}, "", append(args, "--format", "json")...)
		if got := c.runWith("", append(args, "--format", "csv")...); got.status != exitSuccess ||
			strings.TrimSuffix(got.stdout, ",identity_count\n") != strings.TrimSuffix(header+"\n", map[bool]string{true: "\n"}[scope[0] == "campaign"]) {
			t.Errorf("%+v", got)
		}
	}
}

// The catalogue fills in names; until a store loads one, only this test sees the columns.
func TestTableShowsNamesWhereThereAreSome(t *testing.T) {
	row := ttp.TechniqueRollupRow{TechniqueID: "T1082", TechniqueName: "System Information Discovery", Count: 1}
	rows := newRollup(ttp.FleetScope, []ttp.TechniqueRollupRow{row})
	header, _, _ := strings.Cut(renderTable(rows.columns(), rows.rows), "\n")
	if !strings.Contains(header, "  NAME  ") || strings.Contains(header, "SUB-TECHNIQUE NAME") {
		t.Error(header)
	}
}

func TestWrongUsage(t *testing.T) {
	c := newCLI(t)
	for _, test := range []struct {
		args    string
		message string
		command string // whose help is named
	}{
		{"foo", `unknown command "foo"`, "ttpstore"},
		{"imprt x --batch 3", `unknown command "imprt", did you mean "import"?`, "ttpstore"},
		{"--foo", "unknown flag: --foo", "ttpstore"},
		{"help foo", `unknown command "foo"`, "ttpstore help"},
		{"completion foo", `unknown command "foo"`, "ttpstore completion"},
		{"root:secret@db", `unknown command "root:...@db"`, "ttpstore"},
		{"migrate foo", `unknown command "foo"`, "ttpstore migrate"},
		{"migrate up 3", `unexpected argument "3"`, "ttpstore migrate up"},
		{"migrate down", "missing argument VERSION", "ttpstore migrate down"},
		{"migrate force x", `the argument VERSION must be a whole number from 0, not "x"`, "ttpstore migrate force"},
		{"import", "missing argument FILE", "ttpstore import"},
		{"import a b", `unexpected argument "b"`, "ttpstore import"},
		{"import - --batch 0", `invalid argument "0" for "--batch" flag: must be a whole number from 1`, "ttpstore import"},
		{"import - --floor 1.1", `invalid argument "1.1" for "--floor" flag: must be a number from 0 to 1`, "ttpstore import"},
		{"import - --floor NaN", `invalid argument "NaN" for "--floor" flag: must be a number from 0 to 1`, "ttpstore import"},
		{"export - --json", "--json prints to standard output, which the export itself takes: name a FILE", "ttpstore export"},
		{"rollup foo", `unknown command "foo"`, "ttpstore rollup"},
		{"rollup identity", "missing argument ID", "ttpstore rollup identity"},
		{"rollup identity x", `the argument ID must be a UUID, not "x"`, "ttpstore rollup identity"},
		{"rollup attacker x", `the argument ID must be a UUID, not "x"`, "ttpstore rollup attacker"},
		{"rollup campaign x", `the argument ID must be a UUID, not "x"`, "ttpstore rollup campaign"},
		{"rollup fleet x", `unexpected argument "x"`, "ttpstore rollup fleet"},
		{"rollup fleet --format xml", `invalid argument "xml" for "--format" flag: must be table, json or csv`, "ttpstore rollup fleet"},
	} {
		c.want(result{exitUsage, "", "ttpstore: " + test.message + "\nRun '" + test.command + " --help' for usage.\n"},
			"", strings.Fields(test.args)...)
	}
	c.wantNoFile()
}

func TestFailure(t *testing.T) {
	c := newCLI(t)
	c.want(result{exitFailure, "", "ttpstore: open nofile: no such file or directory\n"}, "", "import", "nofile")
	c.wantNoFile()
	for _, url := range []string{"foo", "postgres://u:secret@h/d", "mysql://u:secret@tcp(127.0.0.1:1)/d", "mysql://u:secret", "mysql://u:secret@tcp(127.0.0.1:1)/d?clientFoundRows=true"} {
		t.Setenv(dbEnvironment, url)
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), []string{"rollup", "fleet"}, nil, &stdout, &stderr)
		if status != exitFailure || stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "ttpstore: open: ") ||
			strings.Count(stderr.String(), "\n") != 1 || strings.Contains(stderr.String(), "secret") {
			t.Errorf("%s: %d %q %q", url, status, stdout.String(), stderr.String())
		}
		// Neither does help tell a password.
		if got := c.runWith("", "--help"); strings.Contains(strings.ReplaceAll(got.stdout, "ttp:secret", ""), "secret") {
			t.Error(got.stdout)
		}
	}
}

// The driver of MySQL writes to standard error whatever its caller does; that takes a process to see.
func TestDriverWritesNothing(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	cmd := exec.CommandContext(t.Context(), program(t), "--db", "mysql://u:secret@tcp("+server.Addr().String()+")/d", "rollup", "fleet")
	out, _ := cmd.CombinedOutput()
	if !strings.HasPrefix(string(out), "ttpstore: open: ") || strings.Count(string(out), "\n") != 1 {
		t.Errorf("got %s", out)
	}
}

// Without the --db, the advice would be about the default database.
func TestAdviceNamesTheDatabase(t *testing.T) {
	c := newCLI(t)
	t.Chdir(t.TempDir())
	missing := func(url string) string {
		return "ttpstore: the database " + url + " is missing: check --db or $TTPSTORE_DB, or make it with `ttpstore "
	}
	for _, test := range []struct {
		env, want string
		args      []string
	}{
		{"", missing(defaultDB) + "import FILE`\n", nil},
		{"sqlite://a.db", missing("sqlite://a.db") + "import FILE`\n", nil},
		{"sqlite://a.db", missing("sqlite://b.db") + "--db sqlite://b.db import FILE`\n", []string{"--db=sqlite://b.db"}},
		{"", missing("sqlite://a b.db") + "--db ... import FILE`\n", []string{"--db=sqlite://a b.db"}},
		{"", "ttpstore: rollup fleet: schema missing: run `ttpstore --db sqlite://:memory: migrate up`\n", []string{"--db=sqlite://:memory:"}},
	} {
		t.Setenv(dbEnvironment, test.env)
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), append(test.args, "rollup", "fleet"), nil, &stdout, &stderr)
		if status != exitFailure || stderr.String() != test.want {
			t.Errorf("%q: %d, %q", test.args, status, stderr.String())
		}
	}
	c.wantNoFile()
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

func TestDatabaseOfTheEnvironment(t *testing.T) {
	c := filled(t)
	t.Setenv(dbEnvironment, "sqlite://"+c.db)
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"export", "-"}, nil, &stdout, &stderr); status != exitSuccess || stdout.Len() == 0 {
		t.Error(status, stderr.String())
	}
}

func TestHelp(t *testing.T) {
	c := newCLI(t)
	for _, args := range []string{"", "--help", "help", "migrate", "rollup", "help import", "tags --help", "completion", "completion bash", "--version"} {
		if got := c.runWith("", strings.Fields(args)...); got.status != exitSuccess || got.stdout == "" || got.stderr != "" {
			t.Errorf("%q: %+v", args, got)
		}
	}
	for _, test := range []struct{ args, want string }{
		{"rollup fleet --format ", "table\njson\ncsv\n"},
		{"rollup identity ", ":4\n"},
		{"import ", "jsonl\ngz\n:8\n"},
		{"migrate ", "down\t"},
	} {
		args := append([]string{"__complete"}, strings.Split(test.args, " ")...)
		if got := c.runWith("", args...); got.status != exitSuccess || !strings.Contains(got.stdout, test.want) {
			t.Errorf("%q: %+v", args, got)
		}
	}
}

// Services that start together migrate together: that takes processes, not goroutines.
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
