package ttp

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	tombstoneTags          = execRows((*sqlitegen.Queries).TombstoneTags, (*mysqlgen.Queries).TombstoneTags)
	listTombstonedTagUUIDs = many((*sqlitegen.Queries).ListTombstonedTagUUIDs, (*mysqlgen.Queries).ListTombstonedTagUUIDs, toID, toID)
	lockTombstonedTags     = many((*sqlitegen.Queries).LockTombstonedTags, (*mysqlgen.Queries).LockTombstonedTags, toID, toID)
	listTombstonesAfter    = many(
		(*sqlitegen.Queries).ListTombstonesAfter, (*mysqlgen.Queries).ListTombstonesAfter, toTombstone, toTombstone)
	getTombstone          = one((*sqlitegen.Queries).GetTombstone, (*mysqlgen.Queries).GetTombstone, toTombstone, toTombstone)
	lockTombstone         = one((*sqlitegen.Queries).LockTombstone, (*mysqlgen.Queries).LockTombstone, toTombstone, toTombstone)
	listTagsOfTombstone   = many((*sqlitegen.Queries).ListTagsOfTombstone, (*mysqlgen.Queries).ListTagsOfTombstone, toID, toID)
	deleteTombstonedTags  = execRows((*sqlitegen.Queries).DeleteTombstonedTags, (*mysqlgen.Queries).DeleteTombstonedTags)
	subtractFromTombstone = execRows((*sqlitegen.Queries).SubtractFromTombstone, (*mysqlgen.Queries).SubtractFromTombstone)
	deleteTombstone       = execRows((*sqlitegen.Queries).DeleteTombstone, (*mysqlgen.Queries).DeleteTombstone)
	addTombstone          = exec((*sqlitegen.Queries).AddTombstone, (*mysqlgen.Queries).AddTombstone)
	countTagsOfTombstone  = one((*sqlitegen.Queries).CountTagsOfTombstone, (*mysqlgen.Queries).CountTagsOfTombstone, self, self)
)

// Tombstone records a removal whose tags must not be written again.
type Tombstone struct {
	UUID      uuid.UUID `json:"uuid"`    // a UUIDv7
	Removed   string    `json:"removed"` // the operation, such as: purge session s1
	Reason    string    `json:"reason,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	Tags      int64     `json:"tags"` // number of tombstoned tags
}

// ListTombstones returns a page of tombstones in order of creation. The page starts after the UUID after, uuid.Nil for
// the first page; the limit is from 1 to [MaxPage].
func (s *Store) ListTombstones(ctx context.Context, after uuid.UUID, limit int) ([]Tombstone, error) {
	return scopePage(ctx, s, "list tombstones", args{After: after[:]}, limit, listTombstonesAfter)
}

// LiftTombstone deletes a tombstone, so that its tags can be written again, and returns the number of its tags in
// committed transactions. It does not restore the tags. After an interruption it continues when it is called again.
// The options [DryRun], [WithBatchSize] and [WithProgress] apply.
//
// It returns [ErrNotFound] if the tombstone is not stored, also if an earlier call that returned [ErrUnknownOutcome] has
// deleted it.
func (s *Store) LiftTombstone(ctx context.Context, tombstone uuid.UUID, opts ...RemovalOption) (int64, error) {
	op := about("lift tombstone", tombstone.String())
	receipt, err := s.remove(ctx, op, "", opts, new(checker), func(ctx context.Context, r *removal) error {
		if r.dryRun {
			return r.run(ctx, func(q queries) (Receipt, error) {
				t, err := getTombstone(ctx, q, byID(tombstone))
				return Receipt{Tags: t.Tags}, err
			})
		}
		for more := true; more; {
			lifted, err := update(ctx, s, r.op, func(q queries) (n int64, err error) {
				more, n, err = r.lift(ctx, q, tombstone)
				return n, err
			})
			if err != nil {
				return err
			}
			r.examined += lifted
			r.report(Receipt{Tags: lifted})
		}
		s.tombstones.Store(false) // it may have been the last one
		return nil
	})
	return receipt.Tags, err
}

// lift deletes a batch of a tombstone's tags, and the tombstone after the last batch.
func (r *removal) lift(ctx context.Context, q queries, tombstone uuid.UUID) (more bool, lifted int64, err error) {
	if _, err := lockTombstone(ctx, q, byID(tombstone)); err != nil {
		return false, 0, err
	}
	a := args{UUID: tombstone[:], TombstoneUUID: tombstone[:], After: uuid.Nil[:], Limit: int64(r.batch)}
	ids, err := listTagsOfTombstone(ctx, q, a)
	if err != nil {
		return false, 0, err
	}
	a.UUIDs = idBytes(ids)
	if a.Tags, err = deleteTombstonedTags(ctx, q, a); err != nil {
		return false, 0, err
	}
	if more = len(ids) == r.batch; more {
		_, err = subtractFromTombstone(ctx, q, a)
	} else { // whatever its count
		_, err = deleteTombstone(ctx, q, a)
	}
	return more, a.Tags, err
}

type tombstoneRow interface {
	sqlitegen.TtpTombstone | mysqlgen.TtpTombstone
}

func toTombstone[R tombstoneRow](row R) Tombstone {
	r := sqlitegen.TtpTombstone(row)
	return Tombstone{toID(r.UUID), r.Removed, r.Reason.String, toTime(r.CreatedAt), r.Tags}
}
