package main

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// receiptOfS1 is the output of removing the first session.
const receiptOfS1 = "tags\t4\nT1110.001 Password Guessing\t3\nT1082 System Information Discovery\t1\n"

// wantTags checks the number of remaining tags.
func (c cli) wantTags(n string) {
	c.t.Helper()
	c.want(result{exitSuccess, n + "\n", ""}, "", "tags", "fleet", "--count")
}

// removals lists all commands that remove tags, with their required arguments.
func removals() []string {
	return []string{
		"purge attacker " + attackerID, "purge identity " + identityID, "purge session s1",
		"rollback rule R1", "rollback batch " + attackerID, "retention --keep 1d",
	}
}

func TestWrongRemoval(t *testing.T) {
	c := newCLI(t)
	for _, command := range removals() {
		args := strings.Fields(command)
		name := strings.Join(args[:2], " ")
		if args[0] == "retention" {
			name = args[0]
		}
		for flags, message := range map[string]string{
			"":                               "this removes rows: standard input is not a terminal, confirm with --yes",
			"--tombstone":                    "this removes rows: standard input is not a terminal, confirm with --yes",
			"--yes --reason x":               "--reason requires --tombstone",
			"--dry-run --reason x":           "--reason requires --tombstone",
			"--yes --tombstone --reason=":    `invalid argument "" for "--reason" flag: must not be empty`,
			"--yes --batch 0":                `invalid argument "0" for "--batch" flag: must be a whole number from 1 to 1000`,
			"--yes --batch 1001":             `invalid argument "1001" for "--batch" flag: must be a whole number from 1 to 1000`,
			"--yes --tombstone --reason x y": `unexpected argument "y"`,
		} {
			c.wantWrong(message, name, append(args, strings.Fields(flags)...)...)
		}
	}
	c.wantNoFile()
}

func TestRemovalThatTheStoreRefuses(t *testing.T) {
	c := filled(t)
	c.wantWrong("purge session: invalid query: reason: must be at most 255 characters", "purge session",
		"purge", "session", "s1", "--yes", "--tombstone", "--reason", strings.Repeat("x", 256))
	c.wantTags("4")
}

func TestDryRunChangesNothing(t *testing.T) {
	c := filled(t)
	before := c.runWith("", "export", "-")
	for _, command := range removals() {
		for _, flags := range []string{"--dry-run", "--dry-run --yes --tombstone --reason x"} {
			got := c.runWith("", append(strings.Fields(command), strings.Fields(flags)...)...)
			if got.status != exitSuccess || !strings.HasSuffix(strings.SplitAfter(got.stderr, "changed\n")[0], "dry run: nothing was changed\n") || !strings.HasPrefix(got.stdout, "tags\t") {
				t.Errorf("%s %s: %+v", command, flags, got)
			}
		}
	}
	if after := c.runWith("", "export", "-"); after != before {
		t.Errorf("%+v", after)
	}
	c.want(result{exitSuccess, "", "no tombstones\n"}, "", "tombstone", "list")
}

func TestReceipts(t *testing.T) {
	asJSON := func(dryRun string) string {
		return `{"dry_run":` + dryRun + `,"tags":4,"techniques":{"T1082":1,"T1110.001":3},"technique_names":{` +
			`"T1082":{"technique_name":"System Information Discovery","mitre_url":"https://attack.mitre.org/techniques/T1082"},` +
			`"T1110.001":{"technique_name":"Brute Force","sub_technique_name":"Password Guessing",` +
			`"mitre_url":"https://attack.mitre.org/techniques/T1110/001"}},"attackers":0,"identities":0,` +
			`"released_tags":0,"released_attackers":0}` + "\n"
	}
	for _, test := range []struct{ args, stdout, stderr, left string }{
		{"--yes", receiptOfS1, "", "2"},
		{"-y --batch 1", receiptOfS1, "", "2"},
		{"--yes -o jsonl", asJSON("false"), "", "2"},
		{"--dry-run -o jsonl", asJSON("true"), "dry run: nothing was changed\n", "6"},
		{"--dry-run --batch 1", receiptOfS1, "dry run: nothing was changed\n", "6"},
	} {
		c := twoAttackers(t)
		c.want(result{exitSuccess, test.stdout, test.stderr}, "", append([]string{"purge", "session", "s1"}, strings.Fields(test.args)...)...)
		c.wantTags(test.left)
	}
}

func TestReceiptNamesTheTombstone(t *testing.T) {
	c := filled(t)
	got := c.runWith("", "purge", "session", "s1", "--yes", "--tombstone")
	if !regexp.MustCompile(`^`+receiptOfS1+`tombstone\t[0-9a-f-]{36}\n$`).MatchString(got.stdout) || got.status != exitSuccess || got.stderr != "" {
		t.Errorf("%+v", got)
	}
}

// removeS1 removes the first session in batches of one tag and calls a function after the first batch.
func (c cli) removeS1(ctx context.Context, onBatch func(ttp.RemovalProgress), args ...string) (stdout string, err error) {
	var out, stderr bytes.Buffer
	root := newRootCommand(nil, &out, &stderr)
	var flags *removalFlags
	cmd := &cobra.Command{Use: "s1", Args: arguments(), RunE: func(cmd *cobra.Command, _ []string) error {
		return flags.run(cmd, func(_ context.Context, store *ttp.Store) (removal, error) {
			return removal{remove: func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
				return store.PurgeSession(ctx, "s1", append(opts, ttp.WithProgress(onBatch))...)
			}}, nil
		})
	}}
	flags = addRemoval(cmd)
	root.AddCommand(cmd)
	root.SetArgs(append([]string{"s1", "--db", "sqlite://" + c.db, "--batch=1"}, args...))
	err = root.ExecuteContext(ctx)
	if stderr.Len() > 0 {
		c.t.Error(stderr.String())
	}
	return out.String(), err
}

func TestInterruptedRemovalPrintsWhatWent(t *testing.T) {
	c := twoAttackers(t)
	ctx, cancel := context.WithCancel(t.Context())
	stdout, err := c.removeS1(ctx, func(ttp.RemovalProgress) { cancel() }, "--yes")
	if want := "tags\t1\nT1082 System Information Discovery\t1\n"; stdout != want || message(err) != "interrupted" {
		t.Errorf("%q %v", stdout, err)
	}
	c.wantTags("5")
	stdout, err = c.removeS1(ctx, func(ttp.RemovalProgress) {}, "--yes") // nothing was removed
	if stdout != "" || !errors.Is(err, context.Canceled) {
		t.Errorf("%q %v", stdout, err)
	}
	c.want(result{exitSuccess, "tags\t3\nT1110.001 Password Guessing\t3\n", ""}, "", "purge", "session", "s1", "--yes")
	c.wantTags("2")
}

func TestQuestion(t *testing.T) {
	for want, found := range map[string]ttp.Receipt{
		"Remove 0 tags?":                          {},
		"Remove 1 tag, 1 attacker?":               {Tags: 1, Attackers: 1},
		"Remove 4 tags, 2 identities?":            {Tags: 4, Identities: 2},
		"Remove 4 tags, 2 attackers, 1 identity?": {Tags: 4, Attackers: 2, Identities: 1},
		"Remove 0 tags, 1 identity, and leave 3 tags, 2 attackers without an identity?": {Identities: 1, ReleasedTags: 3, ReleasedAttackers: 2},
	} {
		if got := question(found, false); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := question(found, true); got != strings.TrimSuffix(want, "?")+", and prevent the removed tags from being written again?" {
			t.Error(got)
		}
	}
}
