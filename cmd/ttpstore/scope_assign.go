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
		Example: `  ttpstore scope assign attackers e1292c78 192.0.2.17 192.0.2.23
  ttpstore scope assign identities "Copper Heron" e1292c78`,
	}
	cmd.AddCommand(
		newScopeAssignToCommand(ttp.IdentityScope, ttp.AttackerScope, "attackers IDENTITY ATTACKER...", "Assign attackers to an identity",
			`Assign attackers to an identity, either all of them or none. Their tags move
with them. The identity and the attackers must be stored. The command is
idempotent.`, (*ttp.Store).AssignAttackers),
		newScopeAssignToCommand(ttp.CampaignScope, ttp.IdentityScope, "identities CAMPAIGN IDENTITY...", "Assign identities to a campaign",
			`Assign identities to a campaign, either all of them or none. The campaign and
the identities must be stored. The command is idempotent.`, (*ttp.Store).AssignCampaign),
	)
	return cmd
}

func newScopeAssignToCommand(to, thing ttp.ScopeKind, use, short, long string,
	assign func(*ttp.Store, context.Context, uuid.UUID, ...uuid.UUID) error,
) *cobra.Command {
	var scopes []scopeArg
	return &cobra.Command{
		Use:   use,
		Short: short,
		Long:  long,
		Args: func(cmd *cobra.Command, args []string) error {
			names := []string{strings.ToUpper(string(to)), strings.ToUpper(string(thing))}
			err := arguments(names...)(cmd, args[:min(len(args), len(names))])
			for i := 0; err == nil && i < len(args); i++ {
				arg := scopeArg{[]ttp.ScopeKind{to, thing}[min(i, 1)], args[i]}
				scopes, err = append(scopes, arg), arg.check(names[min(i, 1)])
			}
			return err
		},
		ValidArgsFunction: completeNames(to, thing),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withScopes(cmd, scopes, func(ctx context.Context, store *ttp.Store, scopes []ttp.Scope) error {
				var members []uuid.UUID
				for _, scope := range scopes[1:] {
					members = append(members, scope.UUID)
				}
				if err := assign(store, ctx, scopes[0].UUID, members...); err != nil {
					return err
				}
				notef(cmd.ErrOrStderr(), "assigned %s to %s\n", count(len(members), string(thing)), scopes[0])
				return nil
			})
		},
	}
}
