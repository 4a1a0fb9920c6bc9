package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// Campaigns and identities merge alike: a loser points at the one that it was found to be, which may
// itself be, or become, a loser. Every row also names the survivor at the end of its chain, so that a
// rollup finds all that belongs together by one key.

// MergeIdentity says that an identity was found to be another one: from now on both answer as one, and no
// tag is touched. [Store.UnmergeIdentity] revokes it. To merge what is merged already changes nothing.
//
// It returns [ErrNotFound] for an identity that is not stored, and [ErrConflict] for a merge into itself,
// into one that is merged into it, or of one that is merged into a third; both ids are in the message.
func (s *Store) MergeIdentity(ctx context.Context, from, into uuid.UUID) error {
	return s.merge(ctx, "merge identity", identityMerges, from, into)
}

// UnmergeIdentity revokes a merge: the identity answers for itself again, with all that was merged into it.
// One that is not merged is left as it is. It returns [ErrNotFound].
func (s *Store) UnmergeIdentity(ctx context.Context, from uuid.UUID) error {
	return s.unmerge(ctx, "unmerge identity", identityMerges, from)
}

// MergeCampaign is [Store.MergeIdentity] for campaigns.
func (s *Store) MergeCampaign(ctx context.Context, from, into uuid.UUID) error {
	return s.merge(ctx, "merge campaign", campaignMerges, from, into)
}

// UnmergeCampaign is [Store.UnmergeIdentity] for campaigns.
func (s *Store) UnmergeCampaign(ctx context.Context, from uuid.UUID) error {
	return s.unmerge(ctx, "unmerge campaign", campaignMerges, from)
}

