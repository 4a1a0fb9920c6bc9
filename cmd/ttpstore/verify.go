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
		Short: "Check the database for inconsistencies",
		Long: `Run the integrity check of the database engine, check every row and its index
entries, and print a line for each finding. The exit status is 0 if there are no
findings or all were repaired, and 1 otherwise.

--repair repairs the findings that need no decision. It counts them first and
asks for confirmation unless --yes is given:

    identity_mismatch     a tag and its attacker have different identities;
                          the tag gets the identity of its attacker
    wrong_survivor        a merged scope with a wrong survivor
    wrong_technique_key   a tag with a wrong key for rollups
    tombstoned_tag        a tag that its tombstone should block; it is removed
    wrong_count           a wrong number of tags of a tombstone or technique
    wrong_index           an index that differs from its table; repaired on
                          SQLite only, and not in a damaged file

The other findings:

    wrong_uuid            a tag with an id that differs from the computed one
    invalid_value         a value that this program would not write
    dangling              a reference to a scope that is not stored; it may be
                          imported later
    dangling_merge        a merge into a scope that is not stored
    merge_cycle           a cycle of merges: use "ttpstore scope unmerge"
    wrong_index           on MySQL: run ALTER TABLE ttp_tag FORCE
    damaged               a damaged database: restore a backup
    unknown_release       an unknown ATT&CK release: use "ttpstore attack load"
    unknown_technique, revoked_technique, deprecated_technique, wrong_tactic
                          tags that do not match their ATT&CK release, listed
                          once for each technique, tactic and release; their
                          rule was probably written for another release`,
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
