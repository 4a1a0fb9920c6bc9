package ttp

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	whoIdentities        = many((*sqlitegen.Queries).WhoIdentities, (*mysqlgen.Queries).WhoIdentities, toIdentityCount, toIdentityCount)
	whoAttackers         = many((*sqlitegen.Queries).WhoAttackers, (*mysqlgen.Queries).WhoAttackers, toAttackerCount, toAttackerCount)
	whoSessions          = many((*sqlitegen.Queries).WhoSessions, (*mysqlgen.Queries).WhoSessions, toSessionCount, toSessionCount)
	whoActorsByTechnique = many(
		(*sqlitegen.Queries).WhoActorsByTechnique, (*mysqlgen.Queries).WhoActorsByTechnique, toActorCount, toActorCount)
	whoSessionsByTechnique = many(
		(*sqlitegen.Queries).WhoSessionsByTechnique, (*mysqlgen.Queries).WhoSessionsByTechnique, toSessionCount, toSessionCount)
)

// ScopeCount is the number of tags in a scope.
type ScopeCount struct {
	Scope
	Count     int64     `json:"count"` // of tags
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
}

// Who returns the scopes of a kind with the most tags that match f, ordered by descending Count, then by ID. With
// [Filter.Technique] these are the scopes that used a technique. The kind is identity, attacker, session or campaign; the limit
// is from 1 to [MaxPage], or 0 for all. Merged identities and campaigns count as their survivor, and tags without an
// identity count for the identity of their attacker.
func (s *Store) Who(ctx context.Context, kind ScopeKind, f Filter, limit int) ([]ScopeCount, error) {
	const op = "who"
	var c checker
	filter := f.filterArgs(&c)
	who := c.who(kind, limit)
	if err := c.queryError(); err != nil {
		return nil, s.refuse(ctx, op, err)
	}
	maxRows := cmp.Or(int64(limit), math.MaxInt64)
	run := snapshot[[]ScopeCount]
	if kind == SessionScope || kind == AttackerScope { // one statement
		run = query[[]ScopeCount]
	}
	return run(ctx, s, op, func(q queries) ([]ScopeCount, error) {
		return who(ctx, q, args{filterArgs: filter, Limit: maxRows})
	})
}

// who returns the query of a kind, and reports an invalid kind or limit to c.
func (c *checker) who(kind ScopeKind, limit int) generated[[]ScopeCount] {
	c.whoLimit(limit)
	switch kind {
	case SessionScope:
		return whoBySessions
	case AttackerScope:
		return whoByActors(AttackerScope, countAttackers, attackersOfActors)
	case IdentityScope:
		return whoByActors(IdentityScope, countActors, identitiesOfActors)
	case CampaignScope:
		return whoByActors(CampaignScope, countActors, campaignsOfActors)
	}
	c.refuse("kind", "must be identity, attacker, session or campaign")
	return nil
}

func (c *checker) whoLimit(limit int) {
	if limit < 0 || limit > MaxPage {
		c.refuse("limit", "must be from 1 to "+strconv.Itoa(MaxPage)+", or 0 for all")
	}
}

func whoBySessions(ctx context.Context, q queries, a args) ([]ScopeCount, error) {
	if a.oneTechnique() {
		return whoSessionsByTechnique(ctx, q, a)
	}
	return whoSessions(ctx, q, a)
}

// actorCount is the number of tags of an actor.
type actorCount struct {
	actor
	tags                int64
	firstSeen, lastSeen time.Time
}

// whoByActors returns a query that sums the counts of actors by the scope that they belong to, in descending order.
// Actors without a scope are ignored.
func whoByActors(kind ScopeKind, list generated[[]actorCount],
	scopes func(context.Context, queries, []actor) (func(actor) uuid.UUID, error),
) generated[[]ScopeCount] {
	return func(ctx context.Context, q queries, a args) ([]ScopeCount, error) {
		counted, err := list(ctx, q, a)
		if err != nil {
			return nil, err
		}
		actors := make([]actor, len(counted))
		for i, c := range counted {
			actors[i] = c.actor
		}
		scope, err := scopes(ctx, q, actors)
		if err != nil {
			return nil, err
		}
		counts := scopeCounts{}
		for _, c := range counted {
			if id := scope(c.actor); id != uuid.Nil {
				counts.add(ScopeCount{Scope{Kind: kind, UUID: id}, c.tags, c.firstSeen, c.lastSeen})
			}
		}
		return counts.most(a.Limit), nil
	}
}

// scopeCounts sums counts by scope.
type scopeCounts map[Scope]*ScopeCount

