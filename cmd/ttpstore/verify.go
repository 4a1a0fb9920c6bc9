package main

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

type verifyOptions struct {
	repair bool
	json   bool
	yes    *bool
}

func newVerifyCommand() *cobra.Command {
	var opts verifyOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check every row for inconsistencies",
		Long: `Run the database's own check of its tables, check every row of the store and its index entries for
inconsistencies, and print a line for each finding. The exit status is 0 if there are none or all were
repaired, and 1 otherwise.

--repair fixes the findings that need no decision: identity_mismatch (a tag and its attacker name different
identities), wrong_survivor and wrong_technique_key (derived columns that rollups read), tombstoned_tag (a tag that
a tombstone should have blocked; it is removed), wrong_count (of a tombstone or a technique) and, on SQLite,
wrong_index (an index that differs from its table; it is rebuilt). The command counts them and asks for
confirmation unless --yes is given. Of the other findings, dangling and dangling_merge name scopes that may
still be imported; use "ttpstore scope unmerge" for merge_cycle, and ALTER TABLE ttp_tag FORCE for wrong_index
on MySQL. After damaged, restore a backup; wrong_index is not repaired beside it.

unknown_technique, revoked_technique, deprecated_technique and wrong_tactic are told once for each technique,
tactic and release: they show a rule that speaks of another release than it says. Load a bundle of an
unknown_release with "ttpstore attack load".`,
		Example: `  ttpstore verify
  ttpstore verify --json | jq -r 'select(.kind == "dangling") | .uuid'
  ttpstore verify --repair --yes`,
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runVerify(cmd, opts) },
	}
	cmd.Flags().BoolVar(&opts.repair, "repair", false, "repair the findings that need no decision")
	cmd.Flags().BoolVar(&opts.json, "json", false, "print JSON Lines, one object per finding")
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
		v := newVerification(cmd)
		defer v.bar.finish()
		findings := store.Verify(ctx, ttp.VerifyOptions{Repair: opts.repair, Progress: v.progress})
		err := v.count(findings, func(f ttp.Finding) error {
			v.bar.clear()
			return printFinding(cmd, f, opts.json)
		})
		v.bar.finish()
		if err == nil || rowsOf(v.rows) > 0 {
			v.summarise(cmd)
		}
		if left := v.found - v.repaired; err == nil && left > 0 {
			err = fmt.Errorf("verify: %s not repaired", count(left, "finding"))
		}
		return err
	})
}

// confirmRepair counts the repairable findings and asks for confirmation.
func confirmRepair(ctx context.Context, cmd *cobra.Command, store *ttp.Store) error {
	v := newVerification(cmd)
	defer v.bar.finish()
	kinds := map[string]int64{}
	err := v.count(store.Verify(ctx, ttp.VerifyOptions{Progress: v.progress}), func(f ttp.Finding) error {
		if f.Kind.Repairable() {
			kinds[string(f.Kind)]++
		}
		return nil
	})
	if err != nil || len(kinds) == 0 {
		return err
	}
	v.bar.finish()
	var each []string
	for _, kind := range byCount(kinds) {
		each = append(each, fmt.Sprintf("%d %s", kinds[kind], kind))
	}
	return confirm(ctx, cmd, fmt.Sprintf("Repair %s?", strings.Join(each, ", ")))
}

// verification is one pass over the store.
type verification struct {
	bar             progress
	rows            ttp.VerifyReport
	found, repaired int
}

func newVerification(cmd *cobra.Command) *verification {
	return &verification{bar: newProgress(cmd.ErrOrStderr(), -1, "rows")}
}

func (v *verification) progress(r ttp.VerifyReport) {
	v.bar.add(int(rowsOf(r) - rowsOf(v.rows)))
	v.rows = r
}

func rowsOf(r ttp.VerifyReport) int64 {
	return r.Campaigns + r.Identities + r.Attackers + r.Tags + r.Tombstones
}

func (v *verification) count(findings iter.Seq2[ttp.Finding, error], each func(ttp.Finding) error) error {
	for f, err := range findings {
		if err == nil {
			v.found++
			if f.Repaired {
				v.repaired++
			}
			err = each(f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *verification) summarise(cmd *cobra.Command) {
	notef(cmd.ErrOrStderr(), "checked %s, %s, %s, %s, %s: %s, %d repaired\n",
		count(v.rows.Campaigns, "campaign"), count(v.rows.Identities, "identity"), count(v.rows.Attackers, "attacker"),
		count(v.rows.Tags, "tag"), count(v.rows.Tombstones, "tombstone"), count(v.found, "finding"), v.repaired)
}

// printFinding prints a finding as soon as it is found: after a repair, the next run would not report it.
func printFinding(cmd *cobra.Command, f ttp.Finding, asJSON bool) error {
	if asJSON {
		return newEncoder(cmd.OutOrStdout()).Encode(f)
	}
	repaired := ""
	if f.Repaired {
		repaired = " (repaired)"
	}
	object := f.Of
	if f.UUID != uuid.Nil {
		object += " " + f.UUID.String()
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s: %s%s\n", f.Kind, object, printable(f.Detail), repaired)
	return err
}
