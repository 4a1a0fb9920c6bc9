package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// RemergeIdentity merges an identity into another, instead of the identity that it is merged into. It is
// [Store.UnmergeIdentity] and [Store.MergeIdentity] in one transaction: on error nothing has changed.
func (s *Store) RemergeIdentity(ctx context.Context, from, into uuid.UUID) error {
	return s.remerge(ctx, "remerge identity", identityMerges, from, into)
}

// RemergeCampaign merges a campaign into another, instead of the campaign that it is merged into. See
// [Store.RemergeIdentity].
func (s *Store) RemergeCampaign(ctx context.Context, from, into uuid.UUID) error {
	return s.remerge(ctx, "remerge campaign", campaignMerges, from, into)
}

func (s *Store) remerge(ctx context.Context, op string, kind mergeKind, from, into uuid.UUID) error {
	return s.updateMerges(ctx, op, kind, func(q queries) error {
		if err := kind.requireBoth(ctx, q, from, into); err != nil {
			return err
		}
		return kind.remerge(ctx, q, from, into)
	})
}

// remerge points id, which must be stored, at into and replaces any other pointer.
func (k mergeKind) remerge(ctx context.Context, q queries, id, into uuid.UUID) error {
	stored, err := k.lock(ctx, q, byID(id))
	if err != nil || stored.mergedInto == into {
		return err
	}
	if err := k.unmerge(ctx, q, id); err != nil {
		return err
	}
	return k.merge(ctx, q, id, into)
}

// requireBoth requires that both ends of a merge are stored.
func (k mergeKind) requireBoth(ctx context.Context, q queries, from, into uuid.UUID) error {
	for _, id := range []uuid.UUID{from, into} {
		if _, err := k.lock(ctx, q, byID(id)); errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("%w: %s %s cannot be merged into %s: %s is not stored", ErrNotFound, k.name, from, into, id)
		} else if err != nil {
			return err
		}
	}
	return nil
}
