package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// Campaigns and identities merge alike: a loser points at the one that it was found to be, which may
// itself be, or become, a loser. Every row also names the survivor at the end of its chain, so that a
// rollup finds all that belongs together by one key.

// mergeKind is how one kind of scope reads and writes its merge pointers. Each func is a query.
type mergeKind struct {
	name            string
	lock            func(ctx context.Context, id uuid.UUID) (mergedInto, survivor uuid.UUID, err error)
	setMergedInto   func(ctx context.Context, id, into uuid.UUID) error
	replaceSurvivor func(ctx context.Context, replaced, survivor uuid.UUID) error
}

func campaignMerges(q queries) mergeKind {
	return mergeKind{
		name: "campaign",
		lock: func(ctx context.Context, id uuid.UUID) (mergedInto, survivor uuid.UUID, err error) {
			c, err := q.lockCampaign(ctx, id)
			return c.MergedIntoUUID, c.SurvivorUUID, err
		},
		setMergedInto:   q.setCampaignMergedInto,
		replaceSurvivor: q.replaceCampaignSurvivor,
	}
}

func identityMerges(q queries) mergeKind {
	return mergeKind{
		name: "identity",
		lock: func(ctx context.Context, id uuid.UUID) (mergedInto, survivor uuid.UUID, err error) {
			i, err := q.lockIdentity(ctx, id)
			return i.MergedIntoUUID, i.SurvivorUUID, err
		},
		setMergedInto:   q.setIdentityMergedInto,
		replaceSurvivor: q.replaceIdentitySurvivor,
	}
}

// lockMerges makes this transaction the only one that merges, before it touches any row.
func (rows *scopes) lockMerges(ctx context.Context, q queries) error {
	for _, c := range rows.campaigns {
		if c.MergedIntoUUID != uuid.Nil {
			if err := q.lockMerges(ctx, "campaign"); err != nil {
				return err
			}
			break
		}
	}
	for _, i := range rows.identities {
		if i.MergedIntoUUID != uuid.Nil {
			return q.lockMerges(ctx, "identity")
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
