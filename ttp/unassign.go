package ttp

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var clearIdentityCampaigns = execRows((*sqlitegen.Queries).ClearIdentityCampaigns, (*mysqlgen.Queries).ClearIdentityCampaigns)

// UnassignAttackers takes attackers out of their identities in one transaction. Their tags lose the identity, too.
// Attackers without an identity are left unchanged, except for tags that have one.
//
// It returns [ErrNotFound] if an attacker is not stored, and [ErrInvalidScope] if a UUID is not set. On error nothing
// is written.
func (s *Store) UnassignAttackers(ctx context.Context, attackers ...uuid.UUID) error {
	return s.unassign(ctx, "unassign attackers", "attacker_uuid", attackers, func(q queries, id uuid.UUID) error {
		stored, err := lockStoredAttackers(ctx, q, []uuid.UUID{id})
		if err == nil && len(stored) == 0 {
			err = fmt.Errorf("%w: attacker %s", ErrNotFound, id)
		}
		if err == nil {
			err = moveTags(ctx, q, id, uuid.Nil)
		}
		if err == nil {
			identity := stored[id].IdentityUUID
			_, err = releaseAttackers(ctx, q, args{IdentityUUID: identity[:], UUIDs: [][]byte{id[:]}})
		}
		return err
	})
}

// UnassignCampaign takes identities out of their campaigns in one transaction. Tags are not changed. It returns the
// same errors as [Store.UnassignAttackers].
func (s *Store) UnassignCampaign(ctx context.Context, identities ...uuid.UUID) error {
	return s.unassign(ctx, "unassign campaign", "identity_uuid", identities, func(q queries, id uuid.UUID) error {
		err := requireStored("identity", id, errorOf(lockIdentity(ctx, q, byID(id))))
		if err == nil {
			_, err = clearIdentityCampaigns(ctx, q, byID(id))
		}
		return err
	})
}

// unassign writes in UUID order, so that concurrent calls do not deadlock.
func (s *Store) unassign(ctx context.Context, op, field string, ids []uuid.UUID, write func(queries, uuid.UUID) error) error {
	var problems []Problem
	for i, id := range ids {
		var c checker
		c.id(field, id)
		problems = append(problems, at(RowPlace, i, c.problems)...)
	}
	if len(problems) > 0 {
		return s.refuse(ctx, op, &InvalidError{Kind: ErrInvalidScope, Problems: problems})
	}
	_, err := update(ctx, s, op, func(q queries) (struct{}, error) {
		for _, id := range byUUID(ids, self) {
			if err := write(q, id); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	return err
}
