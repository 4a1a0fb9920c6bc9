package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

type verifyOptions struct {
	repair bool
	out    *output
	yes    *bool
}

func newVerifyCommand() *cobra.Command {
	var opts verifyOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check every row for inconsistencies",
		Long: `Run the database's own check of its tables, check every row of the store and its
index entries for inconsistencies, and print a line for each finding. The exit
status is 0 if there are none or all were repaired, and 1 otherwise.

--repair fixes the findings that need no decision: identity_mismatch (a tag and
its attacker name different identities), wrong_survivor and wrong_technique_key
(derived columns that rollups read), tombstoned_tag (a tag that a tombstone
should have blocked; it is removed), wrong_count (of a tombstone or a technique)
and, on SQLite, wrong_index (an index that differs from its table; it is
rebuilt). The command counts them and asks for confirmation unless --yes is
given. Of the other findings, dangling and dangling_merge name scopes that may
still be imported; use "ttpstore scope unmerge" for merge_cycle, and ALTER TABLE
ttp_tag FORCE for wrong_index on MySQL. After damaged, restore a backup;
wrong_index is not repaired beside it.

unknown_technique, revoked_technique, deprecated_technique and wrong_tactic are
told once for each technique, tactic and release: they show a rule that speaks
of another release than it says. Load a bundle of an unknown_release with
"ttpstore attack load".`,
		Example: `  ttpstore verify
  ttpstore verify -o jsonl | jq -r 'select(.kind == "dangling") | .uuid'
  ttpstore verify --repair --yes`,
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runVerify(cmd, opts) },
	}
	cmd.Flags().BoolVar(&opts.repair, "repair", false, "repair the findings that need no decision")
	opts.out = addOutput(cmd)
	opts.yes = addYes(cmd, "this changes rows", func() bool { return opts.repair })
	return cmd
}

func runVerify(cmd *cobra.Command, opts verifyOptions) error {
	return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
		if opts.repair && !*opts.yes {
			if err := confirmRepair(ctx, cmd, store); err != nil {
				return err
			}
		}
		v := newVerification(cmd, store)
		defer v.bar.clear()
		found := v.count(store.Verify(ctx, ttp.VerifyOptions{Repair: opts.repair, Progress: v.progress}))
		err := printFindings(cmd, opts.out, found)
		v.bar.clear()
		if err == nil || rowsOf(v.rows) > 0 {
			v.summarize(cmd)
		}
		if left := v.found - v.repaired; err == nil && left > 0 {
			err = fmt.Errorf("verify: %s not repaired", count(left, "finding"))
		}
		return err
	})
}

// confirmRepair counts the repairable findings and asks for confirmation.
func confirmRepair(ctx context.Context, cmd *cobra.Command, store *ttp.Store) error {
	v := newVerification(cmd, store)
	defer v.bar.clear()
	kinds := map[string]int64{}
	for f, err := range v.count(store.Verify(ctx, ttp.VerifyOptions{Progress: v.progress})) {
		if err != nil {
			return err
		}
		if f.Kind.Repairable() {
			kinds[string(f.Kind)]++
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	var each []string
	for _, kind := range byCount(kinds) {
		each = append(each, fmt.Sprintf("%d %s", kinds[kind], kind))
	}
	return confirm(ctx, cmd, fmt.Sprintf("Repair %s?", strings.Join(each, ", ")))
}

// verification is one pass over the store.
type verification struct {
	bar             *progressBar
	rows            ttp.VerifyReport
	found, repaired int
}

func newVerification(cmd *cobra.Command, store *ttp.Store) *verification {
	return &verification{bar: newProgress(cmd.ErrOrStderr(), "tags", func() (int64, error) {
		return store.CountTags(cmd.Context(), ttp.Fleet(), ttp.Filter{})
	})}
}

// progress advances the bar by tags only, since the total does not count the other tables.
func (v *verification) progress(r ttp.VerifyReport) {
	v.rows = r
	v.bar.set(r.Tags)
}

func rowsOf(r ttp.VerifyReport) int64 {
	return r.Campaigns + r.Identities + r.Attackers + r.Tags + r.Tombstones
}

// count counts the findings and hides the bar while each is printed.
func (v *verification) count(findings iter.Seq2[ttp.Finding, error]) iter.Seq2[ttp.Finding, error] {
	return func(yield func(ttp.Finding, error) bool) {
		for f, err := range findings {
			if err == nil {
				v.found++
				if f.Repaired {
					v.repaired++
				}
			}
			v.bar.clear()
			if !yield(f, err) {
				return
			}
		}
	}
}

func (v *verification) summarize(cmd *cobra.Command) {
	notef(cmd.ErrOrStderr(), "checked %s, %s, %s, %s, %s: %s, %d repaired\n",
		count(v.rows.Campaigns, "campaign"), count(v.rows.Identities, "identity"), count(v.rows.Attackers, "attacker"),
		count(v.rows.Tags, "tag"), count(v.rows.Tombstones, "tombstone"), count(v.found, "finding"), v.repaired)
}

// printFindings prints each finding at once, since a repaired one is not reported again.
func printFindings(cmd *cobra.Command, o *output, findings iter.Seq2[ttp.Finding, error]) error {
	if format := o.format(cmd); format != tableFormat && format != tabFormat {
		return writeRows(cmd, o, cmd.OutOrStdout(), nil, findings)
	}
	for f, err := range findings {
		if err != nil {
			return err
		}
		if _, err := io.WriteString(cmd.OutOrStdout(), finding(f)); err != nil {
			return err
		}
	}
	return nil
}

// finding formats a finding on one line.
func finding(f ttp.Finding) string {
	repaired := ""
	if f.Repaired {
		repaired = " (repaired)"
	}
	object := f.Of
	if f.UUID != uuid.Nil {
		object += " " + f.UUID.String()
	}
	return fmt.Sprintf("%s: %s: %s%s\n", f.Kind, object, printable(f.Detail), repaired)
}
