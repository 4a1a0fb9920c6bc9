package ttp

import (
	"context"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	countDistinctSources  = many((*sqlitegen.Queries).CountDistinctSources, (*mysqlgen.Queries).CountDistinctSources, toSourceCount, toSourceCount)
	listActorsByTechnique = many((*sqlitegen.Queries).ListActorsByTechnique, (*mysqlgen.Queries).ListActorsByTechnique, toActors, toActors)
	listSourcesByMembers  = many((*sqlitegen.Queries).ListSourcesByMembers, (*mysqlgen.Queries).ListSourcesByMembers, toShowing, toShowing)
	listSourcesBySession  = many((*sqlitegen.Queries).ListSourcesBySession, (*mysqlgen.Queries).ListSourcesBySession, toShowing, toShowing)
)

// DistinctCounts are the numbers of sources and actors that show a technique.
type DistinctCounts struct {
	Sources   int64 `json:"sources"` // pairs of source kind and source id
	Attackers int64 `json:"attackers"`
	// Identities counts the merged ones as their survivor; a tag that names no identity counts for the
	// one that its attacker has.
	Identities int64 `json:"identities"`
}

// showing says that an actor and a source have tags of a technique, or by a rule.
type showing[K comparable] struct {
	of     K
	source sourceID
	actor
}

type sourceID struct{ kind, id string }

var showingsByScope = scopeQueries[showing[techniqueKey]]{
	fleet: listActorsByTechnique, session: listSourcesBySession, members: listSourcesByMembers,
}

// rollUpDistinct is rollUp with DistinctCounts.
func rollUpDistinct(ctx context.Context, q queries, m members, a args) ([]TechniqueRollupRow, error) {
	groups, err := listGroups(ctx, q, m, a)
	if err != nil {
		return nil, err
	}
	showings, err := showingsByScope.read(ctx, q, m, a)
	if err != nil {
		return nil, err
	}
	counts, err := countShowings(ctx, q, showings)
	if err != nil {
		return nil, err
	}
	if m.scope.Kind == FleetScope { // its sources are too many to be held here
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
		if folded[i].Distinct == nil { // in a caller's transaction the statements may see different tags
			folded[i].Distinct = &DistinctCounts{}
		}
	}
	return sorted(folded), nil
}

func countShowings[K comparable](ctx context.Context, q queries, showings []showing[K]) (map[K]*DistinctCounts, error) {
	actors := make([]actor, len(showings))
	for i, s := range showings {
		actors[i] = s.actor
	}
	identity, err := identitiesOfActors(ctx, q, actors)
	if err != nil {
		return nil, err
	}
	type fact struct {
		of    K
		shown any // a sourceID, or an actor of one id
	}
	counts, known := map[K]*DistinctCounts{}, make(map[fact]bool, len(showings))
	count := func(f fact, n *int64) {
		if !known[f] {
			known[f] = true
			*n++
		}
	}
	for _, s := range showings {
		c := counts[s.of]
		if c == nil {
			c = new(DistinctCounts)
			counts[s.of] = c
		}
		count(fact{s.of, s.source}, &c.Sources)
		if s.attacker != uuid.Nil {
			count(fact{s.of, actor{attacker: s.attacker}}, &c.Attackers)
		}
		if id := identity(s.actor); id != uuid.Nil {
			count(fact{s.of, actor{identity: id}}, &c.Identities)
		}
	}
	return counts, nil
}

type showingRow interface {
	sqlitegen.ListSourcesByMembersRow | mysqlgen.ListSourcesByMembersRow |
		sqlitegen.ListSourcesBySessionRow | mysqlgen.ListSourcesBySessionRow
}

func toShowing[R showingRow](row R) showing[techniqueKey] {
	r := sqlitegen.ListSourcesByMembersRow(row)
	return showing[techniqueKey]{techniqueKey(r.Technique), sourceID{r.SourceKind, r.SourceID}, actor{toID(r.IdentityUUID), toID(r.AttackerUUID)}}
}

func toActors[R sqlitegen.ListActorsByTechniqueRow | mysqlgen.ListActorsByTechniqueRow](row R) showing[techniqueKey] {
	r := sqlitegen.ListActorsByTechniqueRow(row)
	return showing[techniqueKey]{techniqueKey(r.Technique), sourceID{}, actor{toID(r.IdentityUUID), toID(r.AttackerUUID)}}
}

type sourceCount struct {
	technique techniqueKey
	sources   int64
}

func toSourceCount[R sqlitegen.CountDistinctSourcesRow | mysqlgen.CountDistinctSourcesRow](row R) sourceCount {
	r := sqlitegen.CountDistinctSourcesRow(row)
	return sourceCount{techniqueKey(r.Technique), r.Sources}
}
