//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shownCommands returns the command lines of this program in the code blocks of a document.
func shownCommands(document string) []string {
	var commands []string
	code := false
	for line := range strings.Lines(document) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			code = line == "```" && !code
		case code && strings.HasPrefix(line, "ttpstore "):
			line, _, _ = strings.Cut(line, "  #")
			commands = append(commands, strings.TrimPrefix(line, "ttpstore "))
		}
	}
	return commands
}

// The commands of the README run one after the other, from an empty folder with the demo's records, and print something.
func TestREADMECommandsRun(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range []string{"README.md", "docs/output.md"} {
		commands := shownCommands(read(t, filepath.Join(root, document)))
		if len(commands) == 0 {
			t.Errorf("%s shows no commands", document)
		}
		c := newCLI(t)
		t.Chdir(t.TempDir())
		if err := os.Symlink(filepath.Join(root, "examples"), "examples"); err != nil {
			t.Fatal(err)
		}
		for i, command := range commands {
			if i == 0 && !strings.HasPrefix(command, "import ") {
				c.runWith("", "import", "examples/honeypot.jsonl")
			}
			got := c.runWith("", shellWords(command)...)
			file := strings.Contains(command, "--out ")
			if got.status != exitSuccess || got.stdout+got.stderr == "" && !file || strings.Contains(got.stderr, "no tag") {
				t.Errorf("%s: ttpstore %s: %+v", document, command, got)
			}
		}
	}
}

// The commands of the operations that make and restore a backup run as a script that ends at the first error.
func TestBackupIsRestoredAsDocumented(t *testing.T) {
	document := read(t, "../../docs/operations.md")
	c := newCLI(t)
	c.runWith("", "import", "../../examples/honeypot.jsonl")
	script := "ttpstore() { " + program(t) + ` "$@"; }` + "\n"
	for i, block := range strings.Split(document, "```") {
		if i%2 == 1 && strings.Contains(block, "sqlite://ttp.db") {
			script += strings.ReplaceAll(block, "$(date +%F)", "2026-03-15")
		}
	}
	want := c.runWith("", "export", "-").stdout
	cmd := exec.CommandContext(t.Context(), "bash", "-euc", script)
	cmd.Dir = filepath.Dir(c.db)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "restored ttp.db") {
		t.Errorf("%s\n%v: %s", script, err, out)
	}
	if got := c.runWith("", "export", "-").stdout; got != want || got == "" {
		t.Errorf("restored %d bytes of records, want %d", len(got), len(want))
	}
}

// The README must show the output of the script.
func TestQuestions(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "bash", "../../examples/questions.sh")
	cmd.Env = append(os.Environ(), "TTPSTORE="+program(t))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err, stderr.String())
	}
	const start, end = "<!-- examples/questions.sh -->\n\n```text\n", "```\n"
	readme := read(t, "../../README.md")
	before, rest, _ := strings.Cut(readme, start)
	shown, after, found := strings.Cut(rest, end)
	if !found {
		t.Fatal("the README does not show the questions")
	}
	printed := strings.TrimRight(string(out), "\n") + "\n"
	if *update {
		must(os.WriteFile("../../README.md", []byte(before+start+printed+end+after), 0o644)) //nolint:gosec // a public document
		shown = printed
	}
	if diff := cmp.Diff(batch.ReplaceAllString(shown, "UUID"), batch.ReplaceAllString(printed, "UUID")); diff != "" {
		t.Errorf("-update rewrites it: %s", diff)
	}
	for line := range strings.Lines(printed) {
		if width := len([]rune(strings.TrimSuffix(line, "\n"))); width > 80 && !strings.HasPrefix(line, "$ ") {
			t.Errorf("%d columns: %s", width, line)
		}
	}
}

func TestReferenceIsUpToDate(t *testing.T) {
	var reference strings.Builder
	root := newRootCommand(nil, nil, nil)
	refuseRepeatedFlags(root) // as the program does
	if err := writeReference(&reference, root); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(read(t, "../../docs/commands.md"), reference.String()); diff != "" {
		t.Errorf("make docs rewrites it: %s", diff)
	}
	folder := filepath.Join(t.TempDir(), "man")
	c := newCLI(t)
	c.want(result{}, "", "docs", os.DevNull, folder)
	if page := read(t, filepath.Join(folder, "ttpstore-rollup-fleet.1")); !strings.Contains(page, "\\fB--since\\fP") {
		t.Error(page)
	}
}
