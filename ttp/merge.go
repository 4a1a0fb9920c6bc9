package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	lockMerges            = exec((*sqlitegen.Queries).LockMerges, (*mysqlgen.Queries).LockMerges)
	lockCampaign          = one((*sqlitegen.Queries).LockCampaign, (*mysqlgen.Queries).LockCampaign, toCampaign, toCampaign)
	lockIdentity          = one((*sqlitegen.Queries).LockIdentity, (*mysqlgen.Queries).LockIdentity, toIdentity, toIdentity)
	setCampaignMergedInto = exec((*sqlitegen.Queries).SetCampaignMergedInto, (*mysqlgen.Queries).SetCampaignMergedInto)
	setIdentityMergedInto = exec((*sqlitegen.Queries).SetIdentityMergedInto, (*mysqlgen.Queries).SetIdentityMergedInto)
	lockMergedCampaigns   = many((*sqlitegen.Queries).LockMergedCampaigns, (*mysqlgen.Queries).LockMergedCampaigns, toID, toID)
	lockMergedIdentities  = many((*sqlitegen.Queries).LockMergedIdentities, (*mysqlgen.Queries).LockMergedIdentities, toID, toID)
	setCampaignSurvivors  = execRows((*sqlitegen.Queries).SetCampaignSurvivors, (*mysqlgen.Queries).SetCampaignSurvivors)
	setIdentitySurvivors  = execRows((*sqlitegen.Queries).SetIdentitySurvivors, (*mysqlgen.Queries).SetIdentitySurvivors)
)

// Campaigns and identities are merged by a pointer from the duplicate to its original, which may itself be merged
// into another one. Every row also holds the survivor at the end of its chain, so that reads need not walk it.

// MergeIdentity merges an identity into another, so that reads treat both as one. Tags are not changed, and
// [Store.UnmergeIdentity] reverts the merge. Repeating a merge changes nothing.
//
// It returns [ErrNotFound] if an identity is not stored, and [ErrConflict] if from equals into, if into is merged into
// from, or if from is already merged into a third identity.
func (s *Store) MergeIdentity(ctx context.Context, from, into uuid.UUID) error {
	return s.merge(ctx, "merge identity", identityMerges, from, into)
}

// UnmergeIdentity reverts a merge: the identity and all identities merged into it become separate again. An identity
// that is not merged is left unchanged. It returns [ErrNotFound] if the identity is not stored.
func (s *Store) UnmergeIdentity(ctx context.Context, from uuid.UUID) error {
	return s.unmerge(ctx, "unmerge identity", identityMerges, from)
}

// MergeCampaign merges a campaign into another. See [Store.MergeIdentity].
func (s *Store) MergeCampaign(ctx context.Context, from, into uuid.UUID) error {
	return s.merge(ctx, "merge campaign", campaignMerges, from, into)
}

// UnmergeCampaign reverts a merge of campaigns. See [Store.UnmergeIdentity].
func (s *Store) UnmergeCampaign(ctx context.Context, from uuid.UUID) error {
	return s.unmerge(ctx, "unmerge campaign", campaignMerges, from)
}

func (s *Store) merge(ctx context.Context, op string, kind mergeKind, from, into uuid.UUID) error {
	return s.updateMerges(ctx, op, kind, func(q queries) error {
		if err := kind.requireBoth(ctx, q, from, into); err != nil {
			return err
		}
		return kind.merge(ctx, q, from, into)
	})
}

func (s *Store) unmerge(ctx context.Context, op string, kind mergeKind, from uuid.UUID) error {
	return s.updateMerges(ctx, op, kind, func(q queries) error { return kind.unmerge(ctx, q, from) })
}

// updateMerges runs a transaction that holds the lock on merges of this kind.
func (s *Store) updateMerges(ctx context.Context, op string, kind mergeKind, write func(queries) error) error {
	_, err := update(ctx, s, op, func(q queries) (struct{}, error) {
		if err := lockMerges(ctx, q, args{Kind: kind.name}); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, write(q)
	})
	return err
}

// mergeKind holds the queries of a kind of scope that can be merged.
type mergeKind struct {
	name          string
	get, lock     generated[mergeState]
	setMergedInto func(context.Context, queries, args) error
	lockMerged    generated[[]uuid.UUID] // rows that point at any of UUIDs
	setSurvivors  generated[int64]
}

var campaignMerges = mergeKind{
	"campaign", stateOf(getCampaign, Campaign.mergeState), stateOf(lockCampaign, Campaign.mergeState),
	setCampaignMergedInto, lockMergedCampaigns, setCampaignSurvivors,
}

