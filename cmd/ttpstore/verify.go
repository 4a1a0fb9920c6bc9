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
		Short: "Look at every row for what is not as it should be",
		Long: `Run the database's own check of its tables, look at every row of the store, and at its entries in the
indexes, for what is not as it should be, and print a line for each finding. The exit status is 0 when there
is none, or all of them were repaired, and 1 otherwise.

--repair mends what needs no decision: identity_mismatch, a tag that names another identity than its
attacker has; wrong_survivor and wrong_technique_key, which rollups go by; buried, a tag that a tombstone
should have kept out, which it removes; wrong_count, of a tombstone or a technique; and, on SQLite,
wrong_index, an index that differs from its table, which it rebuilds. It looks first and asks, unless told
--yes. Of the others, dangling and merged_into_nothing name what may still come; for merge_cycle there is
"ttpstore scope unmerge", for wrong_index on MySQL ALTER TABLE ttp_tag FORCE. After damaged, restore a
backup; wrong_index is not repaired beside it.`,
		Example: `  ttpstore verify
  ttpstore verify --json | jq -r 'select(.kind == "dangling") | .uuid'
  ttpstore verify --repair --yes`,
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runVerify(cmd, opts) },
	}
	cmd.Flags().BoolVar(&opts.repair, "repair", false, "mend what can be mended")
	cmd.Flags().BoolVar(&opts.json, "json", false, "print JSON Lines, one object a finding")
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

// confirmRepair looks, and asks whether to mend what it found.
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
	notef(cmd.ErrOrStderr(), "looked at %s, %s, %s, %s, %s: %s, %d repaired\n",
		count(v.rows.Campaigns, "campaign"), count(v.rows.Identities, "identity"), count(v.rows.Attackers, "attacker"),
		count(v.rows.Tags, "tag"), count(v.rows.Tombstones, "tombstone"), count(v.found, "finding"), v.repaired)
}

// printFinding prints at once: what was repaired is not found again.
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
