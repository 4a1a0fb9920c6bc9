package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	setTagIdentities = execRows((*sqlitegen.Queries).SetTagIdentities, (*mysqlgen.Queries).SetTagIdentities)
	lockTagsToMove   = many((*sqlitegen.Queries).LockTagsToMove, (*mysqlgen.Queries).LockTagsToMove, toPosition, toPosition)
	lockAttackers    = many((*sqlitegen.Queries).LockAttackers, (*mysqlgen.Queries).LockAttackers, toAttacker, toAttacker)
)

// moveBatch is the maximum number of rows that one statement locks or re-keys.
const moveBatch = 500

// AssignAttackers assigns attackers to an identity in one transaction. Tags of these attackers that have another identity
// are re-keyed to the new one; tags without an identity follow their attacker. Repeating an assignment re-keys the tags
// that were written with another identity since.
//
// It returns [ErrNotFound] if the identity or an attacker is not stored, and [ErrInvalidScope] if a UUID is not set. On
// error nothing is written.
func (s *Store) AssignAttackers(ctx context.Context, identity uuid.UUID, attackers ...uuid.UUID) error {
	return s.assign(ctx, "assign attackers", "identity_uuid", identity, "attacker_uuid", attackers, func(q queries) error {
		if err := requireStored("identity", identity, errorOf(lockIdentity(ctx, q, byID(identity)))); err != nil {
			return err
		}
		stored, err := lockStoredAttackers(ctx, q, attackers)
		if err != nil {
			return err
		}
		for _, attacker := range attackers {
			if _, ok := stored[attacker]; !ok {
				return fmt.Errorf("%w: attacker %s", ErrNotFound, attacker)
			}
		}
		for _, attacker := range byUUID(attackers, self) {
			if err := moveTags(ctx, q, attacker, identity); err != nil {
				return err
			}
			if err := upsertAttacker(ctx, q, Attacker{UUID: attacker, IdentityUUID: identity}.args()); err != nil {
				return err
			}
		}
		return nil
	})
}

// AssignCampaign assigns identities to a campaign in one transaction. Tags are not changed. It returns the same errors as
// [Store.AssignAttackers].
func (s *Store) AssignCampaign(ctx context.Context, campaign uuid.UUID, identities ...uuid.UUID) error {
	return s.assign(ctx, "assign campaign", "campaign_uuid", campaign, "identity_uuid", identities, func(q queries) error {
		if err := requireStored("campaign", campaign, errorOf(lockCampaign(ctx, q, byID(campaign)))); err != nil {
			return err
		}
		for _, identity := range byUUID(identities, self) {
			if err := requireStored("identity", identity, errorOf(lockIdentity(ctx, q, byID(identity)))); err != nil {
				return err
			}
			if err := upsertIdentity(ctx, q, Identity{UUID: identity, CampaignUUID: campaign}.args()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) assign(ctx context.Context, op, parentField string, parent uuid.UUID,
	field string, ids []uuid.UUID, write func(queries) error,
) error {
	var c checker
	c.id(parentField, parent)
	problems := c.problems
	for i, id := range ids {
		var c checker
		c.id(field, id)
		problems = append(problems, at(RowPlace, i, c.problems)...)
	}
	if len(problems) > 0 {
		return s.refuse(ctx, op, &InvalidError{Kind: ErrInvalidScope, Problems: problems})
	}
	_, err := update(ctx, s, op, func(q queries) (struct{}, error) { return struct{}{}, write(q) })
	return err
}

// requireStored replaces sql.ErrNoRows by an ErrNotFound that names the scope.
func requireStored(kind string, id uuid.UUID, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%w: %s %s", ErrNotFound, kind, id)
	}
	return err
}

func errorOf[T any](_ T, err error) error { return err }

// lockStoredAttackers locks the attackers that are stored and returns them by UUID.
func lockStoredAttackers(ctx context.Context, q queries, attackers []uuid.UUID) (map[uuid.UUID]Attacker, error) {
	stored := map[uuid.UUID]Attacker{}
	for chunk := range slices.Chunk(byUUID(attackers, self), moveBatch) {
		locked, err := lockAttackers(ctx, q, args{UUIDs: idBytes(chunk)})
		if err != nil {
			return nil, err
		}
		maps.Copy(stored, mapByID(locked, Attacker.id))
	}
	return stored, nil
}

// moveTags re-keys an attacker's tags from other identities to the given one, or to none.
func moveTags(ctx context.Context, q queries, attacker, identity uuid.UUID) error {
	next := func(after position) ([]position, error) {
		return lockTagsToMove(ctx, q, args{AttackerUUID: attacker[:], IdentityUUID: identity[:]}.from(after, moveBatch))
	}
	for page, err := range pages(next, moveBatch, position{observedAt: math.MinInt64}, self) {
		if err != nil {
			return err
		}
		ids := make([][]byte, len(page))
		for i := range page {
			ids[i] = page[i].uuid[:]
		}
		if _, err := setTagIdentities(ctx, q, args{IdentityUUID: nullID(identity), UUIDs: ids}); err != nil {
			return err
		}
	}
	return nil
}

type positionRow interface {
	sqlitegen.LockTagsToMoveRow | mysqlgen.LockTagsToMoveRow |
		sqlitegen.ListTagKeysByMembersRow | mysqlgen.ListTagKeysByMembersRow
}

func toPosition[R positionRow](row R) position {
	r := sqlitegen.LockTagsToMoveRow(row)
	return position{r.ObservedAt, toID(r.UUID)}
}
