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
		Long: `Merge an identity or campaign into another one. Reads of either then return the
tags of both. No tag is changed, and "ttpstore scope unmerge" undoes the merge.
Repeating a merge is not an error. A merge into itself, a merge that closes a
cycle, and a merge of a scope that is already merged elsewhere are refused.`,
		Example:           `  ttpstore scope merge identity 189b3fbb e1292c78`,
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
				return noteMerge(ctx, cmd, store, "%s is merged into %s\n", scopes[0], scopes[1])
			})
		},
	}
}

func newScopeUnmergeCommand() *cobra.Command {
	var args [1]scopeArg
	return &cobra.Command{
		Use:   "unmerge identity|campaign FROM",
		Short: "Undo a merge",
		Long: `Undo a merge: the identity or campaign is separate again, together with those
merged into it. A note on standard error says which merge it undid. If it is not
merged, nothing changes.`,
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
					notef(cmd.ErrOrStderr(), "%s was not merged: nothing is undone\n", scope)
					return nil
				}
				tags, err := store.CountTags(ctx, scope, ttp.Filter{})
				if err != nil {
					return err
				}
				note := "undid the merge of %s into %s: it has " + count(tags, "tag") + " of its own\n"
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
