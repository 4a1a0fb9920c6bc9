package main

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/internal/levenshtein"
	"github.com/decnet/ttpstore/ttp"
)

// printFound prints the rows of a scope and filter or, if there are none, the reason.
func printFound[T any](ctx context.Context, cmd *cobra.Command, store *ttp.Store, o *output, columns []column[T], rows iter.Seq2[T, error],
	scope ttp.Scope, f ttp.Filter,
) error {
	n, err := printRows(cmd, o, columns, rows)
	if err != nil || n > 0 {
		return err
	}
	return noteEmpty(ctx, cmd, store, scope, f)
}

// noteEmpty reports on standard error why a result is empty: the scope or the rule is unknown, or none of its tags match.
func noteEmpty(ctx context.Context, cmd *cobra.Command, store *ttp.Store, scope ttp.Scope, f ttp.Filter) error {
	note, err := whyEmpty(ctx, store, scope, f)
	if err == nil {
		notef(cmd.ErrOrStderr(), "%s\n", printable(note))
	}
	return err
}

func whyEmpty(ctx context.Context, store *ttp.Store, scope ttp.Scope, f ttp.Filter) (string, error) {
	if f.RuleID != "" {
		if unknown, err := unknownRule(ctx, store, f.RuleID); unknown != "" || err != nil {
			return unknown, err
		}
	}
	all, err := store.CountTags(ctx, scope, ttp.Filter{})
	switch {
	case err != nil:
		return "", err
	case all > 0:
		name, err := describeScope(ctx, store, scope)
		return fmt.Sprintf("no tags match: %s has %s", name, count(all, "tag")), err
	case scope.Kind == ttp.FleetScope:
		return "no tags: the database is empty", nil
	case scope.Kind == ttp.SessionScope:
		return unknownSession(ctx, store, scope.SessionID)
	}
	stored, err := storedWithPrefix(ctx, store, scopeArg{scope.Kind, scope.UUID.String()})
	if err == nil && len(stored) == 0 {
		return fmt.Sprintf("unknown %s: it is not stored and has no tags", scope), nil
	}
	return fmt.Sprintf("no tags: %s is stored but has no tags", scope), err
}

// unknownRule returns a note if no tag has the filter's rule.
func unknownRule(ctx context.Context, store *ttp.Store, id string) (string, error) {
	rules, err := seenRules(ctx, store)
	if err != nil || slices.Contains(rules, id) {
		return "", err
	}
	return fmt.Sprintf("no tag has rule %s%s", id, nearest(id, rules)), nil
}

func unknownSession(ctx context.Context, store *ttp.Store, id string) (string, error) {
	sessions, err := store.Who(ctx, ttp.SessionScope, ttp.Filter{}, mostCompletions)
	known := make([]string, len(sessions))
	for i, s := range sessions {
		known[i] = s.SessionID
	}
	return fmt.Sprintf("no tag has session %s%s", id, nearest(id, known)), err
}

func nearest(word string, known []string) string {
	if near := levenshtein.Nearest(word, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}
