package main

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// mergedKinds are those that merge.
func mergedKinds() []ttp.ScopeKind {
	return []ttp.ScopeKind{ttp.IdentityScope, ttp.CampaignScope}
}

func newScopeMergeCommand() *cobra.Command {
	var kind ttp.ScopeKind
	var ids [2]uuid.UUID
	return &cobra.Command{
		Use:   "merge identity|campaign FROM INTO",
		Short: "Say that an identity or campaign was found to be another one",
		Long: `Say that an identity or campaign was found to be another one: from now on both answer as one. No tag is
touched, and "ttpstore scope unmerge" revokes it. To merge what is merged already is no error; a merge
into itself, into what is merged into it, or of what is merged into a third is a failure.`,
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
		Short: "Revoke a merge",
		Long: `Revoke a merge: the identity or campaign answers for itself again, with all that was merged into it. A note
on standard error names what it was merged into. One that is not merged is left as it is.`,
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

// unmerge returns what the scope was merged into. An error of the read comes again from the write.
func unmerge(ctx context.Context, store *ttp.Store, kind ttp.ScopeKind, id uuid.UUID) (into uuid.UUID, err error) {
	if kind == ttp.CampaignScope {
		c, _ := store.GetCampaign(ctx, id)
		return c.MergedIntoUUID, store.UnmergeCampaign(ctx, id)
	}
	i, _ := store.GetIdentity(ctx, id)
	return i.MergedIntoUUID, store.UnmergeIdentity(ctx, id)
}
