package ttp

import (
	"context"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listCampaignsAfter       = many((*sqlitegen.Queries).ListCampaignsAfter, (*mysqlgen.Queries).ListCampaignsAfter, toCampaign, toCampaign)
	listIdentitiesAfter      = many((*sqlitegen.Queries).ListIdentitiesAfter, (*mysqlgen.Queries).ListIdentitiesAfter, toIdentity, toIdentity)
	listAttackersAfter       = many((*sqlitegen.Queries).ListAttackersAfter, (*mysqlgen.Queries).ListAttackersAfter, toAttacker, toAttacker)
	listCampaignsMergedInto  = many((*sqlitegen.Queries).ListCampaignsMergedInto, (*mysqlgen.Queries).ListCampaignsMergedInto, toCampaign, toCampaign)
	listIdentitiesByCampaign = many((*sqlitegen.Queries).ListIdentitiesByCampaign, (*mysqlgen.Queries).ListIdentitiesByCampaign, toIdentity, toIdentity)
	listIdentitiesMergedInto = many((*sqlitegen.Queries).ListIdentitiesMergedInto, (*mysqlgen.Queries).ListIdentitiesMergedInto, toIdentity, toIdentity)
	listIdentitiesBySurvivor = many((*sqlitegen.Queries).ListIdentitiesBySurvivor, (*mysqlgen.Queries).ListIdentitiesBySurvivor, toIdentity, toIdentity)
	listAttackersByIdentity  = many((*sqlitegen.Queries).ListAttackersByIdentity, (*mysqlgen.Queries).ListAttackersByIdentity, toAttacker, toAttacker)
)

// ListCampaigns returns at most limit, 1 to [MaxPage], campaigns by uuid: those after a uuid, or the first
// ones after uuid.Nil. Of [Fleet] it lists all, of [OfCampaign] those that point at it as merged.
func (s *Store) ListCampaigns(ctx context.Context, of Scope, after uuid.UUID, limit int) ([]Campaign, error) {
	return listScopes(ctx, s, "list campaigns", of, after, limit, map[ScopeKind]pageQuery[Campaign]{
		FleetScope: listCampaignsAfter, CampaignScope: listCampaignsMergedInto,
	})
}

// ListIdentities returns identities as [Store.ListCampaigns] does campaigns. Of [Fleet] it lists all, of
// [OfCampaign] those that name it, of [OfIdentity] those that point at it as merged.
func (s *Store) ListIdentities(ctx context.Context, of Scope, after uuid.UUID, limit int) ([]Identity, error) {
	return listScopes(ctx, s, "list identities", of, after, limit, map[ScopeKind]pageQuery[Identity]{
		FleetScope: listIdentitiesAfter, CampaignScope: listIdentitiesByCampaign, IdentityScope: listIdentitiesMergedInto,
	})
}

// ListAttackers returns attackers as [Store.ListCampaigns] does campaigns. Of [Fleet] it lists all, of
// [OfIdentity] those that name it.
func (s *Store) ListAttackers(ctx context.Context, of Scope, after uuid.UUID, limit int) ([]Attacker, error) {
	return listScopes(ctx, s, "list attackers", of, after, limit, map[ScopeKind]pageQuery[Attacker]{
		FleetScope: listAttackersAfter, IdentityScope: listAttackersByIdentity,
	})
}

// pageQuery reads a page in uuid order.
type pageQuery[T any] = generated[[]T]

func listScopes[T any](ctx context.Context, s *Store, op string, of Scope, after uuid.UUID, limit int, by map[ScopeKind]pageQuery[T]) ([]T, error) {
	var c checker
	of.check(&c)
	read := by[of.Kind]
	if len(c.problems) == 0 && read == nil {
		c.refuse("scope", "must not be of kind "+string(of.Kind))
	}
	if err := c.queryError(); err != nil {
		return nil, s.fail(ctx, op, err)
	}
	id := of.UUID[:]
	return scopePage(ctx, s, op, args{After: after[:], CampaignUUID: id, IdentityUUID: id, MergedIntoUUID: id}, limit, read)
}

func scopePage[T any](ctx context.Context, s *Store, op string, a args, limit int, read pageQuery[T]) ([]T, error) {
	var c checker
	c.limit("limit", limit)
	if err := c.queryError(); err != nil {
		return nil, s.fail(ctx, op, err)
	}
	a.Limit = int64(limit)
	return query(ctx, s, op, func(q queries) ([]T, error) { return read(ctx, q, a) })
}
