package ttp

import (
	"context"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	countScopes              = first(all((*sqlitegen.Queries).CountScopes, (*mysqlgen.Queries).CountScopes, toScopeCounts, toScopeCounts))
	countAttackersByIdentity = one((*sqlitegen.Queries).CountAttackersByIdentity, (*mysqlgen.Queries).CountAttackersByIdentity, self, self)
	listUnmergedCampaigns    = many(
		(*sqlitegen.Queries).ListUnmergedCampaigns, (*mysqlgen.Queries).ListUnmergedCampaigns, toCampaign, toCampaign)
	listUnmergedIdentities = many(
		(*sqlitegen.Queries).ListUnmergedIdentities, (*mysqlgen.Queries).ListUnmergedIdentities, toIdentity, toIdentity)
)

// ScopeCounts holds the numbers of stored scopes. Survivors are those that are not merged into another one.
type ScopeCounts struct {
	Campaigns           int64 `json:"campaigns"`
	SurvivingCampaigns  int64 `json:"surviving_campaigns"`
	Identities          int64 `json:"identities"`
	SurvivingIdentities int64 `json:"surviving_identities"`
	Attackers           int64 `json:"attackers"`
}

// CountScopes counts the stored scopes. The cost grows with their number.
func (s *Store) CountScopes(ctx context.Context) (ScopeCounts, error) {
	return query(ctx, s, "count scopes", func(q queries) (ScopeCounts, error) { return countScopes(ctx, q, args{}) })
}

// CountAttackers returns the number of attackers that are assigned to the identity itself.
func (s *Store) CountAttackers(ctx context.Context, identity uuid.UUID) (int64, error) {
	return query(ctx, s, "count attackers", func(q queries) (int64, error) {
		return countAttackersByIdentity(ctx, q, args{IdentityUUID: identity[:]})
	})
}

// ListSurvivingCampaigns returns a page of the campaigns that are not merged, like [Store.ListCampaigns].
func (s *Store) ListSurvivingCampaigns(ctx context.Context, after uuid.UUID, limit int) ([]Campaign, error) {
	return scopePage(ctx, s, "list surviving campaigns", args{After: after[:]}, limit, listUnmergedCampaigns)
}

// ListSurvivingIdentities returns a page of the identities that are not merged, like [Store.ListCampaigns].
func (s *Store) ListSurvivingIdentities(ctx context.Context, after uuid.UUID, limit int) ([]Identity, error) {
	return scopePage(ctx, s, "list surviving identities", args{After: after[:]}, limit, listUnmergedIdentities)
}

type scopeCountsRow interface {
	sqlitegen.CountScopesRow | mysqlgen.CountScopesRow
}

func toScopeCounts[R scopeCountsRow](row R) ScopeCounts {
	return ScopeCounts(sqlitegen.CountScopesRow(row))
}
