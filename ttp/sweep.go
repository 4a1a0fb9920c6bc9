package ttp

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listTaggedAttackers        = many((*sqlitegen.Queries).ListTaggedAttackers, (*mysqlgen.Queries).ListTaggedAttackers, toID, toID)
	listTaggedIdentities       = many((*sqlitegen.Queries).ListTaggedIdentities, (*mysqlgen.Queries).ListTaggedIdentities, toID, toID)
	listTechniquesByAttackers  = many((*sqlitegen.Queries).ListTechniquesByAttackers, (*mysqlgen.Queries).ListTechniquesByAttackers, toScopeGroup, toScopeGroup)
	listTechniquesByIdentities = many((*sqlitegen.Queries).ListTechniquesByIdentities, (*mysqlgen.Queries).ListTechniquesByIdentities, toScopeGroup, toScopeGroup)
)

// sweepPage is how many scopes' rollups a sweep holds at a time.
const sweepPage = 200

// ScopeRollup is one scope and its rollup.
type ScopeRollup struct {
	Scope
	Techniques []TechniqueRollupRow `json:"techniques"`
}

// AttackerRollups streams what [Store.ListTechniquesByAttacker] says of every attacker that has tags that
// match the filter, by uuid, in one pass with a query for some hundreds of attackers. It holds no
// transaction between them. The error is the last that comes.
func (s *Store) AttackerRollups(ctx context.Context, f Filter) iter.Seq2[ScopeRollup, error] {
	return s.sweep(ctx, "stream attackers' rollups", f, OfAttacker, listTaggedAttackers, listTechniquesByAttackers)
}

// IdentityRollups streams what [Store.ListTechniquesByIdentity] says of every identity that has tags that
// match the filter, merged ones as part of their survivor. Otherwise it is [Store.AttackerRollups].
func (s *Store) IdentityRollups(ctx context.Context, f Filter) iter.Seq2[ScopeRollup, error] {
	return s.sweep(ctx, "stream identities' rollups", f, OfIdentity, listTaggedIdentities, listTechniquesByIdentities)
}

func (s *Store) sweep(ctx context.Context, op string, f Filter, scope func(uuid.UUID) Scope,
	next generated[[]uuid.UUID],
	rollups generated[[]scopeGroup],
) iter.Seq2[ScopeRollup, error] {
	return func(yield func(ScopeRollup, error) bool) {
		b, err := f.checked()
		if err != nil {
			yield(ScopeRollup{}, s.fail(ctx, op, err))
			return
		}
		after := uuid.Nil
		for {
			var ids []uuid.UUID
			groups, err := snapshot(ctx, s, op, func(q queries) ([]scopeGroup, error) {
				a := args{filterArgs: b, After: after[:], Limit: sweepPage}
				var err error
				if ids, err = next(ctx, q, a); err != nil || len(ids) == 0 {
					return nil, err
				}
				a.Last = ids[len(ids)-1][:]
				return rollups(ctx, q, a)
			})
			if err != nil {
				yield(ScopeRollup{}, err)
				return
			}
			for len(groups) > 0 {
				id := groups[0].scope
				var own []group
				for len(groups) > 0 && groups[0].scope == id {
					own, groups = append(own, groups[0].group), groups[1:]
				}
				if !yield(ScopeRollup{scope(id), sorted(fold(own))}, nil) {
					return
				}
			}
			if len(ids) < sweepPage {
				return
			}
			after = ids[len(ids)-1]
		}
	}
}

// scopeGroup is a group of one of many scopes.
type scopeGroup struct {
	scope uuid.UUID
	group
}

type scopeGroupRow interface {
	sqlitegen.ListTechniquesByAttackersRow | mysqlgen.ListTechniquesByAttackersRow |
		sqlitegen.ListTechniquesByIdentitiesRow | mysqlgen.ListTechniquesByIdentitiesRow
}

func toScopeGroup[R scopeGroupRow](row R) scopeGroup {
	r := sqlitegen.ListTechniquesByAttackersRow(row)
	return scopeGroup{toID(r.UUID), group{groupKey(r.TechniqueKey), r.Tags, r.FirstSeen, r.LastSeen, r.ConfidenceMax}}
}