func (counts scopeCounts) add(more ScopeCount) {
	c := counts[more.Scope]
	if c == nil {
		counts[more.Scope] = &more
		return
	}
	c.Count += more.Count
	if more.FirstSeen.Before(c.FirstSeen) {
		c.FirstSeen = more.FirstSeen
	}
	if more.LastSeen.After(c.LastSeen) {
		c.LastSeen = more.LastSeen
	}
}

// most returns the counts in descending order, at most limit.
func (counts scopeCounts) most(limit int64) []ScopeCount {
	out := make([]ScopeCount, 0, len(counts))
	for _, c := range counts {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b ScopeCount) int {
		if a.Count != b.Count {
			return cmp.Compare(b.Count, a.Count)
		}
		return strings.Compare(a.ID(), b.ID())
	})
	return out[:min(int64(len(out)), limit)]
}

// countAttackers counts the tags of each attacker.
func countAttackers(ctx context.Context, q queries, a args) ([]actorCount, error) {
	if a.oneTechnique() {
		return whoActorsByTechnique(ctx, q, a)
	}
	a.AnyIdentity = 1
	return whoAttackers(ctx, q, a)
}

// countActors counts the tags of each identity, and the tags without an identity of each attacker.
func countActors(ctx context.Context, q queries, a args) ([]actorCount, error) {
	if a.oneTechnique() {
		return whoActorsByTechnique(ctx, q, a)
	}
	identities, err := whoIdentities(ctx, q, a)
	if err != nil {
		return nil, err
	}
	a.Limit = math.MaxInt64
	attackers, err := whoAttackers(ctx, q, a)
	return append(identities, attackers...), err
}

func attackersOfActors(context.Context, queries, []actor) (func(actor) uuid.UUID, error) {
	return func(a actor) uuid.UUID { return a.attacker }, nil
}

func campaignsOfActors(ctx context.Context, q queries, actors []actor) (func(actor) uuid.UUID, error) {
	identity, err := identitiesOfActors(ctx, q, actors)
	if err != nil {
		return nil, err
	}
	identities := make([]uuid.UUID, len(actors))
	for i, a := range actors {
		identities[i] = identity(a)
	}
	stored, err := inChunks(ctx, q, listIdentitiesByUUID, unique(identities), args{})
	if err != nil {
		return nil, err
	}
	campaigns, survivors := map[uuid.UUID]uuid.UUID{}, map[uuid.UUID]uuid.UUID{} // by identity, by campaign
	for _, i := range stored {
		if i.MergedIntoUUID == uuid.Nil {
			campaigns[i.UUID] = i.CampaignUUID
			survivors[i.CampaignUUID] = i.CampaignUUID
		}
	}
	merged, err := inChunks(ctx, q, listCampaignsByUUID, slices.Collect(maps.Keys(survivors)), args{})
	for _, c := range merged {
		survivors[c.UUID] = c.SurvivorUUID
	}
	return func(a actor) uuid.UUID { return survivors[campaigns[identity(a)]] }, err
}

func toIdentityCount[R sqlitegen.WhoIdentitiesRow | mysqlgen.WhoIdentitiesRow](row R) actorCount {
	r := sqlitegen.WhoIdentitiesRow(row)
	return actorCount{actor{identity: toID(r.IdentityUUID)}, r.Tags, toTime(r.FirstSeen), toTime(r.LastSeen)}
}

func toAttackerCount[R sqlitegen.WhoAttackersRow | mysqlgen.WhoAttackersRow](row R) actorCount {
	r := sqlitegen.WhoAttackersRow(row)
	return actorCount{actor{attacker: toID(r.AttackerUUID)}, r.Tags, toTime(r.FirstSeen), toTime(r.LastSeen)}
}

func toActorCount[R sqlitegen.WhoActorsByTechniqueRow | mysqlgen.WhoActorsByTechniqueRow](row R) actorCount {
	r := sqlitegen.WhoActorsByTechniqueRow(row)
	return actorCount{actor{toID(r.IdentityUUID), toID(r.AttackerUUID)}, r.Tags, toTime(r.FirstSeen), toTime(r.LastSeen)}
}

type sessionCountRow interface {
	sqlitegen.WhoSessionsRow | mysqlgen.WhoSessionsRow | sqlitegen.WhoSessionsByTechniqueRow | mysqlgen.WhoSessionsByTechniqueRow
}

func toSessionCount[R sessionCountRow](row R) ScopeCount {
	r := sqlitegen.WhoSessionsRow(row)
	return ScopeCount{OfSession(r.SessionID.String), r.Tags, toTime(r.FirstSeen), toTime(r.LastSeen)}
}
