package main

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newScopeUnassignCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "unassign",
		Short: "Take attackers out of their identities, or identities out of their campaigns",
		Example: `  ttpstore scope unassign attackers 542eed02-5e33-5182-94c3-b95ea9af1b84
  ttpstore scope unassign identities e1292c78-2e52-5857-ae79-bbc6fe89e0c2`,
	}
	cmd.AddCommand(
		newScopeUnassignFromCommand("attacker", "attackers ATTACKER...", "Take attackers out of their identities",
			`Take attackers out of their identities, all or none. Their tags lose the identity, too. The attackers must be
stored. The command is idempotent.`, "ATTACKER", (*ttp.Store).UnassignAttackers),
		newScopeUnassignFromCommand("identity", "identities IDENTITY...", "Take identities out of their campaigns",
			`Take identities out of their campaigns, all or none. The identities must be stored. The command is idempotent.`,
			"IDENTITY", (*ttp.Store).UnassignCampaign),
	)
	return cmd
}

func newScopeUnassignFromCommand(thing, use, short, long, argument string,
	unassign func(*ttp.Store, context.Context, ...uuid.UUID) error,
) *cobra.Command {
	var ids []uuid.UUID
	return &cobra.Command{
		Use:   use,
		Short: short,
		Long:  long,
		Args: func(cmd *cobra.Command, args []string) error {
			err := arguments(argument)(cmd, args[:min(len(args), 1)])
			for i := 0; err == nil && i < len(args); i++ {
				var id uuid.UUID
				id, err = parseID(argument, args[i])
				ids = append(ids, id)
			}
			return err
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				if err := unassign(store, ctx, ids...); err != nil {
					return err
				}
				notef(cmd.ErrOrStderr(), "unassigned %s\n", count(len(ids), thing))
				return nil
			})
		},
	}
}
