package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newPurgeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "purge",
		Short: "Remove an attacker, identity or session and its tags, or all data",
		Example: `  ttpstore purge attacker 192.0.2.17 --dry-run
  ttpstore purge identity e1292c78 --with-attackers
  ttpstore purge session 66ffcc176598 --tombstone --reason "our own test" --yes`,
	}
	cmd.AddCommand(newPurgeAttackerCommand(), newPurgeIdentityCommand(), newPurgeSessionCommand(), newPurgeAllCommand())
	return cmd
}

func newPurgeAttackerCommand() *cobra.Command {
	var scope [1]scopeArg
	var flags *removalFlags
	cmd := &cobra.Command{
		Use:   "attacker ID",
		Short: "Remove an attacker and its tags",
		Long: `Remove an attacker and its tags. An unknown id is not an error.

` + idHelp + "\n\n" + removalHelp,
		Args:              takeNamed(ttp.AttackerScope, scope[:], "ID"),
		ValidArgsFunction: completeNames(ttp.AttackerScope),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.runOf(cmd, scope[0], func(
				ctx context.Context, store *ttp.Store, scope ttp.Scope, opts ...ttp.RemovalOption,
			) (ttp.Receipt, error) {
				return store.PurgeAttacker(ctx, scope.UUID, opts...)
			})
		},
	}
	flags = addRemoval(cmd)
	return cmd
}

func newPurgeIdentityCommand() *cobra.Command {
	var scope [1]scopeArg
	var withAttackers bool
	var flags *removalFlags
	cmd := &cobra.Command{
		Use:   "identity ID",
		Short: "Remove an identity and the identities merged into it",
		Long: `Remove an identity, the identities merged into it, and their identity-rollup
tags, which have no attacker. Their attackers and the tags of these are kept
without an identity; --with-attackers removes them, too. An identity merged into
another one is refused: purge the survivor, or unmerge the identity first.

` + idHelp + "\n\n" + removalHelp,
		Args:              takeNamed(ttp.IdentityScope, scope[:], "ID"),
		ValidArgsFunction: completeNames(ttp.IdentityScope),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.runOf(cmd, scope[0], func(
				ctx context.Context, store *ttp.Store, scope ttp.Scope, opts ...ttp.RemovalOption,
			) (ttp.Receipt, error) {
				if withAttackers {
					return store.PurgeIdentityAndAttackers(ctx, scope.UUID, opts...)
				}
				return store.PurgeIdentity(ctx, scope.UUID, opts...)
			})
		},
	}
	cmd.Flags().BoolVar(&withAttackers, "with-attackers", false, "also remove the attackers of the identity and their tags")
	flags = addRemoval(cmd)
	return cmd
}

func newPurgeSessionCommand() *cobra.Command {
	var scope [1]scopeArg
	var flags *removalFlags
	cmd := &cobra.Command{
		Use:   "session ID",
		Short: "Remove the tags of a login session",
		Long: `Remove the tags of a login session. An unknown id is not an error.

` + removalHelp,
		Args:              takeNamed(ttp.SessionScope, scope[:], "ID"),
		ValidArgsFunction: completeNames(ttp.SessionScope),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.runOf(cmd, scope[0], func(
				ctx context.Context, store *ttp.Store, scope ttp.Scope, opts ...ttp.RemovalOption,
			) (ttp.Receipt, error) {
				return store.PurgeSession(ctx, scope.SessionID, opts...)
			})
		},
	}
	flags = addRemoval(cmd)
	return cmd
}