func (s *Store) merge(ctx context.Context, op string, kind func(queries) mergeKind, from, into uuid.UUID) error {
	_, err := update(ctx, s, op, func(q queries) (struct{}, error) {
		k := kind(q)
		if err := lockMerges(ctx, q, k.name); err != nil {
			return struct{}{}, err
		}
		for _, id := range []uuid.UUID{from, into} {
			if _, _, err := k.lock(ctx, id); errors.Is(err, sql.ErrNoRows) {
				return struct{}{}, fmt.Errorf("%w: %s %s cannot be merged into %s: %s is not stored", ErrNotFound, k.name, from, into, id)
			} else if err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, k.merge(ctx, from, into)
	})
	return err
}

func (s *Store) unmerge(ctx context.Context, op string, kind func(queries) mergeKind, from uuid.UUID) error {
	_, err := update(ctx, s, op, func(q queries) (struct{}, error) {
		k := kind(q)
		if err := lockMerges(ctx, q, k.name); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, k.unmerge(ctx, from)
	})
	return err
}

// mergeKind is how one kind of scope reads and writes its merge pointers. Each func is a query.
type mergeKind struct {
	name            string
	lockAll         func(ctx context.Context, kind string) error // makes this transaction the only one that merges
	mergedInto      func(ctx context.Context, id uuid.UUID) (uuid.UUID, error)
	lock            func(ctx context.Context, id uuid.UUID) (mergedInto, survivor uuid.UUID, err error)
	setMergedInto   func(ctx context.Context, id, into uuid.UUID) error
	replaceSurvivor func(ctx context.Context, replaced, survivor uuid.UUID) error
	// lockMerged returns what points at any of the UUIDs, and setSurvivors changes their survivor.
	lockMerged   func(ctx context.Context, a asked) ([]uuid.UUID, error)
	setSurvivors func(ctx context.Context, a asked) (int64, error)
}

func campaignMerges(q queries) mergeKind {
	return mergeKind{
		name:    "campaign",
		lockAll: func(ctx context.Context, kind string) error { return lockMerges(ctx, q, kind) },
		mergedInto: func(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
			c, err := getCampaign(ctx, q, id)
			return c.MergedIntoUUID, err
		},
		lock: func(ctx context.Context, id uuid.UUID) (mergedInto, survivor uuid.UUID, err error) {
			c, err := lockCampaign(ctx, q, id)
			return c.MergedIntoUUID, c.SurvivorUUID, err
		},
		setMergedInto: func(ctx context.Context, id, into uuid.UUID) error { return setCampaignMergedInto(ctx, q, id, into) },
		replaceSurvivor: func(ctx context.Context, replaced, survivor uuid.UUID) error {
			return replaceCampaignSurvivor(ctx, q, replaced, survivor)
		},
		lockMerged:   func(ctx context.Context, a asked) ([]uuid.UUID, error) { return lockMergedCampaigns(ctx, q, a) },
		setSurvivors: func(ctx context.Context, a asked) (int64, error) { return setCampaignSurvivors(ctx, q, a) },
	}
}

func identityMerges(q queries) mergeKind {
	return mergeKind{
		name:    "identity",
		lockAll: func(ctx context.Context, kind string) error { return lockMerges(ctx, q, kind) },
		mergedInto: func(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
			i, err := getIdentity(ctx, q, id)
			return i.MergedIntoUUID, err
		},
		lock: func(ctx context.Context, id uuid.UUID) (mergedInto, survivor uuid.UUID, err error) {
			i, err := lockIdentity(ctx, q, id)
			return i.MergedIntoUUID, i.SurvivorUUID, err
		},
		setMergedInto: func(ctx context.Context, id, into uuid.UUID) error { return setIdentityMergedInto(ctx, q, id, into) },
		replaceSurvivor: func(ctx context.Context, replaced, survivor uuid.UUID) error {
			return replaceIdentitySurvivor(ctx, q, replaced, survivor)
		},
		lockMerged:   func(ctx context.Context, a asked) ([]uuid.UUID, error) { return lockMergedIdentities(ctx, q, a) },
		setSurvivors: func(ctx context.Context, a asked) (int64, error) { return setIdentitySurvivors(ctx, q, a) },
	}
}

// lockMerges makes this transaction the only one that merges, before it touches any row.
func (rows *scopes) lockMerges(ctx context.Context, q queries) error {
	for _, c := range rows.campaigns {
		if c.MergedIntoUUID != uuid.Nil {
			if err := lockMerges(ctx, q, "campaign"); err != nil {
				return err
			}
			break
		}
	}
	for _, i := range rows.identities {
		if i.MergedIntoUUID != uuid.Nil {
			return lockMerges(ctx, q, "identity")
		}
	}
	return nil
}

func (rows *scopes) merge(ctx context.Context, q queries) error {
	for _, c := range rows.campaigns {
		if err := campaignMerges(q).merge(ctx, c.UUID, c.MergedIntoUUID); err != nil {
			return err
		}
	}
	for _, i := range rows.identities {
		if err := identityMerges(q).merge(ctx, i.UUID, i.MergedIntoUUID); err != nil {
			return err
		}
	}
	return nil
}

// merge points id, which is stored, at into, which need not be. Nothing given and the pointer that is
// there already are no change.
func (k mergeKind) merge(ctx context.Context, id, into uuid.UUID) error {
	if into == uuid.Nil {
		return nil
	}
	mergedInto, _, err := k.lock(ctx, id)
	switch {
	case err != nil:
		return err
	case mergedInto == into:
		return nil
	case mergedInto != uuid.Nil:
		return fmt.Errorf("%w: %s %s is merged into %s, not into %s", ErrConflict, k.name, id, mergedInto, into)
	}
	_, survivor, err := k.lock(ctx, into)
	if errors.Is(err, sql.ErrNoRows) {
		survivor, err = into, nil // what is not stored is not merged
	}
	switch {
	case err != nil:
		return err
	case survivor == id:
		return fmt.Errorf("%w: %s %s cannot be merged into %s, which is it or is merged into it", ErrConflict, k.name, id, into)
	}
	if err := k.setMergedInto(ctx, id, into); err != nil {
		return err
	}
	return k.replaceSurvivor(ctx, id, survivor)
}

// unmerge clears the pointer of id and makes it the survivor of all that lead to it, level by level.
func (k mergeKind) unmerge(ctx context.Context, id uuid.UUID) error {
	mergedInto, _, err := k.lock(ctx, id)
	if err != nil || mergedInto == uuid.Nil {
		return mustStore(k.name, id, err)
	}
	if err := k.setMergedInto(ctx, id, uuid.Nil); err != nil {
		return err
	}
	for level := []uuid.UUID{id}; len(level) > 0; {
		var next []uuid.UUID
		for chunk := range slices.Chunk(level, moveBatch) {
			a := asked{SurvivorUUID: id[:], UUIDs: idBytes(chunk)}
			if _, err := k.setSurvivors(ctx, a); err != nil {
				return err
			}
			merged, err := k.lockMerged(ctx, a)
			if err != nil {
				return err
			}
			next = append(next, merged...)
		}
		level = next
	}
	return nil
}
