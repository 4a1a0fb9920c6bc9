package ttp

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listMembersOfIdentity = many(
		(*sqlitegen.Queries).ListMembersOfIdentity, (*mysqlgen.Queries).ListMembersOfIdentity, toMember, toMember)
	listMembersOfCampaign = many(
		(*sqlitegen.Queries).ListMembersOfCampaign, (*mysqlgen.Queries).ListMembersOfCampaign, toMember, toMember)
	listIdentitiesBySurvivors = many(
		(*sqlitegen.Queries).ListIdentitiesBySurvivors, (*mysqlgen.Queries).ListIdentitiesBySurvivors, toIdentity, toIdentity)
	listAttackersByIdentities = many(
		(*sqlitegen.Queries).ListAttackersByIdentities, (*mysqlgen.Queries).ListAttackersByIdentities, toAttacker, toAttacker)
)

// members holds the identities and attackers of a scope. A scope contains all tags of its identities, and the tags
// of its attackers that have no identity; an attacker's own scope contains all of its tags.
//
// A read resolves its scope to members first, except for joinedGroups, and then reads tags by their UUIDs. The tables of
// scopes are small, and a sharded engine can plan both steps, but not their join.
type members struct {
	scope                 Scope
	identities, attackers []uuid.UUID
	survivors             map[uuid.UUID]uuid.UUID // the surviving identity of each member
}

// membersOf resolves a scope.
func membersOf(ctx context.Context, q queries, scope Scope) (members, error) {
	m := members{scope: scope}
	list := listMembersOfIdentity
	switch scope.Kind {
	case FleetScope, SessionScope:
		return m, nil
	case AttackerScope:
		m.attackers = []uuid.UUID{scope.UUID}
		return m, nil
	case CampaignScope:
		list = listMembersOfCampaign
	}
	rows, err := list(ctx, q, args{IdentityUUID: scope.UUID[:], CampaignUUID: scope.UUID[:]})
	m.survivors = make(map[uuid.UUID]uuid.UUID, len(rows))
	for _, row := range rows {
		m.add(row)
	}
	return m, err
}

func (m *members) add(row member) {
	if _, known := m.survivors[row.identity]; !known {
		m.identities = append(m.identities, row.identity)
		m.survivors[row.identity] = row.survivor
	}
	if row.attacker != uuid.Nil {
		m.attackers = append(m.attackers, row.attacker)
		m.survivors[row.attacker] = row.survivor
	}
}

// scopeQueries holds the variants of a query for each kind of scope. Without one for attackers, that for members is used.
type scopeQueries[T any] struct{ fleet, session, attacker, members generated[[]T] }

// read runs the variant for the members' scope.
func (r scopeQueries[T]) read(ctx context.Context, q queries, m members, a args) ([]T, error) {
	switch m.scope.Kind {
	case FleetScope:
		return r.fleet(ctx, q, a)
	case SessionScope:
		a.SessionID = sessionID(m.scope.SessionID)
		return r.session(ctx, q, a)
	case AttackerScope:
		if r.attacker != nil {
			a.AttackerUUID = m.scope.UUID[:]
			return r.attacker(ctx, q, a)
		}
	}
	return inMemberChunks(ctx, q, r.members, m, a)
}

