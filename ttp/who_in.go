package ttp

import (
	"cmp"
	"context"
	"math"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	whoActorsOfMembers = many(
		(*sqlitegen.Queries).WhoActorsOfMembers, (*mysqlgen.Queries).WhoActorsOfMembers, toScopedActorCount, toScopedActorCount)
	whoActorsOfSession = many(
		(*sqlitegen.Queries).WhoActorsOfSession, (*mysqlgen.Queries).WhoActorsOfSession, toScopedActorCount, toScopedActorCount)
)

// WhoIn returns the attackers or identities with the most tags of a scope that match f, ordered by descending Count,
// then by ID. For the fleet it calls [Store.Who]; for other scopes it reads the row of every tag. The kind is attacker
// or identity; the limit is from 1 to [MaxPage], or 0 for all.
func (s *Store) WhoIn(ctx context.Context, scope Scope, kind ScopeKind, f Filter, limit int) ([]ScopeCount, error) {
	const op = "who in a scope"
	var c checker
	scope.check(&c)
	filter := f.filterArgs(&c)
	c.whoLimit(limit)
	scopes := map[ScopeKind]func(context.Context, queries, []actor) (func(actor) uuid.UUID, error){
		AttackerScope: attackersOfActors, IdentityScope: identitiesOfActors,
	}[kind]
	if scopes == nil {
		c.refuse("kind", "must be attacker or identity")
	}
	if err := c.queryError(); err != nil {
		return nil, s.refuse(ctx, op, err)
	}
	if scope.Kind == FleetScope {
		return s.Who(ctx, kind, f, limit)
	}
	return inScope(ctx, s, op, scope, true, filter, func(ctx context.Context, q queries, m members, a args) ([]ScopeCount, error) {
		a.Limit = cmp.Or(int64(limit), math.MaxInt)
		actors := func(ctx context.Context, q queries, a args) ([]actorCount, error) {
			return scopeQueries[actorCount]{session: whoActorsOfSession, members: whoActorsOfMembers}.read(ctx, q, m, a)
		}
		return whoByActors(kind, actors, scopes)(ctx, q, a)
	})
}

type scopedActorRow interface {
	sqlitegen.WhoActorsOfMembersRow | mysqlgen.WhoActorsOfMembersRow |
		sqlitegen.WhoActorsOfSessionRow | mysqlgen.WhoActorsOfSessionRow
}

func toScopedActorCount[R scopedActorRow](row R) actorCount {
	r := sqlitegen.WhoActorsOfMembersRow(row)
	return actorCount{actor{toID(r.IdentityUUID), toID(r.AttackerUUID)}, r.Tags, toTime(r.FirstSeen), toTime(r.LastSeen)}
}
