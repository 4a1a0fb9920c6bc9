package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newPurgeAllCommand() *cobra.Command {
	var flags *removalFlags
	cmd := &cobra.Command{
		Use:   "all",
		Short: "Remove all tags and scopes",
		Long: `Remove all tags, attackers, identities and campaigns. Tombstones are kept.

` + removalHelp,
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.runOf(cmd, scopeArg{}, func(
				ctx context.Context, store *ttp.Store, _ ttp.Scope, opts ...ttp.RemovalOption,
			) (ttp.Receipt, error) {
				return store.PurgeAll(ctx, opts...)
			})
		},
	}
	flags = addRemoval(cmd)
	return cmd
}
