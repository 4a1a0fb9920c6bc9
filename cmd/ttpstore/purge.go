package main

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newPurgeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "purge",
		Short: "Remove an attacker, an identity or a session, with their tags, or all",
		Example: `  ttpstore purge attacker 542eed02-5e33-5182-94c3-b95ea9af1b84 --dry-run
  ttpstore purge identity e1292c78-2e52-5857-ae79-bbc6fe89e0c2 --with-attackers
  ttpstore purge session 66ffcc176598 --tombstone --reason "our own test" --yes`,
	}
	cmd.AddCommand(newPurgeAttackerCommand(), newPurgeIdentityCommand(), newPurgeSessionCommand(), newPurgeAllCommand())
	return cmd
}

func newPurgeAttackerCommand() *cobra.Command {
	var id uuid.UUID
	var flags *removalFlags
	cmd := &cobra.Command{
		Use:   "attacker ID",
		Short: "Remove an attacker and the tags that name it",
		Long: `Remove an attacker and the tags that name it. An unknown id is not an error.

` + removalHelp,
		Args:              takeID(&id),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.run(cmd, func(ctx context.Context, store *ttp.Store, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
				return store.PurgeAttacker(ctx, id, opts...)
			})
		},
	}
	flags = addRemoval(cmd)
	return cmd
}

func newPurgeIdentityCommand() *cobra.Command {
	var id uuid.UUID
	var withAttackers bool
	var flags *removalFlags
	cmd := &cobra.Command{
		Use:   "identity ID",
		Short: "Remove an identity and the identities merged into it",
		Long: `Remove an identity, the identities merged into it, and the tags that name them but no attacker. Their
attackers and the attackers' tags are kept without an identity; --with-attackers removes them too.
An identity that is merged into another is refused: purge the survivor, or unmerge the identity first.

` + removalHelp,
		Args:              takeID(&id),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.run(cmd, func(ctx context.Context, store *ttp.Store, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
				if withAttackers {
					return store.PurgeIdentityAndAttackers(ctx, id, opts...)
				}
				return store.PurgeIdentity(ctx, id, opts...)
			})
		},
	}
	cmd.Flags().BoolVar(&withAttackers, "with-attackers", false, "also remove its attackers and their tags")
	flags = addRemoval(cmd)
	return cmd
}

func newPurgeSessionCommand() *cobra.Command {
	var scope [1]ttp.Scope
	var flags *removalFlags
	cmd := &cobra.Command{
		Use:   "session ID",
		Short: "Remove the tags of one login session",
		Long: `Remove the tags of one login session. An unknown id is not an error.

` + removalHelp,
		Args: func(cmd *cobra.Command, args []string) error {
			return takeScopes(scope[:])(cmd, append([]string{cmd.Name()}, args...))
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.run(cmd, func(ctx context.Context, store *ttp.Store, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
				return store.PurgeSession(ctx, scope[0].SessionID, opts...)
			})
		},
	}
	flags = addRemoval(cmd)
	return cmd
}
