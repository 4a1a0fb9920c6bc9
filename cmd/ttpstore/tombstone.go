package main

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newTombstoneCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tombstone",
		Short: "List and lift tombstones",
		Long: `List and lift tombstones. A tombstone prevents removed tags from being written
again. Removals create one with --tombstone.`,
		Example: `  ttpstore tombstone list
  ttpstore tombstone lift 0199c2a4-7b1e`,
	}
	cmd.AddCommand(newTombstoneListCommand(), newTombstoneLiftCommand())
	return cmd
}

func newTombstoneListCommand() *cobra.Command {
	var flags *listFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tombstones, oldest first",
		Long: `List the tombstones, oldest first, with the removal that created each one, its
reason and the number of blocked tags.

` + listHelp,
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				return list[ttp.Tombstone]{
					page:    store.ListTombstones,
					id:      func(t ttp.Tombstone) uuid.UUID { return t.UUID },
					columns: tombstoneColumns(flags.display(cmd)),
					none:    "no tombstones",
				}.print(ctx, cmd, flags)
			})
		},
	}
	flags = addList(cmd)
	return cmd
}

func tombstoneColumns(d display) []column[ttp.Tombstone] {
	return []column[ttp.Tombstone]{
		idColumn(d, "tombstone", func(t ttp.Tombstone) uuid.UUID { return t.UUID }),
		timeColumn(d, "created", func(t ttp.Tombstone) time.Time { return t.CreatedAt }),
		countColumn("tags", func(t ttp.Tombstone) int64 { return t.Tags }),
		textColumn("removed", func(t ttp.Tombstone) string { return t.Removed }),
		textColumn("reason", func(t ttp.Tombstone) string { return t.Reason }),
	}
}

func newTombstoneLiftCommand() *cobra.Command {
	var begin string
	var flags *removalFlags
	cmd := &cobra.Command{
		Use:   "lift ID",
		Short: "Allow the tags of a tombstone to be written again",
		Long: `Delete a tombstone and print the number of blocked tags. The tags can then be
written again, but are not restored: import them again. If the command is
interrupted, run it again to finish. ID is an id printed by "ttpstore tombstone
list", or at least the first 8 digits of one.`,
		Args:              takeID(&begin),
		ValidArgsFunction: completeOnly(tombstones),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.run(cmd, func(ctx context.Context, store *ttp.Store) (removal, error) {
				id, err := findTombstone(ctx, store, begin)
				return removal{remove: func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
					tags, err := store.LiftTombstone(ctx, id, opts...)
					return ttp.Receipt{DryRun: flags.dryRun, Tags: tags}, err
				}}, err
			})
		},
	}
	flags = addBatches(cmd)
	return cmd
}
