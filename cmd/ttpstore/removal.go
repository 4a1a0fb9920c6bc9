package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// removalHelp is the help text shared by all commands that remove tags.
const removalHelp = `The command counts the affected rows, asks for confirmation unless --yes is
given, and prints the numbers of removed rows. It works in small transactions,
so that other writers are not blocked for long. If it is interrupted, it prints
the rows removed so far; run it again to finish. --tombstone prevents the
removed tags from being written again until "ttpstore tombstone lift".`

// removal removes tags. The scope and filter select all tags that it examines; whyNone explains an empty result.
type removal struct {
	remove  func(context.Context, ...ttp.RemovalOption) (ttp.Receipt, error)
	scope   ttp.Scope
	filter  ttp.Filter
	whyNone func(context.Context) (string, error)
}

// removalFlags holds the values of the flags of a removal.
type removalFlags struct {
	dryRun    bool
	batch     number
	out       *output
	yes       *bool
	tombstone bool
	reason    string
}

// addRemoval adds the flags of a removal.
func addRemoval(cmd *cobra.Command) *removalFlags {
	f := addBatches(cmd)
	cmd.Flags().BoolVar(&f.tombstone, "tombstone", false, "prevent the removed tags from being written again")
	cmd.Flags().Func("reason", "with --tombstone: store this `text` as its reason", setText(&f.reason))
	must(cmd.RegisterFlagCompletionFunc("reason", cobra.NoFileCompletions))
	args := cmd.Args
	cmd.Args = func(cmd *cobra.Command, values []string) error {
		err := args(cmd, values)
		if err == nil && f.reason != "" && !f.tombstone {
			err = errors.New("--reason requires --tombstone")
		}
		return err
	}
	f.yes = addYes(cmd, "this removes rows", func() bool { return !f.dryRun })
	return f
}

// addBatches adds the flags of a command that works in batches without confirmation.
func addBatches(cmd *cobra.Command) *removalFlags {
	confirmed := true
	f := removalFlags{batch: number{ttp.DefaultRemovalBatch, 1, ttp.MaxRemovalBatch}, yes: &confirmed}
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "print the counts without changing anything")
	cmd.Flags().Var(&f.batch, "batch", "process this `number` of tags in each transaction")
	must(cmd.RegisterFlagCompletionFunc("batch", cobra.NoFileCompletions))
	f.out = addOutput(cmd)
	return &f
}

// purge removes a scope.
type purge func(context.Context, *ttp.Store, ttp.Scope, ...ttp.RemovalOption) (ttp.Receipt, error)

// runOf purges the scope named by an argument.
func (f *removalFlags) runOf(cmd *cobra.Command, arg scopeArg, remove purge) error {
	return f.run(cmd, func(ctx context.Context, store *ttp.Store) (removal, error) {
		scope, err := findScope(ctx, store, arg)
		return removal{
			remove: func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
				return remove(ctx, store, scope, opts...)
			},
			scope:   scope,
			whyNone: func(ctx context.Context) (string, error) { return whyEmpty(ctx, store, scope, ttp.Filter{}) },
		}, err
	})
}

// run asks for confirmation if needed, runs the removal and prints its receipt. After an error it prints the
// receipt of the transactions that were committed.
func (f *removalFlags) run(cmd *cobra.Command, prepare func(context.Context, *ttp.Store) (removal, error)) error {
	return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
		job, err := prepare(ctx, store)
		if err != nil {
			return err
		}
		if !*f.yes && !f.dryRun {
			found, err := f.remove(ctx, cmd, store, job, true)
			if err == nil && touched(found) > 0 {
				err = confirm(ctx, cmd, question(found, f.tombstone))
			}
			if err != nil {
				return err
			}
		}
		receipt, err := f.remove(ctx, cmd, store, job, f.dryRun)
		if err == nil || touched(receipt) > 0 {
			err = errors.Join(printReceipt(cmd, f.out, receipt), err)
		}
		if err == nil && touched(receipt) == 0 {
			err = noteNone(ctx, cmd, job)
		}
		return err
	})
}

func noteNone(ctx context.Context, cmd *cobra.Command, job removal) error {
	if job.whyNone == nil {
		return nil
	}
	note, err := job.whyNone(ctx)
	if note != "" {
		notef(cmd.ErrOrStderr(), "%s\n", printable(note))
	}
	return err
}

func (f *removalFlags) remove(ctx context.Context, cmd *cobra.Command, store *ttp.Store, job removal, dryRun bool) (ttp.Receipt, error) {
	bar := newProgress(cmd.ErrOrStderr(), "tags", func() (int64, error) { return store.CountTags(ctx, job.scope, job.filter) })
	defer bar.clear()
	options := []ttp.RemovalOption{ttp.WithBatchSize(f.batch.value), ttp.WithProgress(func(p ttp.RemovalProgress) { bar.set(p.Examined) })}
	if dryRun {
		options = append(options, ttp.DryRun())
	}
	if f.tombstone {
		options = append(options, ttp.WithTombstone(f.reason))
	}
	return job.remove(ctx, options...)
}
