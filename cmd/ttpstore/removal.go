package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// removalHelp is the help text shared by all commands that remove tags.
const removalHelp = `The command counts the affected rows and asks for confirmation unless --yes is given. It removes them in
small transactions, so that other writers are not blocked for long. If it is interrupted, it prints the rows
removed so far; run it again to finish. --tombstone blocks the removed tags from being written again, until
"ttpstore tombstone lift".`

// removal is a method of the store that removes tags.
type removal func(context.Context, *ttp.Store, ...ttp.RemovalOption) (ttp.Receipt, error)

// removalFlags holds the values of the flags of a removal.
type removalFlags struct {
	dryRun    bool
	batch     number
	json      *bool
	yes       *bool
	tombstone bool
	reason    string
}

// addRemoval adds the flags of a removal.
func addRemoval(cmd *cobra.Command) *removalFlags {
	f := addBatches(cmd)
	cmd.Flags().BoolVar(&f.tombstone, "tombstone", false, "block the removed tags from being written again")
	cmd.Flags().Func("reason", "with --tombstone: record this `text` as the reason", setText(&f.reason))
	must(cmd.RegisterFlagCompletionFunc("reason", cobra.NoFileCompletions))
	args := cmd.Args
	cmd.Args = func(cmd *cobra.Command, values []string) error {
		err := args(cmd, values)
		if err == nil && f.reason != "" && !f.tombstone {
			err = errors.New("--reason is for --tombstone only")
		}
		return err
	}
	f.yes = addYes(cmd, "this loses rows", func() bool { return !f.dryRun })
	return f
}

// addBatches adds the flags of a command that works in batches without confirmation.
func addBatches(cmd *cobra.Command) *removalFlags {
	confirmed := true
	f := removalFlags{batch: number{ttp.DefaultRemovalBatch, 1, ttp.MaxRemovalBatch}, yes: &confirmed}
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "print the counts without changing anything")
	cmd.Flags().Var(&f.batch, "batch", "process this `number` of tags per transaction")
	must(cmd.RegisterFlagCompletionFunc("batch", cobra.NoFileCompletions))
	f.json = cmd.Flags().Bool("json", false, "print one JSON object")
	return &f
}

// run asks for confirmation if needed, runs the removal and prints its receipt. After an error it prints the
// receipt of the transactions that were committed.
func (f *removalFlags) run(cmd *cobra.Command, remove removal) error {
	return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
		if !*f.yes && !f.dryRun {
			found, err := f.remove(ctx, cmd, store, remove, true)
			if err == nil {
				err = confirm(ctx, cmd, question(found, f.tombstone))
			}
			if err != nil {
				return err
			}
		}
		receipt, err := f.remove(ctx, cmd, store, remove, f.dryRun)
		if err == nil || touched(receipt) > 0 {
			err = errors.Join(printReceipt(cmd, receipt, *f.json), err)
		}
		return err
	})
}

func (f *removalFlags) remove(ctx context.Context, cmd *cobra.Command, store *ttp.Store, remove removal, dryRun bool,
) (ttp.Receipt, error) {
	bar := newProgress(cmd.ErrOrStderr(), -1, "tags")
	defer bar.finish()
	before := int64(0)
	options := []ttp.RemovalOption{ttp.WithBatchSize(f.batch.value), ttp.WithProgress(func(p ttp.RemovalProgress) {
		bar.add(int(p.Examined - before))
		before = p.Examined
	})}
	if dryRun {
		options = append(options, ttp.DryRun())
	}
	if f.tombstone {
		options = append(options, ttp.WithTombstone(f.reason))
	}
	return remove(ctx, store, options...)
}
