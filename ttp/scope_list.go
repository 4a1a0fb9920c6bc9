package ttp

import (
	"context"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listCampaignsAfter  = many((*sqlitegen.Queries).ListCampaignsAfter, (*mysqlgen.Queries).ListCampaignsAfter, toCampaign, toCampaign)
	listIdentitiesAfter = many(
		(*sqlitegen.Queries).ListIdentitiesAfter, (*mysqlgen.Queries).ListIdentitiesAfter, toIdentity, toIdentity)
	listAttackersAfter      = many((*sqlitegen.Queries).ListAttackersAfter, (*mysqlgen.Queries).ListAttackersAfter, toAttacker, toAttacker)
	listCampaignsMergedInto = many(
		(*sqlitegen.Queries).ListCampaignsMergedInto, (*mysqlgen.Queries).ListCampaignsMergedInto, toCampaign, toCampaign)
	listIdentitiesByCampaign = many(
		(*sqlitegen.Queries).ListIdentitiesByCampaign, (*mysqlgen.Queries).ListIdentitiesByCampaign, toIdentity, toIdentity)
	listIdentitiesMergedInto = many(
		(*sqlitegen.Queries).ListIdentitiesMergedInto, (*mysqlgen.Queries).ListIdentitiesMergedInto, toIdentity, toIdentity)
	listAttackersByIdentity = many(
		(*sqlitegen.Queries).ListAttackersByIdentity, (*mysqlgen.Queries).ListAttackersByIdentity, toAttacker, toAttacker)
)

// ListCampaigns returns a page of campaigns in UUID order: for [Fleet] all campaigns, for [OfCampaign] those merged
// directly into that campaign. The page starts after the UUID after, uuid.Nil for the first page; the limit is from
// 1 to [MaxPage]. Other scopes fail with [ErrInvalidQuery].
func (s *Store) ListCampaigns(ctx context.Context, of Scope, after uuid.UUID, limit int) ([]Campaign, error) {
	return listScopes(ctx, s, "list campaigns", of, after, limit, map[ScopeKind]generated[[]Campaign]{
		FleetScope: listCampaignsAfter, CampaignScope: listCampaignsMergedInto,
	})
}

// ListIdentities returns a page of identities, like [Store.ListCampaigns]: for [Fleet] all identities, for
// [OfCampaign] those assigned to the campaign, for [OfIdentity] those merged directly into the identity.
func (s *Store) ListIdentities(ctx context.Context, of Scope, after uuid.UUID, limit int) ([]Identity, error) {
	return listScopes(ctx, s, "list identities", of, after, limit, map[ScopeKind]generated[[]Identity]{
		FleetScope: listIdentitiesAfter, CampaignScope: listIdentitiesByCampaign, IdentityScope: listIdentitiesMergedInto,
	})
}

// ListAttackers returns a page of attackers, like [Store.ListCampaigns]: for [Fleet] all attackers, for [OfIdentity]
// those assigned to the identity.
func (s *Store) ListAttackers(ctx context.Context, of Scope, after uuid.UUID, limit int) ([]Attacker, error) {
	return listScopes(ctx, s, "list attackers", of, after, limit, map[ScopeKind]generated[[]Attacker]{
		FleetScope: listAttackersAfter, IdentityScope: listAttackersByIdentity,
	})
}

func listScopes[T any](ctx context.Context, s *Store, op string, of Scope, after uuid.UUID, limit int,
	byKind map[ScopeKind]generated[[]T],
) ([]T, error) {
	var c checker
	of.check(&c)
	read := byKind[of.Kind]
	if len(c.problems) == 0 && read == nil {
		c.refuse("scope", "must not be of kind "+string(of.Kind))
	}
	c.limit("limit", limit)
	if err := c.queryError(); err != nil {
		return nil, s.refuse(ctx, op, err)
	}
	id := of.UUID[:]
	a := args{After: after[:], CampaignUUID: id, IdentityUUID: id, MergedIntoUUID: id}
	return scopePage(ctx, s, op, a, limit, read)
}

func scopePage[T any](ctx context.Context, s *Store, op string, a args, limit int, read generated[[]T]) ([]T, error) {
	var c checker
	c.limit("limit", limit)
	if err := c.queryError(); err != nil {
		return nil, s.refuse(ctx, op, err)
	}
	a.Limit = int64(limit)
	return query(ctx, s, op, func(q queries) ([]T, error) { return read(ctx, q, a) })
}
