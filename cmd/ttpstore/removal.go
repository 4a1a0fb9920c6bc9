package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// removalHelp is a part of the help of all commands that remove tags.
const removalHelp = `It counts first what would go and asks, unless told --yes. It works in small transactions, so that others
can write in between; one that was interrupted prints what went so far, and goes on when it is run again.
--tombstone keeps the tags that go from being written again, until "ttpstore tombstone lift".`

// removal is one of the store's.
type removal func(context.Context, *ttp.Store, ...ttp.RemovalOption) (ttp.Receipt, error)

// removalFlags is what the flags say of how a removal runs.
type removalFlags struct {
	dryRun    bool
	batch     number
	json      *bool
	yes       *bool
	tombstone bool
	reason    string
}

// addRemoval gives a command the flags of all removals.
func addRemoval(cmd *cobra.Command) *removalFlags {
	f := addBatches(cmd)
	cmd.Flags().BoolVar(&f.tombstone, "tombstone", false, "keep the tags that go from being written again")
	cmd.Flags().Func("reason", "with --tombstone: note this `text` with it", setText(&f.reason))
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

// addBatches gives a command that works in batches, and asks nothing, its flags.
func addBatches(cmd *cobra.Command) *removalFlags {
	asked := true
	f := removalFlags{batch: number{ttp.DefaultRemovalBatch, 1, ttp.MaxRemovalBatch}, yes: &asked}
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "count what would go, change nothing")
	cmd.Flags().Var(&f.batch, "batch", "look at this `number` of tags in one transaction")
	must(cmd.RegisterFlagCompletionFunc("batch", cobra.NoFileCompletions))
	f.json = cmd.Flags().Bool("json", false, "print one JSON object")
	return &f
}

// run removes, asks first if it has to, and prints the receipt: after an error too, of what went before.
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
	options := []ttp.RemovalOption{ttp.BatchSize(f.batch.value), ttp.OnProgress(func(p ttp.RemovalProgress) {
		bar.add(int(p.Looked - before))
		before = p.Looked
	})}
	if dryRun {
		options = append(options, ttp.DryRun())
	}
	if f.tombstone {
		options = append(options, ttp.WithTombstone(f.reason))
	}
	return remove(ctx, store, options...)
}
