package main

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// mergedKinds returns the kinds of scopes that can be merged.
func mergedKinds() []ttp.ScopeKind {
	return []ttp.ScopeKind{ttp.IdentityScope, ttp.CampaignScope}
}

func newScopeMergeCommand() *cobra.Command {
	var args [2]scopeArg
	return &cobra.Command{
		Use:   "merge identity|campaign FROM INTO",
		Short: "Merge an identity or campaign into another one",
		Long: `Merge an identity or campaign into another one. Reads of either one then return
the tags of both. Tags are not changed, and "ttpstore scope unmerge" undoes the
merge. The command is idempotent. It refuses to merge a scope into itself, to
close a cycle, and to merge a scope that is already merged into another one.`,
		Example: `  ttpstore scope merge identity 189b3fbb e1292c78
  ttpstore scope merge campaign "Glass Harbour" "Copper Heron"`,
		Args:              takeNamedOfKind(mergedKinds(), args[:], "FROM", "INTO"),
		ValidArgsFunction: completeScopeOf(mergedKinds(), 2),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withScopes(cmd, args[:], func(ctx context.Context, store *ttp.Store, scopes []ttp.Scope) error {
				merge := store.MergeIdentity
				if scopes[0].Kind == ttp.CampaignScope {
					merge = store.MergeCampaign
				}
				if err := merge(ctx, scopes[0].UUID, scopes[1].UUID); err != nil {
					return err
				}
				return noteMerge(ctx, cmd, store, "merged %s into %s\n", scopes[0], scopes[1])
			})
		},
	}
}

func newScopeUnmergeCommand() *cobra.Command {
	var args [1]scopeArg
	return &cobra.Command{
		Use:   "unmerge identity|campaign FROM",
		Short: "Undo the merge of an identity or campaign",
		Long: `Undo the merge of an identity or campaign. It is separate again, together with
the scopes merged into it. A note on standard error names both scopes of the
undone merge. If the scope is not merged, nothing changes.`,
		Example:           `  ttpstore scope unmerge identity 189b3fbb`,
		Args:              takeNamedOfKind(mergedKinds(), args[:], "FROM"),
		ValidArgsFunction: completeScopeOf(mergedKinds(), 1),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withScope(cmd, args[0], func(ctx context.Context, store *ttp.Store, scope ttp.Scope) error {
				into, err := unmerge(ctx, store, scope)
				switch {
				case err != nil:
					return err
				case into == uuid.Nil:
					notef(cmd.ErrOrStderr(), "%s is not merged: nothing to undo\n", scope)
					return nil
				}
				tags, err := store.CountTags(ctx, scope, ttp.Filter{})
				if err != nil {
					return err
				}
				note := "unmerged %s, with " + count(tags, "tag") + ", from %s\n"
				return noteMerge(ctx, cmd, store, note, scope, ttp.Scope{Kind: scope.Kind, UUID: into})
			})
		},
	}
}

// unmerge undoes a merge and returns the scope that was merged into. A read error is ignored, since the write fails too.
func unmerge(ctx context.Context, store *ttp.Store, scope ttp.Scope) (into uuid.UUID, err error) {
	if scope.Kind == ttp.CampaignScope {
		c, _ := store.GetCampaign(ctx, scope.UUID)
		return c.MergedIntoUUID, store.UnmergeCampaign(ctx, scope.UUID)
	}
	i, _ := store.GetIdentity(ctx, scope.UUID)
	return i.MergedIntoUUID, store.UnmergeIdentity(ctx, scope.UUID)
}

// noteMerge prints a note about two scopes on standard error.
func noteMerge(ctx context.Context, cmd *cobra.Command, store *ttp.Store, format string, from, into ttp.Scope) error {
	first, err := describeScope(ctx, store, from)
	if err != nil {
		return err
	}
	second, err := describeScope(ctx, store, into)
	if err == nil {
		notef(cmd.ErrOrStderr(), format, first, second)
	}
	return err
}
