package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commandLines has a valid command line of every command.
var commandLines = []string{
	"completion bash", "completion fish", "completion powershell", "completion zsh", "help import",
	"migrate up", "migrate up --print", "migrate status", "migrate views", "migrate down 9", "migrate force 9", "import file", "import --from sqlite://missing.db",
	"import --from sqlite://missing.db --dry-run", "export file",
	"rollup identity " + identityID, "rollup attacker " + attackerID, "rollup campaign " + campaignID, "rollup session s1",
	"rollup fleet", "rollup attackers", "rollup identities",
	"version", "docs " + os.DevNull + " man", "top", "coverage fleet", "session s1", "tags session s1", "tag " + attackerID, "timeline identity " + identityID, "who session", "new session s1 --since 7d",
	"compare session s1 fleet", "rules", "phases " + identityID,
	"scope show attacker " + attackerID, "scope list campaigns", "scope list identities", "scope list attackers",
	"scope assign attackers " + identityID + " " + attackerID, "scope assign identities " + campaignID + " " + identityID,
	"scope unassign attackers " + attackerID, "scope unassign identities " + identityID,
	"scope merge identity " + identityID + " " + otherIdentityID, "scope unmerge identity " + identityID,
	"purge attacker " + attackerID + " --yes", "purge identity " + identityID + " --yes", "purge session s1 --yes", "purge all --yes",
	"rollback rule R1 --yes --tombstone", "rollback batch " + attackerID + " --yes", "retention --keep 90d --yes",
	"backup x.db", "restore x.db", "tombstone list", "tombstone lift " + attackerID, "verify",
	"attack releases", "attack show T1110", "attack diff 15.1 18.1", "attack license", "attack load missing.json",
	"attack remove 18.1", "navigator fleet", "stix fleet", "report fleet --out -",
}

const mark = "Tr0ub4dor"

var markedURLs = []string{
	"mysql://root:" + mark + "@tcp(127.0.0.1:1)/ttp",
	"mysql://root:a " + mark + " b@tcp(127.0.0.1:1)/ttp",
	"mysql://root:a/../" + mark + "@127.0.0.1:1/ttp",
	"sqlite://root:" + mark + "@tcp(127.0.0.1:1)/ttp",
	"postgres://root:" + mark + "@127.0.0.1/ttp",
	"root:" + mark + "@tcp(127.0.0.1:1)/ttp",
	"root:" + mark + " x@/ttp",
}

// Every command is tried with a URL in every position, and every URL with every command.
func TestNoOutputHoldsAPassword(t *testing.T) {
	c := filled(t)
	t.Chdir(t.TempDir())
	check := func(env string, args ...string) {
		t.Helper()
		t.Setenv(dbEnvironment, env)
		var stdout, stderr bytes.Buffer
		run(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
		if text := stdout.String() + stderr.String(); strings.Contains(text, mark) {
			t.Errorf("%q, %q: %s", env, args, text)
		}
	}
	next := 0
	url := func() string { next++; return markedURLs[next%len(markedURLs)] }
	missed := leaves(newRootCommand(nil, nil, nil))
	for _, line := range commandLines {
		args := strings.Fields(line)
		cmd, _, err := newRootCommand(nil, nil, nil).Find(args)
		if err != nil {
			t.Fatal(err)
		}
		missed = slices.DeleteFunc(missed, func(path string) bool { return path == cmd.CommandPath() })
		for _, args := range misplaced(cmd, args, url) {
			check("sqlite://"+c.db, args...)
		}
		for _, db := range append(markedURLs, "root:"+mark+"://x") {
			check("", append([]string{"--db", db}, args...)...)
			check("", append(args, "--db="+db)...)
			check(db, args...)
		}
		if i := slices.Index(args, "--from") + 1; i > 0 {
			for _, from := range markedURLs {
				t.Setenv(fromEnvironment, from)
				check("sqlite://"+c.db, slices.Delete(slices.Clone(args), i-1, i+1)...)
				t.Setenv(fromEnvironment, "")
				args[i] = from
				check("sqlite://"+c.db, args...)
			}
		}
		check(url(), append(args, "--help")...)
	}
	if len(missed) > 0 {
		t.Errorf("no line above is of the commands %q", missed)
	}
	for _, name := range files(t, ".") {
		if strings.Contains(name, mark) {
			t.Errorf("there is a file %q", name)
		}
	}
}

// misplaced returns command lines with a URL instead of each argument, after the last one, and as the value of
// each flag.
func misplaced(cmd *cobra.Command, args []string, url func() string) [][]string {
	var lines [][]string
	for i := range args {
		lines = append(lines, slices.Concat(args[:i], []string{url()}, args[i+1:]))
	}
	more := [][]string{{url()}, {"--", url()}, {"--no-flag", url()}, {"-" + url()}, {"--db", "--", url()}}
	cmd.InheritedFlags() // merges them into cmd.Flags
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		more = append(more, []string{"--" + f.Name + "=" + url()}, []string{"--" + f.Name, url()})
	})
	for _, rest := range more {
		lines = append(lines, slices.Concat(args, rest))
	}
	return lines
}

// leaves returns the names of all commands without subcommands.
func leaves(cmd *cobra.Command) []string {
	if !cmd.HasSubCommands() {
		return []string{cmd.CommandPath()}
	}
	var paths []string
	for _, sub := range cmd.Commands() {
		paths = append(paths, leaves(sub)...)
	}
	return paths
}

// The example of a URL in an error is no password.
func TestErrorsAboutURLsShowAnExample(t *testing.T) {
	for url, want := range map[string]string{
		"sqlite://root:" + mark + "@tcp(h:1)/ttp": "want sqlite://PATH without a password; for a server, " +
			"want mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE",
		"mysql://root:" + mark + "@h:1/ttp": "want mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE, " +
			"with the driver's parameters after a ?",
	} {
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), []string{"--db", url, "rollup", "fleet"}, nil, &stdout, &stderr)
		got := result{status, stdout.String(), stderr.String()}
		if want := (result{exitFailure, "", "ttpstore: open: " + want + "\n"}); got != want {
			t.Errorf("%s: got %+v, want %+v", url, got, want)
		}
	}
	for text, want := range map[string]string{
		exampleURL + ": mysql://root:" + mark + "@h/ttp":                       exampleURL + ": mysql:...@h/ttp",
		"mysql://root:" + mark + " " + exampleURL + mark + "@h: " + exampleURL: "mysql:...@h: " + exampleURL,
	} {
		if got := withoutPassword(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
