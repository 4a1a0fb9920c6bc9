package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
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

// tagLine returns a tag of the test's attacker and session.
func tagLine(source, tactic, technique, confidence, time string) string {
	parent, _, sub := strings.Cut(technique, ".")
	if sub {
		technique = parent + `","sub_technique_id":"` + technique
	}
	return `{"type":"tag","source_kind":"command","source_id":"` + source + `","attacker_uuid":"` + attackerID +
		`","session_id":"s1","tactic":"` + tactic + `","technique_id":"` + technique + `","confidence":` + confidence +
		`,"rule_id":"R1","rule_version":1,"attack_release":"18.1","observed_at":"` + time + `","evidence":{}}` + "\n"
}

// records has 3 scopes, 4 tags and one tag below the floor.
func records() string {
	return scopes +
		tagLine("a", "TA0006", "T1110.001", "0.5", "2026-03-15T17:06:27.72714Z") +
		tagLine("b", "TA0006", "T1110.001", "0.75", "2026-03-15T17:06:36Z") +
		tagLine("c", "TA0001", "T1110.001", "0.72", "2026-03-15T17:06:30Z") +
		tagLine("d", "TA0007", "T1082", "0.925", "2026-03-16T00:00:00Z") +
		tagLine("e", "TA0007", "T1082", "0.25", "2026-03-17T00:00:00Z")
}

// result is the exit status and output of a run.
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
	t.Setenv(fromEnvironment, "")
	t.Setenv("COLUMNS", "") // the width of tables
	return cli{t, filepath.Join(t.TempDir(), "ttp.db")}
}

func (c cli) runWith(stdin string, args ...string) result {
	c.t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{"--db", "sqlite://" + c.db}, args...)
	status := run(c.t.Context(), args, strings.NewReader(stdin), &stdout, &stderr)
	for _, text := range []string{stdout.String(), stderr.String()} {
		if strings.ContainsAny(text, "\x1b\r") {
			c.t.Errorf("%v: color codes or a progress bar without a terminal: %q", args, text)
		}
	}
	return result{status, stdout.String(), stderr.String()}
}

// want runs a command and compares its result.
func (c cli) want(want result, stdin string, args ...string) {
	c.t.Helper()
	if got := c.runWith(stdin, args...); got != want {
		c.t.Errorf("%v:\ngot  %d\nstdout %q\nstderr %q\nwant %d\nstdout %q\nstderr %q", args,
			got.status, got.stdout, got.stderr, want.status, want.stdout, want.stderr)
	}
}

// filled returns a database with the test records.
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

func (c cli) wantNoFile() {
	c.t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(c.db), "*"))
	if err != nil || len(files) > 0 {
		c.t.Errorf("files were made: %v %v", files, err)
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
		{"migrate force x", `the argument VERSION must be a whole number, at least 0, not "x"`, "ttpstore migrate force"},
		{"import", "missing argument FILE", "ttpstore import"},
		{"import a b", `unexpected argument "b"`, "ttpstore import"},
		{"import - --batch 0", `invalid argument "0" for "--batch" flag: must be a whole number, at least 1`, "ttpstore import"},
		{"import - --floor 1.1", `invalid argument "1.1" for "--floor" flag: must be a number from 0 to 1`, "ttpstore import"},
		{"import - --floor NaN", `invalid argument "NaN" for "--floor" flag: must be a number from 0 to 1`, "ttpstore import"},
		{"export - --json", "--output and --json cannot be used with an export to standard output: name a FILE", "ttpstore export"},
		{"rollup foo", `unknown command "foo"`, "ttpstore rollup"},
		{"rollup identity", "missing argument ID", "ttpstore rollup identity"},
		{"rollup identity x", `the argument ID must be an IP, an id or at least the first 8 digits of one, not "x"`, "ttpstore rollup identity"},
		{"rollup attacker x", `the argument ID must be an IP, an id or at least the first 8 digits of one, not "x"`, "ttpstore rollup attacker"},
		{"rollup fleet --sinec 7d", "unknown flag: --sinec, did you mean --since?", "ttpstore rollup fleet"},
		{"rollup fleet --sincee 7d", "unknown flag: --sincee, did you mean --since?", "ttpstore rollup fleet"},
		{"rollup fleet x", `unexpected argument "x"`, "ttpstore rollup fleet"},
		{"rollup fleet --output xml", `invalid argument "xml" for "-o, --output" flag: must be table, json, jsonl or csv`, "ttpstore rollup fleet"},
	} {
		c.want(result{exitUsage, "", "ttpstore: " + test.message + "\nRun '" + test.command + " --help' for usage.\n"},
			"", strings.Fields(test.args)...)
	}
	c.wantNoFile()
}

func TestHelp(t *testing.T) {
	c := newCLI(t)
	for _, args := range []string{"", "--help", "help", "migrate", "rollup", "help import", "tags --help", "completion", "completion bash", "--version"} {
		if got := c.runWith("", strings.Fields(args)...); got.status != exitSuccess || got.stdout == "" || got.stderr != "" {
			t.Errorf("%q: %+v", args, got)
		}
	}
	for _, test := range []struct{ args, want string }{
		{"rollup fleet --output ", "table\njson\njsonl\ncsv\n"},
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

func TestHelpFitsATerminal(t *testing.T) {
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		var out bytes.Buffer
		cmd.SetOut(&out)
		if err := cmd.Help(); err != nil {
			t.Error(err)
		}
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(cmd.CommandPath(), "ttpstore completion") {
				continue // cobra's own
			}
			if width := text.StringWidth(strings.TrimSuffix(line, "\n")); width > helpWidth {
				t.Errorf("%s: %d columns: %s", cmd.CommandPath(), width, line)
			}
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(newRootCommand(nil, nil, nil))
}
