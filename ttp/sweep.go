package ttp

import (
	"context"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listTaggedAttackers    = many((*sqlitegen.Queries).ListTaggedAttackers, (*mysqlgen.Queries).ListTaggedAttackers, toID, toID)
	listTaggedIdentities   = many((*sqlitegen.Queries).ListTaggedIdentities, (*mysqlgen.Queries).ListTaggedIdentities, toID, toID)
	listAssignedIdentities = many((*sqlitegen.Queries).ListAssignedIdentities, (*mysqlgen.Queries).ListAssignedIdentities, toID, toID)
	listSurvivors          = many((*sqlitegen.Queries).ListSurvivors, (*mysqlgen.Queries).ListSurvivors, toID, toID)
)

// ScopeRollup is a scope with its rollup.
type ScopeRollup struct {
	Scope
	Techniques []TechniqueRollupRow `json:"techniques"`
}

// AttackerRollups streams the [Store.Rollup] of every attacker with tags that match f, in UUID order. It reads the rollups
// of up to 128 attackers at a time and holds no transaction between these reads. An error ends the stream, with a zero
// ScopeRollup.
//
// [CountDistinct] and [WithRules] are refused with [ErrInvalidQuery].
func (s *Store) AttackerRollups(ctx context.Context, f Filter, opts ...RollupOption) iter.Seq2[ScopeRollup, error] {
	opts = append([]RollupOption{Where(f)}, opts...)
	return s.sweep(ctx, "stream rollups of attackers", OfAttacker, opts, listTaggedAttackers, attackersAsMembers)
}

// IdentityRollups streams the [Store.Rollup] of every surviving identity with tags that match f. See
// [Store.AttackerRollups].
func (s *Store) IdentityRollups(ctx context.Context, f Filter, opts ...RollupOption) iter.Seq2[ScopeRollup, error] {
	opts = append([]RollupOption{Where(f)}, opts...)
	return s.sweep(ctx, "stream rollups of identities", OfIdentity, opts, listReferencedIdentities, identitiesAsMembers)
}

// sweep streams the rollups of the scopes that next lists, a page at a time.
func (s *Store) sweep(ctx context.Context, op string, scope func(uuid.UUID) Scope, opts []RollupOption,
	next generated[[]uuid.UUID], resolve func(context.Context, queries, []uuid.UUID) (members, error),
) iter.Seq2[ScopeRollup, error] {
	return func(yield func(ScopeRollup, error) bool) {
		var c checker
		r, err := s.rollup(ctx, op, &c, opts)
		if err == nil && r.rows() {
			c.refuse("distinct, rules", "must not be set")
			err = s.refuse(ctx, op, c.queryError())
		}
		if err != nil {
			yield(ScopeRollup{}, err)
			return
		}
		read := func(after uuid.UUID) ([]scopeGroups, error) {
			return snapshot(ctx, s, op, func(q queries) ([]scopeGroups, error) {
				ids, err := next(ctx, q, args{After: after[:], Limit: maxSlice})
				if err != nil {
					return nil, err
				}
				m, err := resolve(ctx, q, ids)
				if err != nil {
					return nil, err
				}
				groups, err := inMemberChunks(ctx, q, listTechniquesByEachMember, m, args{filterArgs: r.filter})
				return groupsOf(ids, m, groups), err
			})
		}
		for page, err := range pages(read, maxSlice, uuid.Nil, func(g scopeGroups) uuid.UUID { return g.id }) {
			if err != nil {
				yield(ScopeRollup{}, err)
				return
			}
			for _, scoped := range page {
				if len(scoped.groups) == 0 {
					continue
				}
				r.translation.place(scoped.groups)
				if !yield(ScopeRollup{scope(scoped.id), folding{catalogue: r.catalogue}.fold(scoped.groups)}, nil) {
					return
				}
			}
		}
	}
}

// scopeGroups holds the groups of an attacker or identity.
type scopeGroups struct {
	id     uuid.UUID
	groups []group
}

// groupsOf returns the groups of the members of each ID, in the order of ids.
func groupsOf(ids []uuid.UUID, m members, groups []group) []scopeGroups {
	byID := make(map[uuid.UUID][]group, len(ids))
	for _, g := range groups {
		id := m.survivors[g.owner]
		byID[id] = append(byID[id], g)
	}
	out := make([]scopeGroups, len(ids))
	for i, id := range ids {
		out[i] = scopeGroups{id, byID[id]}
	}
	return out
}

func attackersAsMembers(_ context.Context, _ queries, ids []uuid.UUID) (members, error) {
	m := members{scope: Scope{Kind: AttackerScope}, attackers: ids, survivors: make(map[uuid.UUID]uuid.UUID, len(ids))}
	for _, id := range ids {
		m.survivors[id] = id
	}
	return m, nil
}

// listReferencedIdentities returns a page of the identities that tags, attackers or merges reference.
func listReferencedIdentities(ctx context.Context, q queries, a args) ([]uuid.UUID, error) {
	var referenced []uuid.UUID
	for _, list := range []generated[[]uuid.UUID]{listTaggedIdentities, listAssignedIdentities, listSurvivors} {
		ids, err := list(ctx, q, a)
		if err != nil {
			return nil, err
		}
		referenced = append(referenced, ids...)
	}
	referenced = unique(referenced)
	return referenced[:min(len(referenced), int(a.Limit))], nil
}

// identitiesAsMembers resolves surviving identities to all identities merged into them, and the attackers of these.
func identitiesAsMembers(ctx context.Context, q queries, ids []uuid.UUID) (members, error) {
	m := members{scope: Scope{Kind: IdentityScope}, survivors: map[uuid.UUID]uuid.UUID{}}
	merged, err := inChunks(ctx, q, listIdentitiesBySurvivors, ids, args{})
	if err != nil {
		return m, err
	}
	for _, i := range merged {
		m.add(member{survivor: i.SurvivorUUID, identity: i.UUID})
	}
	stored, err := inChunks(ctx, q, listIdentitiesByUUID, ids, args{})
	if err != nil {
		return m, err
	}
	for _, id := range ids { // an identity that is not stored survives itself
		if !slices.ContainsFunc(stored, func(i Identity) bool { return i.UUID == id }) {
			m.add(member{survivor: id, identity: id})
		}
	}
	attackers, err := inChunks(ctx, q, listAttackersByIdentities, m.identities, args{})
	for _, a := range attackers {
		m.add(member{survivor: m.survivors[a.IdentityUUID], identity: a.IdentityUUID, attacker: a.UUID})
	}
	return m, err
}