// inMemberChunks runs a query for a scope's members, at most maxSlice UUIDs of each kind at a time.
func inMemberChunks[T any](ctx context.Context, q queries, list generated[[]T], m members, a args) ([]T, error) {
	if m.scope.Kind == AttackerScope {
		a.AnyIdentity = 1
	}
	out := []T{}
	for identities, attackers := m.identities, m.attackers; len(identities)+len(attackers) > 0; {
		a.Identities, identities = nextChunk(identities)
		a.Attackers, attackers = nextChunk(attackers)
		rows, err := list(ctx, q, a)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

func nextChunk(ids []uuid.UUID) (chunk [][]byte, rest []uuid.UUID) {
	n := min(len(ids), maxSlice)
	return idBytes(ids[:n]), ids[n:]
}

// sessionID returns the query parameter of a session ID. An invalid ID becomes "", which matches no tag: MySQL
// ignores trailing spaces.
func sessionID(id string) sql.NullString {
	var c checker
	if c.text("session_id", id, 255); len(c.problems) > 0 {
		id = ""
	}
	return sql.NullString{String: id, Valid: true}
}

// inChunks runs a query for UUIDs, at most maxSlice at a time.
func inChunks[T any](ctx context.Context, q queries, list generated[[]T], ids []uuid.UUID, a args) ([]T, error) {
	out := []T{}
	for chunk := range slices.Chunk(ids, maxSlice) {
		a.UUIDs = idBytes(chunk)
		rows, err := list(ctx, q, a)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// maxSlice is the maximum number of UUIDs in one IN list. It is below MySQL's eq_range_index_dive_limit of 200, above
// which the optimizer relies on statistics.
const maxSlice = 128

// survivorsOf returns the surviving identity of each identity. An identity that is not stored survives itself.
func survivorsOf(ctx context.Context, q queries, identities []uuid.UUID) (map[uuid.UUID]uuid.UUID, error) {
	stored, err := inChunks(ctx, q, listIdentitiesByUUID, unique(identities), args{})
	survivors := make(map[uuid.UUID]uuid.UUID, len(identities))
	for _, id := range identities {
		survivors[id] = id
	}
	for _, i := range stored {
		survivors[i.UUID] = i.SurvivorUUID
	}
	return survivors, err
}

// identitiesOf returns the surviving identity of each attacker that has one.
func identitiesOf(ctx context.Context, q queries, attackers []uuid.UUID) (map[uuid.UUID]uuid.UUID, error) {
	stored, err := inChunks(ctx, q, listAttackersByUUID, unique(attackers), args{})
	if err != nil {
		return nil, err
	}
	var identities []uuid.UUID
	for _, a := range stored {
		if a.IdentityUUID != uuid.Nil {
			identities = append(identities, a.IdentityUUID)
		}
	}
	survivors, err := survivorsOf(ctx, q, identities)
	out := make(map[uuid.UUID]uuid.UUID, len(identities))
	for _, a := range stored {
		if a.IdentityUUID != uuid.Nil {
			out[a.UUID] = survivors[a.IdentityUUID]
		}
	}
	return out, err
}

// actor is the identity of a tag, its attacker, or both.
type actor struct{ identity, attacker uuid.UUID }

// identitiesOfActors returns a function from actors to their surviving identity, uuid.Nil for none.
func identitiesOfActors(ctx context.Context, q queries, actors []actor) (func(actor) uuid.UUID, error) {
	var identities, attackers []uuid.UUID
	for _, a := range actors {
		if a.identity != uuid.Nil {
			identities = append(identities, a.identity)
		} else {
			attackers = append(attackers, a.attacker)
		}
	}
	survivors, err := survivorsOf(ctx, q, identities)
	if err != nil {
		return nil, err
	}
	assigned, err := identitiesOf(ctx, q, attackers)
	return func(a actor) uuid.UUID {
		if a.identity != uuid.Nil {
			return survivors[a.identity]
		}
		return assigned[a.attacker]
	}, err
}

// unique returns the sorted distinct ids.
func unique(ids []uuid.UUID) []uuid.UUID {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return cmp.Compare(string(a[:]), string(b[:])) })
	return slices.Compact(ids)
}

// member is an identity of a scope with its survivor, and one of its attackers, uuid.Nil for none.
type member struct{ survivor, identity, attacker uuid.UUID }

type memberRow interface {
	sqlitegen.ListMembersOfIdentityRow | mysqlgen.ListMembersOfIdentityRow |
		sqlitegen.ListMembersOfCampaignRow | mysqlgen.ListMembersOfCampaignRow
}

func toMember[R memberRow](row R) member {
	r := sqlitegen.ListMembersOfIdentityRow(row)
	return member{toID(r.SurvivorUUID), toID(r.IdentityUUID), toID(r.AttackerUUID)}
}
