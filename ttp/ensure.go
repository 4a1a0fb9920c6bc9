package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// EnsureIdentity returns the identity of an attacker. An attacker without one is assigned to a new identity, with a
// random UUID; created reports that. Concurrent callers get the same identity. Tags are not changed: those of the
// attacker without an identity follow it.
//
// It returns [ErrNotFound] if the attacker is not stored, and [ErrInvalidScope] if the UUID is not set.
func (s *Store) EnsureIdentity(ctx context.Context, attacker uuid.UUID) (identity Identity, created bool, err error) {
	const op = "ensure identity"
	var c checker
	if c.id("attacker_uuid", attacker); len(c.problems) > 0 {
		return Identity{}, false, s.refuse(ctx, op, &InvalidError{Kind: ErrInvalidScope, Problems: c.problems})
	}
	identity, err = update(ctx, s, op, func(q queries) (Identity, error) {
		stored, err := lockStoredAttackers(ctx, q, []uuid.UUID{attacker})
		if err != nil {
			return Identity{}, err
		}
		a, ok := stored[attacker]
		if !ok {
			return Identity{}, fmt.Errorf("%w: attacker %s", ErrNotFound, attacker)
		}
		if created = a.IdentityUUID == uuid.Nil; created {
			if a.IdentityUUID, err = uuid.NewRandom(); err != nil {
				return Identity{}, err
			}
			if err := upsertAttacker(ctx, q, a.args()); err != nil {
				return Identity{}, err
			}
		}
		identity, err := lockIdentity(ctx, q, byID(a.IdentityUUID))
		if errors.Is(err, sql.ErrNoRows) { // new, or assigned before it is stored
			identity = Identity{UUID: a.IdentityUUID, SurvivorUUID: a.IdentityUUID}
			err = upsertIdentity(ctx, q, identity.args())
		}
		return identity, err
	})
	return identity, created && err == nil, err
}
