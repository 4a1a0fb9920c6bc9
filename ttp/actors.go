package ttp

import (
	"context"
	"strconv"
	"time"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	topIdentities = many((*sqlitegen.Queries).TopIdentities, (*mysqlgen.Queries).TopIdentities, toActor[sqlitegen.TopIdentitiesRow](IdentityScope), toActor[mysqlgen.TopIdentitiesRow](IdentityScope))
	topAttackers  = many((*sqlitegen.Queries).TopAttackers, (*mysqlgen.Queries).TopAttackers, toActor[sqlitegen.TopAttackersRow](AttackerScope), toActor[mysqlgen.TopAttackersRow](AttackerScope))
	topSessions   = many((*sqlitegen.Queries).TopSessions, (*mysqlgen.Queries).TopSessions, toSession, toSession)
	topCampaigns  = many((*sqlitegen.Queries).TopCampaigns, (*mysqlgen.Queries).TopCampaigns, toActor[sqlitegen.TopCampaignsRow](CampaignScope), toActor[mysqlgen.TopCampaignsRow](CampaignScope))
)

// ScopeCount is how much of what was asked for a scope shows.
type ScopeCount struct {
	Scope
	Count     int64     `json:"count"` // of tags
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
}

// Who returns the identities, attackers, sessions or campaigns with the most tags that match the filter,
// at most limit, 1 to [MaxPage], by count, the highest first, then by id. With Filter.Technique it
// answers who shows a technique. Merged identities and campaigns count as their survivor; a tag that
// names no identity counts for the one that its attacker has.
func (s *Store) Who(ctx context.Context, kind ScopeKind, f Filter, limit int) ([]ScopeCount, error) {
	const op = "who"
	var c checker
	b := f.filterArgs(&c)
	if limit < 1 || limit > MaxPage {
		c.refuse("limit", "must be from 1 to "+strconv.Itoa(MaxPage))
	}
	ask := map[ScopeKind]generated[[]ScopeCount]{
		IdentityScope: topIdentities,
		AttackerScope: topAttackers,
		SessionScope:  topSessions,
		CampaignScope: topCampaigns,
	}[kind]
	if ask == nil {
		c.refuse("kind", "must be identity, attacker, session or campaign")
	}
	if err := c.queryError(); err != nil {
		return nil, s.fail(ctx, op, err)
	}
	return query(ctx, s, op, func(q queries) ([]ScopeCount, error) {
		return ask(ctx, q, args{filterArgs: b, Limit: int64(limit)})
	})
}

type actorRow interface {
	sqlitegen.TopIdentitiesRow | mysqlgen.TopIdentitiesRow |
		sqlitegen.TopAttackersRow | mysqlgen.TopAttackersRow |
		sqlitegen.TopCampaignsRow | mysqlgen.TopCampaignsRow
}

func toActor[R actorRow](kind ScopeKind) func(R) ScopeCount {
	return func(row R) ScopeCount {
		r := sqlitegen.TopAttackersRow(row)
		return ScopeCount{Scope{kind, toID(r.ActorUUID).String()}, r.Tags, toTime(r.FirstSeen), toTime(r.LastSeen)}
	}
}

func toSession[R sqlitegen.TopSessionsRow | mysqlgen.TopSessionsRow](row R) ScopeCount {
	r := sqlitegen.TopSessionsRow(row)
	return ScopeCount{OfSession(r.SessionID.String), r.Tags, toTime(r.FirstSeen), toTime(r.LastSeen)}
}
