package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// mostCompletions limits the words that a completion reads from the database.
const mostCompletions = 1000

// completions returns the completions of an argument, each with a description after a tab.
type completions func(ctx context.Context, store *ttp.Store) ([]cobra.Completion, error)

// fromStore completes with words from the database, or with none if it cannot be read.
func fromStore(cmd *cobra.Command, list completions) ([]cobra.Completion, cobra.ShellCompDirective) {
	var found []cobra.Completion
	_ = withStore(cmd, func(ctx context.Context, store *ttp.Store) (err error) {
		found, err = list(ctx, store)
		return err
	})
	return found, cobra.ShellCompDirectiveNoFileComp
}

// completeFlag completes the values of a flag from the database.
func completeFlag(cmd *cobra.Command, name string, list completions) {
	must(cmd.RegisterFlagCompletionFunc(name, func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return fromStore(cmd, list)
	}))
}

// completeScopes completes the kind of each scope and its name.
func completeScopes(scopes int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, start string) ([]cobra.Completion, cobra.ShellCompDirective) {
		for range scopes {
			switch {
			case len(args) == 0:
				return append([]cobra.Completion{fleet}, words(scopeKinds())...), cobra.ShellCompDirectiveNoFileComp
			case args[0] == fleet:
				args = args[1:]
			case len(args) == 1:
				return fromStore(cmd, scopeNames(ttp.ScopeKind(args[0]), start))
			default:
				args = args[2:]
			}
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeScopeOf completes one of the kinds, then as many names of that kind.
func completeScopeOf(kinds []ttp.ScopeKind, names int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, start string) ([]cobra.Completion, cobra.ShellCompDirective) {
		switch {
		case len(args) == 0:
			return words(kinds), cobra.ShellCompDirectiveNoFileComp
		case len(args) <= names && slices.Contains(kinds, ttp.ScopeKind(args[0])):
			return fromStore(cmd, scopeNames(ttp.ScopeKind(args[0]), start))
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeOnly completes the only argument from the database.
func completeOnly(list completions) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return fromStore(cmd, list)
	}
}

// tombstones lists the tombstones of the store.
func tombstones(ctx context.Context, store *ttp.Store) ([]cobra.Completion, error) {
	rows, err := store.ListTombstones(ctx, uuid.Nil, mostCompletions)
	var found []cobra.Completion
	for _, t := range rows {
		found = append(found, cobra.CompletionWithDesc(t.UUID.String(), t.Removed))
	}
	return found, err
}

// recentBatches lists the batches of the newest tags, each with the day of its newest tag.
func recentBatches(ctx context.Context, store *ttp.Store) ([]cobra.Completion, error) {
	page, err := store.ListTags(ctx, ttp.Fleet(), ttp.Filter{}, mostCompletions, "")
	var found []cobra.Completion
	known := map[uuid.UUID]bool{}
	for _, t := range page.Tags {
		if !known[t.BatchUUID] {
			known[t.BatchUUID] = true
			found = append(found, cobra.CompletionWithDesc(t.BatchUUID.String(), "until "+t.ObservedAt.Format(time.DateOnly)))
		}
	}
	return found, err
}

// completeNames completes each argument with the names of its kind; the last kind may be repeated.
func completeNames(kinds ...ttp.ScopeKind) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, start string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(kinds) == 1 && len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return fromStore(cmd, scopeNames(kinds[min(len(args), len(kinds)-1)], start))
	}
}

// scopeNames lists the names of the scopes of a kind, and their ids if the word begins like one.
func scopeNames(kind ttp.ScopeKind, start string) completions {
	return func(ctx context.Context, store *ttp.Store) (found []cobra.Completion, err error) {
		add := func(id uuid.UUID, name string) {
			if name != "" && strings.HasPrefix(strings.ToLower(name), strings.ToLower(start)) {
				found = append(found, cobra.CompletionWithDesc(name, id.String()[:shortID]))
			}
			if name == "" || start != "" && strings.HasPrefix(id.String(), start) {
				found = append(found, cobra.CompletionWithDesc(id.String(), name))
			}
		}
		switch kind {
		case ttp.CampaignScope:
			rows, err := store.ListCampaigns(ctx, ttp.Fleet(), uuid.Nil, mostCompletions)
			for _, c := range rows {
				add(c.UUID, c.Name)
			}
			return found, err
		case ttp.IdentityScope:
			rows, err := store.ListIdentities(ctx, ttp.Fleet(), uuid.Nil, mostCompletions)
			if err != nil {
				return nil, err
			}
			ids := make([]uuid.UUID, len(rows))
			for n, i := range rows {
				ids[n] = i.UUID
			}
			attackers, err := store.AttackersOfIdentities(ctx, ids...)
			for _, id := range ids {
				for _, ip := range ipsOf(attackers[id]) {
					add(id, ip)
				}
				if len(ipsOf(attackers[id])) == 0 {
					add(id, "")
				}
			}
			return found, err
		case ttp.AttackerScope:
			rows, err := store.ListAttackers(ctx, ttp.Fleet(), uuid.Nil, mostCompletions)
			for _, a := range rows {
				add(a.UUID, ipText(a))
			}
			return found, err
		}
		rows, err := store.Who(ctx, ttp.SessionScope, ttp.Filter{}, mostCompletions)
		for _, s := range rows {
			found = append(found, cobra.CompletionWithDesc(s.SessionID, count(s.Count, "tag")))
		}
		return found, err
	}
}

// seenTechniques lists the techniques of the store, the most frequent first.
func seenTechniques(ctx context.Context, store *ttp.Store) ([]cobra.Completion, error) {
	rows, err := store.Rollup(ctx, ttp.Fleet())
	var found []cobra.Completion
	for _, row := range rows {
		id, name := row.TechniqueID, row.TechniqueName
		if row.SubTechniqueID != "" {
			id, name = row.SubTechniqueID, row.SubTechniqueName
		}
		found = append(found, cobra.CompletionWithDesc(id, name))
	}
	return found, err
}

// seenTactics lists the tactics of the store.
func seenTactics(ctx context.Context, store *ttp.Store) ([]cobra.Completion, error) {
	rows, err := store.Rollup(ctx, ttp.Fleet())
	names := map[string]string{}
	for _, row := range rows {
		for _, t := range row.Tactics {
			names[t.Tactic] = t.Name
		}
	}
	var found []cobra.Completion
	for id, name := range names {
		found = append(found, cobra.CompletionWithDesc(id, name))
	}
	slices.Sort(found)
	return found, err
}

// seenReleases lists the ATT&CK releases of the store's tags.
func seenReleases(ctx context.Context, store *ttp.Store) ([]cobra.Completion, error) {
	rows, err := store.Rollup(ctx, ttp.Fleet())
	var found []cobra.Completion
	for _, row := range rows {
		found = append(found, row.Releases...)
	}
	slices.Sort(found)
	return slices.Compact(found), err
}

// seenRules lists the rules of the store.
func seenRules(ctx context.Context, store *ttp.Store) ([]cobra.Completion, error) {
	rules, err := store.ListRules(ctx, ttp.Filter{})
	var found []cobra.Completion
	for _, r := range rules {
		found = append(found, r.RuleID)
	}
	return slices.Compact(found), err
}

// seenDeckies lists the deckies of the store, the busiest first.
func seenDeckies(ctx context.Context, store *ttp.Store) ([]cobra.Completion, error) {
	deckies, err := store.ListDeckies(ctx, ttp.Filter{})
	var found []cobra.Completion
	for _, d := range deckies {
		found = append(found, cobra.CompletionWithDesc(d.DeckyID, count(d.Count, "tag")))
	}
	return found, err
}
