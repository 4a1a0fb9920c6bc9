package ttp

import (
	"context"

	"github.com/google/uuid"
)

// PurgeAttacker removes all tags of an attacker, including those with an identity, and then the attacker. The receipt
// is empty for an unknown attacker.
//
// It returns [ErrInvalidQuery] if the UUID is not set or an option is invalid, and [ErrBusy].
func (s *Store) PurgeAttacker(ctx context.Context, attacker uuid.UUID, opts ...RemovalOption) (Receipt, error) {
	var c checker
	c.id("attacker_uuid", attacker)
	return s.remove(ctx, about("purge attacker", attacker.String()), "", opts, &c, func(ctx context.Context, r *removal) error {
		if err := r.applyEach(ctx, r.tagsOf(ctx, OfAttacker(attacker), filterArgs{}), r.removeAll); err != nil {
			return err
		}
		return r.run(ctx, func(q queries) (Receipt, error) { return r.deleteAttacker(ctx, q, attacker) })
	})
}

func (r *removal) deleteAttacker(ctx context.Context, q queries, attacker uuid.UUID) (done Receipt, err error) {
	a := args{UUIDs: [][]byte{attacker[:]}}
	if r.dryRun {
		stored, err := listAttackersByUUID(ctx, q, a)
		return Receipt{Attackers: int64(len(stored))}, err
	}
	done.Attackers, err = deleteAttackers(ctx, q, a)
	return done, err
}

// PurgeSession removes the tags of a session. It returns the same errors as [Store.PurgeAttacker].
func (s *Store) PurgeSession(ctx context.Context, session string, opts ...RemovalOption) (Receipt, error) {
	var c checker
	if session == "" {
		c.refuse("session_id", "must be set")
	}
	return s.remove(ctx, "purge session", session, opts, &c, func(ctx context.Context, r *removal) error {
		return r.applyEach(ctx, r.tagsOf(ctx, OfSession(session), filterArgs{}), r.removeAll)
	})
}
