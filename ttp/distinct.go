package ttp

import (
	"context"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	countSourcesOfTechniques = many(
		(*sqlitegen.Queries).CountSourcesOfTechniques, (*mysqlgen.Queries).CountSourcesOfTechniques, self, self)
	listActorsByTechnique = many(
		(*sqlitegen.Queries).ListActorsByTechnique, (*mysqlgen.Queries).ListActorsByTechnique, toActorOccurrence, toActorOccurrence)
	listSourcesByMembers = many(
		(*sqlitegen.Queries).ListSourcesByMembers, (*mysqlgen.Queries).ListSourcesByMembers, toOccurrence, toOccurrence)
	listSourcesBySession = many(
		(*sqlitegen.Queries).ListSourcesBySession, (*mysqlgen.Queries).ListSourcesBySession, toOccurrence, toOccurrence)
)

// DistinctCounts holds the numbers of distinct sources, attackers and identities among tags.
type DistinctCounts struct {
	Sources   int64 `json:"sources"` // pairs of source kind and source id
	Attackers int64 `json:"attackers"`
	// Identities counts merged identities as their survivor. A tag without an identity counts for the identity
	// of its attacker.
	Identities int64 `json:"identities"`
}

// occurrence is one combination of key, source and actor among tags. The key is a technique_key, a row or a rule.
type occurrence[K comparable] struct {
	key    K
	source sourceID
	actor
}

type sourceID struct{ kind, id string }

var occurrencesByScope = scopeQueries[occurrence[groupKey]]{
	fleet: listActorsByTechnique, session: listSourcesBySession, members: listSourcesByMembers,
}

// countDistinct returns the distinct counts of each row. The function keyOfRow returns the key of a group's row.
func countDistinct[K comparable](ctx context.Context, q queries, m members, a args, groups []group, keyOfRow func(group) K) (
	map[K]*DistinctCounts, error,
) {
	all, err := occurrencesByScope.read(ctx, q, m, a)
	if err != nil {
		return nil, err
	}
	rows, keys := rowsOf(groups, keyOfRow), map[K][]int64{}
	for key, row := range rows {
		keys[row] = append(keys[row], int64(key))
	}
	occurrences := make([]occurrence[K], 0, len(all))
	for _, o := range all {
		if row, ok := rows[o.key]; ok { // statements in a caller's transaction may see different tags
			occurrences = append(occurrences, occurrence[K]{row, o.source, o.actor})
		}
	}
	counts, err := countOccurrences(ctx, q, occurrences)
	for row := range keys {
		if counts[row] == nil && err == nil {
			counts[row] = &DistinctCounts{}
		}
	}
	if err == nil && m.scope.Kind == FleetScope {
		err = countSources(ctx, q, a, keys, counts)
	}
	return counts, err
}

// rowsOf returns the row of each technique_key of tags.
func rowsOf[K any](groups []group, keyOfRow func(group) K) map[groupKey]K {
	rows := make(map[groupKey]K, len(groups))
	for _, g := range groups {
		rows[g.tagKey()] = keyOfRow(g)
	}
	return rows
}

// countSources counts the fleet's distinct sources row by row in SQL: there are too many to hold in memory.
func countSources[K comparable](ctx context.Context, q queries, a args, keys map[K][]int64, counts map[K]*DistinctCounts) error {
	for row, techniques := range keys {
		a.TechniqueKeys = techniques
		n, err := first(countSourcesOfTechniques)(ctx, q, a)
		if err != nil {
			return err
		}
		counts[row].Sources = n
	}
	return nil
}

func countOccurrences[K comparable](ctx context.Context, q queries, occurrences []occurrence[K]) (map[K]*DistinctCounts, error) {
	actors := make([]actor, len(occurrences))
	for i, o := range occurrences {
		actors[i] = o.actor
	}
	identity, err := identitiesOfActors(ctx, q, actors)
	if err != nil {
		return nil, err
	}
	type distinct struct {
		key   K
		value any // a sourceID, or an actor with one UUID
	}
	counts, seen := map[K]*DistinctCounts{}, make(map[distinct]bool, len(occurrences))
	count := func(d distinct, n *int64) {
		if !seen[d] {
			seen[d] = true
			*n++
		}
	}
	for _, o := range occurrences {
		c := counts[o.key]
		if c == nil {
			c = new(DistinctCounts)
			counts[o.key] = c
		}
		count(distinct{o.key, o.source}, &c.Sources)
		if o.attacker != uuid.Nil {
			count(distinct{o.key, actor{attacker: o.attacker}}, &c.Attackers)
		}
		if id := identity(o.actor); id != uuid.Nil {
			count(distinct{o.key, actor{identity: id}}, &c.Identities)
		}
	}
	return counts, nil
}

type occurrenceRow interface {
	sqlitegen.ListSourcesByMembersRow | mysqlgen.ListSourcesByMembersRow |
		sqlitegen.ListSourcesBySessionRow | mysqlgen.ListSourcesBySessionRow
}

func toOccurrence[R occurrenceRow](row R) occurrence[groupKey] {
	r := sqlitegen.ListSourcesByMembersRow(row)
	source := sourceID{r.SourceKind, r.SourceID}
	return occurrence[groupKey]{groupKey(r.TechniqueKey), source, actor{toID(r.IdentityUUID), toID(r.AttackerUUID)}}
}

func toActorOccurrence[R sqlitegen.ListActorsByTechniqueRow | mysqlgen.ListActorsByTechniqueRow](row R) occurrence[groupKey] {
	r := sqlitegen.ListActorsByTechniqueRow(row)
	return occurrence[groupKey]{groupKey(r.TechniqueKey), sourceID{}, actor{toID(r.IdentityUUID), toID(r.AttackerUUID)}}
}
