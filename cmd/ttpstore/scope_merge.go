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
	var kind ttp.ScopeKind
	var ids [2]uuid.UUID
	return &cobra.Command{
		Use:   "merge identity|campaign FROM INTO",
		Short: "Merge an identity or campaign into another one",
		Long: `Merge an identity or campaign into another one. Reads of either then return the tags of both. No tag is
changed, and "ttpstore scope unmerge" undoes the merge. Repeating a merge is not an error. A merge into
itself, a merge that closes a cycle, and a merge of a scope that is already merged elsewhere are refused.`,
		Example:           `  ttpstore scope merge identity 189b3fbb-9556-55f5-a524-57d8bd6526b3 e1292c78-2e52-5857-ae79-bbc6fe89e0c2`,
		Args:              takeIDsOfKind(&kind, mergedKinds(), ids[:], "FROM", "INTO"),
		ValidArgsFunction: completeKind(mergedKinds()),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				merge := store.MergeIdentity
				if kind == ttp.CampaignScope {
					merge = store.MergeCampaign
				}
				if err := merge(ctx, ids[0], ids[1]); err != nil {
					return err
				}
				notef(cmd.ErrOrStderr(), "%s %s is merged into %s\n", kind, ids[0], ids[1])
				return nil
			})
		},
	}
}

func newScopeUnmergeCommand() *cobra.Command {
	var kind ttp.ScopeKind
	var ids [1]uuid.UUID
	return &cobra.Command{
		Use:   "unmerge identity|campaign FROM",
		Short: "Undo a merge",
		Long: `Undo a merge: the identity or campaign is separate again, together with those merged into it. A note on
standard error names the scope it was merged into. If it is not merged, nothing changes.`,
		Example:           `  ttpstore scope unmerge identity 189b3fbb-9556-55f5-a524-57d8bd6526b3`,
		Args:              takeIDsOfKind(&kind, mergedKinds(), ids[:], "FROM"),
		ValidArgsFunction: completeKind(mergedKinds()),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				into, err := unmerge(ctx, store, kind, ids[0])
				switch {
				case err != nil:
					return err
				case into == uuid.Nil:
					notef(cmd.ErrOrStderr(), "%s %s was not merged\n", kind, ids[0])
				default:
					notef(cmd.ErrOrStderr(), "%s %s is no longer merged into %s\n", kind, ids[0], into)
				}
				return nil
			})
		},
	}
}

// unmerge undoes a merge and returns the scope merged into. A read error is ignored: the write fails likewise.
func unmerge(ctx context.Context, store *ttp.Store, kind ttp.ScopeKind, id uuid.UUID) (into uuid.UUID, err error) {
	if kind == ttp.CampaignScope {
		c, _ := store.GetCampaign(ctx, id)
		return c.MergedIntoUUID, store.UnmergeCampaign(ctx, id)
	}
	i, _ := store.GetIdentity(ctx, id)
	return i.MergedIntoUUID, store.UnmergeIdentity(ctx, id)
}
