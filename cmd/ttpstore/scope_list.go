package main

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newScopeListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List campaigns, identities or attackers",
		Example: `  ttpstore scope list campaigns
  ttpstore scope list identities --campaign 27b9630e-70f3-513e-b7aa-1f4f8ca1f251 --json
  ttpstore scope list attackers --all --format csv`,
	}
	cmd.AddCommand(
		newScopeListOfCommand("campaigns", "List campaigns", listOfCampaigns,
			listFilter{ttp.CampaignScope, "only campaigns merged into this campaign `ID`"}),
		newScopeListOfCommand("identities", "List identities", listOfIdentities,
			listFilter{ttp.CampaignScope, "only identities assigned to this campaign `ID`"},
			listFilter{ttp.IdentityScope, "only identities merged into this identity `ID`"}),
		newScopeListOfCommand("attackers", "List attackers", listOfAttackers,
			listFilter{ttp.IdentityScope, "only attackers assigned to this identity `ID`"}),
	)
	return cmd
}

// listFilter is a filter flag of a list, named after the kind.
type listFilter struct {
	kind  ttp.ScopeKind
	usage string
}

func newScopeListOfCommand[T any](use, short string, of func(*ttp.Store, ttp.Scope) list[T], filters ...listFilter) *cobra.Command {
	var scope ttp.Scope
	var flags *listFlags
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Long: short + `, ordered by id. The filter flags match only direct references; merges are not followed.

` + listHelp,
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				return of(store, scope).print(ctx, cmd, flags)
			})
		},
	}
	var names []string
	for _, filter := range filters {
		name := string(filter.kind)
		names = append(names, name)
		cmd.Flags().Func(name, filter.usage, func(s string) error {
			var id uuid.UUID
			err := setID(&id)(s)
			scope = ttp.Scope{Kind: filter.kind, UUID: id}
			return err
		})
		must(cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions))
	}
	exclusive(cmd, names...)
	flags = addList(cmd)
	return cmd
}

func listOfCampaigns(store *ttp.Store, of ttp.Scope) list[campaign] {
	return list[campaign]{
		page: func(ctx context.Context, after uuid.UUID, limit int) ([]campaign, error) {
			page, err := store.ListCampaigns(ctx, of, after, limit)
			return shown(page, shownCampaign), err
		},
		id:      func(c campaign) uuid.UUID { return c.UUID },
		columns: campaignColumns(),
		none:    "no campaigns",
	}
}

func listOfIdentities(store *ttp.Store, of ttp.Scope) list[identity] {
	return list[identity]{
		page: func(ctx context.Context, after uuid.UUID, limit int) ([]identity, error) {
			page, err := store.ListIdentities(ctx, of, after, limit)
			return shown(page, shownIdentity), err
		},
		id:      func(i identity) uuid.UUID { return i.UUID },
		columns: identityColumns(),
		none:    "no identities",
	}
}

func listOfAttackers(store *ttp.Store, of ttp.Scope) list[ttp.Attacker] {
	return list[ttp.Attacker]{
		page: func(ctx context.Context, after uuid.UUID, limit int) ([]ttp.Attacker, error) {
			return store.ListAttackers(ctx, of, after, limit)
		},
		id:      func(a ttp.Attacker) uuid.UUID { return a.UUID },
		columns: attackerColumns(),
		none:    "no attackers",
	}
}

func shown[T, S any](rows []T, show func(T) S) []S {
	out := make([]S, len(rows))
	for i, row := range rows {
		out[i] = show(row)
	}
	return out
}
