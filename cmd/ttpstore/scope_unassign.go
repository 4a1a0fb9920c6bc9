package main

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newScopeUnassignCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "unassign",
		Short: "Unassign attackers from identities, or identities from campaigns",
		Example: `  ttpstore scope unassign attackers 192.0.2.17 192.0.2.23
  ttpstore scope unassign identities e1292c78`,
	}
	cmd.AddCommand(
		newScopeUnassignFromCommand(ttp.AttackerScope, "attackers ATTACKER...", "Unassign attackers from their identities",
			`Unassign attackers from their identities, either all of them or none. Their tags
lose the identity, too. The attackers must be stored. The command is idempotent.`, (*ttp.Store).UnassignAttackers),
		newScopeUnassignFromCommand(ttp.IdentityScope, "identities IDENTITY...", "Unassign identities from their campaigns",
			`Unassign identities from their campaigns, either all of them or none. The
identities must be stored. The command is idempotent.`, (*ttp.Store).UnassignCampaign),
	)
	return cmd
}

func newScopeUnassignFromCommand(thing ttp.ScopeKind, use, short, long string,
	unassign func(*ttp.Store, context.Context, ...uuid.UUID) error,
) *cobra.Command {
	var scopes []scopeArg
	return &cobra.Command{
		Use:   use,
		Short: short,
		Long:  long,
		Args: func(cmd *cobra.Command, args []string) error {
			scopes = make([]scopeArg, max(len(args), 1))
			return takeNamed(thing, scopes, slices.Repeat([]string{strings.ToUpper(string(thing))}, len(scopes))...)(cmd, args)
		},
		ValidArgsFunction: completeNames(thing),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withScopes(cmd, scopes, func(ctx context.Context, store *ttp.Store, scopes []ttp.Scope) error {
				ids := make([]uuid.UUID, len(scopes))
				for i, scope := range scopes {
					ids[i] = scope.UUID
				}
				if err := unassign(store, ctx, ids...); err != nil {
					return err
				}
				notef(cmd.ErrOrStderr(), "unassigned %s\n", count(len(ids), string(thing)))
				return nil
			})
		},
	}
}
