package main

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newScopeListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List campaigns, identities or attackers",
		Example: `  ttpstore scope list campaigns
  ttpstore scope list identities --campaign "Copper Heron" --json
  ttpstore scope list attackers --limit 0 -o csv`,
	}
	cmd.AddCommand(
		newScopeListOfCommand("campaigns", "List campaigns", listOfCampaigns,
			listFilter{ttp.CampaignScope, "only campaigns merged into this `campaign`", "merged into"}),
		newScopeListOfCommand("identities", "List identities", listOfIdentities,
			listFilter{ttp.CampaignScope, "only identities assigned to this `campaign`", "campaign"},
			listFilter{ttp.IdentityScope, "only identities merged into this `identity`", "merged into"}),
		newScopeListOfCommand("attackers", "List attackers", listOfAttackers,
			listFilter{ttp.IdentityScope, "only attackers assigned to this `identity`", "identity"}),
	)
	return cmd
}

// listFilter is a filter flag of a list, named after the kind.
type listFilter struct {
	kind  ttp.ScopeKind
	usage string
	fixed string // the column that the filter makes the same in all rows
}

func newScopeListOfCommand[T any](use, short string, of func(display, *ttp.Store, ttp.Scope) list[T],
	filters ...listFilter,
) *cobra.Command {
	var arg scopeArg
	var flags *listFlags
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Long: short + `, ordered by id. The filter flags match direct assignments and
merges only; chains of merges are not followed.

` + listHelp,
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withScope(cmd, arg, func(ctx context.Context, store *ttp.Store, scope ttp.Scope) error {
				list := of(flags.display(cmd), store, scope)
				for _, filter := range filters {
					if filter.kind == arg.kind {
						list.columns = slices.DeleteFunc(list.columns, func(c column[T]) bool { return strings.HasPrefix(c.name, filter.fixed) })
					}
				}
				return list.print(ctx, cmd, flags)
			})
		},
	}
	var names []string
	for _, filter := range filters {
		name := string(filter.kind)
		names = append(names, name)
		cmd.Flags().Func(name, filter.usage, setScope(filter.kind, &arg))
		must(cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions))
	}
	exclusive(cmd, names...)
	flags = addList(cmd)
	return cmd
}

func campaignPage(store *ttp.Store, of ttp.Scope) page[campaign] {
	return func(ctx context.Context, after uuid.UUID, limit int) ([]campaign, error) {
		rows, err := store.ListCampaigns(ctx, of, after, limit)
		return shown(rows, shownCampaign), err
	}
}

func identityPage(store *ttp.Store, of ttp.Scope) page[identity] {
	return func(ctx context.Context, after uuid.UUID, limit int) ([]identity, error) {
		rows, err := store.ListIdentities(ctx, of, after, limit)
		if err != nil {
			return nil, err
		}
		return shownIdentities(ctx, store, rows...)
	}
}

func attackerPage(store *ttp.Store, of ttp.Scope) page[ttp.Attacker] {
	return func(ctx context.Context, after uuid.UUID, limit int) ([]ttp.Attacker, error) {
		return store.ListAttackers(ctx, of, after, limit)
	}
}

func uuidOfCampaign(c campaign) uuid.UUID { return c.UUID }

func uuidOfIdentity(i identity) uuid.UUID { return i.UUID }

func uuidOfAttacker(a ttp.Attacker) uuid.UUID { return a.UUID }

func listOfCampaigns(d display, store *ttp.Store, of ttp.Scope) list[campaign] {
	return list[campaign]{campaignPage(store, of), uuidOfCampaign, campaignColumns(d), "no campaigns"}
}

func listOfIdentities(d display, store *ttp.Store, of ttp.Scope) list[identity] {
	return list[identity]{identityPage(store, of), uuidOfIdentity, identityColumns(d), "no identities"}
}

func listOfAttackers(d display, store *ttp.Store, of ttp.Scope) list[ttp.Attacker] {
	return list[ttp.Attacker]{attackerPage(store, of), uuidOfAttacker, attackerColumns(d), "no attackers"}
}

func shown[T, S any](rows []T, show func(T) S) []S {
	out := make([]S, len(rows))
	for i, row := range rows {
		out[i] = show(row)
	}
	return out
}
