package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// batch matches the UUID of a batch, and ingested the time before it. Both differ between runs.
var (
	batch    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	expiry   = regexp.MustCompile(`before [0-9T:-]+Z:`) // of a retention
	ingested = regexp.MustCompile(`[0-9T:.-]+Z(\W+(batch_uuid\W+)?BATCH)`)
)

// demo returns a database with the records of the examples.
func demo(t *testing.T) cli {
	t.Helper()
	c := newCLI(t)
	if got := c.runWith("", "import", "../../examples/honeypot.jsonl"); got.status != exitSuccess {
		t.Fatal(got)
	}
	return c
}

// golden compares what commands print with a file of testdata.
func (c cli) golden(name string, commands ...string) {
	c.t.Helper()
	c.t.Setenv("COLUMNS", "80")
	var got strings.Builder
	for _, command := range commands {
		r := c.runWith("", shellWords(command)...)
		fmt.Fprintf(&got, "$ ttpstore %s\n%s", command, ingested.ReplaceAllString(batch.ReplaceAllString(r.stdout, "BATCH"), "INGESTED$1"))
		for line := range strings.Lines(r.stderr) {
			fmt.Fprintf(&got, "[stderr] %s", expiry.ReplaceAllString(line, "before TIME:"))
		}
		fmt.Fprintf(&got, "[exit %d]\n\n", r.status)
		if strings.Contains(command, "-o table") && !strings.Contains(command, "--wide") {
			for line := range strings.Lines(r.stdout) {
				if width := text.StringWidth(strings.TrimSuffix(line, "\n")); width > 80 {
					c.t.Errorf("%s: a line of %d columns: %s", command, width, line)
				}
			}
		}
	}
	path := filepath.Join("testdata", name+".golden")
	if *update {
		must(os.MkdirAll(filepath.Dir(path), 0o750))
		must(os.WriteFile(path, []byte(got.String()), 0o600))
	}
	if diff := cmp.Diff(read(c.t, path), got.String()); diff != "" {
		c.t.Errorf("%s (-update rewrites it): %s", path, diff)
	}
}

// shellWords splits a command line at spaces outside quotes.
func shellWords(line string) []string {
	var words []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}

const (
	demoIdentity = "e1292c78"
	demoSession  = "66ffcc176598"
)

// reads lists commands that print rows, for the demo's records.
var reads = []string{
	"rollup fleet --tactic TA0006",
	"rollup campaign \"Copper Heron\" --tactic TA0007",
	"rollup fleet --distinct --tactic TA0007",
	"rollup fleet --confidence --tactic TA0006",
	"rollup attackers --technique T1110 --sub-techniques --since 2026-03-14",
	"tags session " + demoSession,
	"tags fleet -n 2",
	"session " + demoSession,
	"timeline fleet --bucket 1w --by tactic --top 3",
	"timeline identity " + demoIdentity + " --against fleet --bucket 1w --top 1",
	"who attacker -n 2",
	"who identity -n 2",
	"who campaign",
	"who session -n 2",
	"who ip -n 2",
	"who identity --all-of T1110.001,T1078",
	"who attacker -n 2 --techniques --tactic TA0006",
	"new fleet --since 2026-03-14",
	"compare campaign \"Copper Heron\" campaign \"Glass Harbour\" --tactic TA0007",
	"rules --sort confidence --since 2026-03-10",
	"phases " + demoIdentity + " --tactic TA0002",
	"coverage fleet",
	"top -n 2",
	"scope list campaigns",
	"scope list identities -n 2",
	"scope list attackers -n 2",
	"scope show campaign \"Paper Kite\"",
	"scope show identity " + demoIdentity,
	"scope show attacker 192.0.2.17",
	"attack diff 8.2 18.1",
	"attack show T1110.001",
	"purge session " + demoSession + " --dry-run",
	"verify",
	"migrate status",
	"tombstone list",
}

func TestGoldenTables(t *testing.T) {
	var commands []string
	for _, command := range reads {
		commands = append(commands, command+" -o table")
	}
	demo(t).golden("table", commands...)
}

func TestGoldenWide(t *testing.T) {
	demo(t).golden("wide", "rollup fleet --tactic TA0006 -o table --wide", "tags session "+demoSession+" -o table --wide",
		"who identity -n 2 -o table --wide", "rules -o table --wide", "scope list attackers -n 2 -o table --wide")
}

func TestGoldenJSON(t *testing.T) {
	for _, command := range reads {
		name, rest, _ := strings.Cut(command, " ")
		switch first, _, _ := strings.Cut(rest, " "); name {
		case "rollup", "who", "tags", "timeline", "attack":
			name += "-" + first
		}
		for flag, form := range map[string]string{"--distinct": "distinct", "--confidence": "confidence", "--against": "against", "--all-of": "all-of", "--techniques": "techniques"} {
			if strings.Contains(command, flag) {
				name += "-" + form
			}
		}
		if strings.HasPrefix(command, "scope ") {
			name = strings.Join(strings.Fields(command)[:3], "-")
		}
		t.Run(name, func(t *testing.T) { demo(t).golden("json/"+name, command+" --json") })
	}
}

// writes lists commands that write or would remove rows, and others whose text is not a table of rows.
var writes = map[string]string{
	"tag":             "tag ee4000d0",
	"import":          "import ../../examples/honeypot.jsonl --dry-run",
	"export":          "export " + os.DevNull,
	"retention":       "retention --keep 100y --dry-run",
	"rollback":        "rollback rule R1001 --dry-run",
	"attack-releases": "attack releases",
}

func TestGoldenJSONOfWrites(t *testing.T) {
	for name, command := range writes {
		t.Run(name, func(t *testing.T) { demo(t).golden("json/"+name, command+" --json") })
	}
}

func TestGoldenLines(t *testing.T) {
	for _, form := range []string{"csv", "jsonl"} {
		var commands []string
		for _, command := range reads {
			commands = append(commands, command+" -o "+form)
		}
		demo(t).golden(form, commands...)
	}
	demo(t).golden("pipe", reads...)
}

// docs/output.md must describe every JSON key of the golden files.
func TestJSONIsDocumented(t *testing.T) {
	documented := read(t, "../../docs/output.md")
	files, err := filepath.Glob("testdata/json/*.golden")
	if err != nil || len(files) < 25 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		for _, key := range regexp.MustCompile(`(?m)^ *"(\w+)": `).FindAllStringSubmatch(read(t, file), -1) {
			if !strings.Contains(documented, "`"+key[1]+"`") && !regexp.MustCompile(`^(T\d|line|user|password|result|service|path|method|status|file|s\w+256|size|commands|seconds|persistence|after_failures)`).MatchString(key[1]) {
				t.Errorf("%s: docs/output.md does not describe %s", file, key[1])
			}
		}
	}
}
