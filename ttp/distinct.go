package ttp

import (
	"context"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	countDistinctSources = many(
		(*sqlitegen.Queries).CountDistinctSources, (*mysqlgen.Queries).CountDistinctSources, toSourceCount, toSourceCount)
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

// occurrence is one combination of key, source and actor among tags. The key is a technique or a rule.
type occurrence[K comparable] struct {
	key    K
	source sourceID
	actor
}

type sourceID struct{ kind, id string }

var occurrencesByScope = scopeQueries[occurrence[techniqueKey]]{
	fleet: listActorsByTechnique, session: listSourcesBySession, members: listSourcesByMembers,
}

// rollUpDistinct is rollUp with DistinctCounts.
func rollUpDistinct(ctx context.Context, q queries, m members, a args) ([]TechniqueRollupRow, error) {
	groups, err := listGroups(ctx, q, m, a)
	if err != nil {
		return nil, err
	}
	occurrences, err := occurrencesByScope.read(ctx, q, m, a)
	if err != nil {
		return nil, err
	}
	counts, err := countOccurrences(ctx, q, occurrences)
	if err != nil {
		return nil, err
	}
	if m.scope.Kind == FleetScope { // too many sources to hold in memory
		sources, err := countDistinctSources(ctx, q, a)
		if err != nil {
			return nil, err
		}
		for _, s := range sources {
			if c := counts[s.technique]; c != nil {
				c.Sources = s.sources
			}
		}
	}
	folded := fold(groups, m)
	for i := range folded {
		folded[i].Distinct = counts[folded[i].technique]
		if folded[i].Distinct == nil { // statements in a caller's transaction may see different tags
			folded[i].Distinct = &DistinctCounts{}
		}
	}
	return sorted(folded), nil
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

func toOccurrence[R occurrenceRow](row R) occurrence[techniqueKey] {
	r := sqlitegen.ListSourcesByMembersRow(row)
	source := sourceID{r.SourceKind, r.SourceID}
	return occurrence[techniqueKey]{techniqueKey(r.Technique), source, actor{toID(r.IdentityUUID), toID(r.AttackerUUID)}}
}

func toActorOccurrence[R sqlitegen.ListActorsByTechniqueRow | mysqlgen.ListActorsByTechniqueRow](row R) occurrence[techniqueKey] {
	r := sqlitegen.ListActorsByTechniqueRow(row)
	return occurrence[techniqueKey]{techniqueKey(r.Technique), sourceID{}, actor{toID(r.IdentityUUID), toID(r.AttackerUUID)}}
}

type sourceCount struct {
	technique techniqueKey
	sources   int64
}

func toSourceCount[R sqlitegen.CountDistinctSourcesRow | mysqlgen.CountDistinctSourcesRow](row R) sourceCount {
	r := sqlitegen.CountDistinctSourcesRow(row)
	return sourceCount{techniqueKey(r.Technique), r.Sources}
}