var identityMerges = mergeKind{
	"identity", stateOf(getIdentity, Identity.mergeState), stateOf(lockIdentity, Identity.mergeState),
	setIdentityMergedInto, lockMergedIdentities, setIdentitySurvivors,
}

// mergeState holds the merge columns of a campaign or identity.
type mergeState struct{ mergedInto, survivor uuid.UUID }

func (c Campaign) mergeState() mergeState { return mergeState{c.MergedIntoUUID, c.SurvivorUUID} }
func (i Identity) mergeState() mergeState { return mergeState{i.MergedIntoUUID, i.SurvivorUUID} }

func stateOf[T any](get generated[T], state func(T) mergeState) generated[mergeState] {
	return func(ctx context.Context, q queries, a args) (mergeState, error) {
		row, err := get(ctx, q, a)
		return state(row), err
	}
}

// lockMerges serializes transactions that merge. It must precede any other lock.
func (rows *scopes) lockMerges(ctx context.Context, q queries) error {
	for _, c := range rows.campaigns {
		if c.MergedIntoUUID != uuid.Nil {
			if err := lockMerges(ctx, q, args{Kind: "campaign"}); err != nil {
				return err
			}
			break
		}
	}
	for _, i := range rows.identities {
		if i.MergedIntoUUID != uuid.Nil {
			return lockMerges(ctx, q, args{Kind: "identity"})
		}
	}
	return nil
}

func (rows *scopes) merge(ctx context.Context, q queries) error {
	for _, c := range rows.campaigns {
		if err := campaignMerges.merge(ctx, q, c.UUID, c.MergedIntoUUID); err != nil {
			return err
		}
	}
	for _, i := range rows.identities {
		if err := identityMerges.merge(ctx, q, i.UUID, i.MergedIntoUUID); err != nil {
			return err
		}
	}
	return nil
}

// merge points id, which must be stored, at into, which need not be. It does nothing if into is uuid.Nil or the
// current pointer.
func (k mergeKind) merge(ctx context.Context, q queries, id, into uuid.UUID) error {
	if into == uuid.Nil {
		return nil
	}
	stored, err := k.lock(ctx, q, byID(id))
	switch {
	case err != nil:
		return err
	case stored.mergedInto == into:
		return nil
	case stored.mergedInto != uuid.Nil:
		return fmt.Errorf("%w: %s %s cannot be merged into %s: it is already merged into %s",
			ErrConflict, k.name, id, into, stored.mergedInto)
	}
	winner, err := k.lock(ctx, q, byID(into))
	if errors.Is(err, sql.ErrNoRows) {
		winner, err = mergeState{survivor: into}, nil // not stored, hence not merged
	}
	switch {
	case err != nil:
		return err
	case winner.survivor == id:
		return fmt.Errorf("%w: %s %s cannot be merged into %s: the merge would close a cycle",
			ErrConflict, k.name, id, into)
	}
	if err := k.setMergedInto(ctx, q, args{UUID: id[:], MergedIntoUUID: into[:]}); err != nil {
		return err
	}
	return k.setSurvivor(ctx, q, id, winner.survivor)
}

// unmerge clears the pointer of id, which becomes the survivor of all rows that lead to it.
func (k mergeKind) unmerge(ctx context.Context, q queries, id uuid.UUID) error {
	stored, err := k.lock(ctx, q, byID(id))
	if err != nil || stored.mergedInto == uuid.Nil {
		return requireStored(k.name, id, err)
	}
	if err := k.setMergedInto(ctx, q, args{UUID: id[:]}); err != nil {
		return err
	}
	return k.setSurvivor(ctx, q, id, id)
}

// setSurvivor sets the survivor of id and of all rows that lead to it, level by level, in bounded statements.
func (k mergeKind) setSurvivor(ctx context.Context, q queries, id, survivor uuid.UUID) error {
	for level := []uuid.UUID{id}; len(level) > 0; {
		var next []uuid.UUID
		for chunk := range slices.Chunk(level, moveBatch) {
			a := args{SurvivorUUID: survivor[:], UUIDs: idBytes(chunk)}
			if _, err := k.setSurvivors(ctx, q, a); err != nil {
				return err
			}
			merged, err := k.lockMerged(ctx, q, a)
			if err != nil {
				return err
			}
			next = append(next, merged...)
		}
		level = next
	}
	return nil
}
