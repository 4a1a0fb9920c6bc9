package main

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newScopeAssignCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "assign",
		Short: "Assign attackers to an identity, or identities to a campaign",
		Example: `  ttpstore scope assign attackers e1292c78-2e52-5857-ae79-bbc6fe89e0c2 542eed02-5e33-5182-94c3-b95ea9af1b84
  ttpstore scope assign identities 27b9630e-70f3-513e-b7aa-1f4f8ca1f251 e1292c78-2e52-5857-ae79-bbc6fe89e0c2`,
	}
	cmd.AddCommand(
		newScopeAssignToCommand("identity", "attacker", "attackers IDENTITY ATTACKER...", "Assign attackers to an identity",
			`Assign attackers to an identity, all or none. Their tags that name another identity move with them. The
identity and the attackers must be stored. The command is idempotent.`, (*ttp.Store).AssignAttackers),
		newScopeAssignToCommand("campaign", "identity", "identities CAMPAIGN IDENTITY...", "Assign identities to a campaign",
			`Assign identities to a campaign, all or none. The campaign and the identities must be stored. The command is
idempotent.`, (*ttp.Store).AssignCampaign),
	)
	return cmd
}

func newScopeAssignToCommand(to, thing, use, short, long string,
	assign func(*ttp.Store, context.Context, uuid.UUID, ...uuid.UUID) error,
) *cobra.Command {
	var ids []uuid.UUID
	return &cobra.Command{
		Use:   use,
		Short: short,
		Long:  long,
		Args: func(cmd *cobra.Command, args []string) error {
			names := []string{strings.ToUpper(to), strings.ToUpper(thing)}
			err := arguments(names...)(cmd, args[:min(len(args), len(names))])
			for i := 0; err == nil && i < len(args); i++ {
				var id uuid.UUID
				id, err = parseID(names[min(i, 1)], args[i])
				ids = append(ids, id)
			}
			return err
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				if err := assign(store, ctx, ids[0], ids[1:]...); err != nil {
					return err
				}
				notef(cmd.ErrOrStderr(), "assigned %s to %s %s\n", count(len(ids)-1, thing), to, ids[0])
				return nil
			})
		},
	}
}
