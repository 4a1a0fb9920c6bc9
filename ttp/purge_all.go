package ttp

import (
	"context"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var deleteCampaigns = execRows((*sqlitegen.Queries).DeleteCampaigns, (*mysqlgen.Queries).DeleteCampaigns)

// PurgeAll empties the store: it removes all tags and then all attackers, identities and campaigns, except those that
// are written concurrently. Tombstones stay, so that tags removed before are not written again; see
// [Store.LiftTombstone].
//
// It returns [ErrInvalidQuery] if an option is invalid, and [ErrBusy].
func (s *Store) PurgeAll(ctx context.Context, opts ...RemovalOption) (Receipt, error) {
	return s.remove(ctx, "purge all", "", opts, new(checker), func(ctx context.Context, r *removal) error {
		err := r.applyEach(ctx, r.tagsOf(ctx, Fleet(), filterArgs{}), r.removeAll)
		if err == nil {
			err = purgeScopes(ctx, r, listAttackersAfter, Attacker.id, "", deleteAttackers,
				func(n int64) Receipt { return Receipt{Attackers: n} })
		}
		if err == nil {
			err = purgeScopes(ctx, r, listIdentitiesAfter, Identity.id, "identity", deleteIdentities,
				func(n int64) Receipt { return Receipt{Identities: n} })
		}
		if err == nil {
			err = purgeScopes(ctx, r, listCampaignsAfter, Campaign.id, "campaign", deleteCampaigns,
				func(n int64) Receipt { return Receipt{Campaigns: n} })
		}
		return err
	})
}

// purgeScopes deletes all rows of a kind, page by page. It holds the lock on the merges of that kind, if there are any.
func purgeScopes[T any](ctx context.Context, r *removal, list generated[[]T], id func(T) uuid.UUID,
	merges string, remove generated[int64], receipt func(int64) Receipt,
) error {
	for page, err := range pagesByUUID(ctx, r, list, args{}, id) {
		if err != nil {
			return err
		}
		ids := make([][]byte, len(page))
		for i := range page {
			key := id(page[i])
			ids[i] = key[:]
		}
		err = r.run(ctx, func(q queries) (Receipt, error) {
			if r.dryRun {
				return receipt(int64(len(ids))), nil
			}
			if merges != "" {
				if err := lockMerges(ctx, q, args{Kind: merges}); err != nil {
					return Receipt{}, err
				}
			}
			n, err := remove(ctx, q, args{UUIDs: ids})
			return receipt(n), err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
