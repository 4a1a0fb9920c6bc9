package ttp

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listDistinctTechniques       = many((*sqlitegen.Queries).ListDistinctTechniques, (*mysqlgen.Queries).ListDistinctTechniques, toGroup, toGroup)
	listDistinctTechniquesByTime = many((*sqlitegen.Queries).ListDistinctTechniquesByTime, (*mysqlgen.Queries).ListDistinctTechniquesByTime, toGroup, toGroup)
	listTechniquesByMembers      = many((*sqlitegen.Queries).ListTechniquesByMembers, (*mysqlgen.Queries).ListTechniquesByMembers, toGroup, toGroup)
	listTechniquesByEachMember   = many((*sqlitegen.Queries).ListTechniquesByEachMember, (*mysqlgen.Queries).ListTechniquesByEachMember, toOwnGroup, toOwnGroup)
	listTechniquesBySession      = many((*sqlitegen.Queries).ListTechniquesBySession, (*mysqlgen.Queries).ListTechniquesBySession, toGroup, toGroup)
)

// TechniqueRollupRow sums up the tags of one scope that show one (sub-)technique.
type TechniqueRollupRow struct {
	TechniqueID string `json:"technique_id"`
	// TechniqueName, SubTechniqueName and MitreURL are empty without [WithCatalogue].
	TechniqueName    string `json:"technique_name,omitempty"`
	SubTechniqueID   string `json:"sub_technique_id,omitempty"` // empty for the technique itself
	SubTechniqueName string `json:"sub_technique_name,omitempty"`
	// Tactic is the tactic that most of the tags name; of several, the one with the smallest id.
	Tactic string `json:"tactic"`
	// Tactics are all tactics that the tags name, in the order that makes Tactic the first.
	Tactics []TacticCount `json:"tactics"`
	// Releases are the ATT&CK releases that the tags speak, sorted.
	Releases []string `json:"releases"`
	// Count is the number of tags.
	Count int64 `json:"count"`
	// FirstSeen and LastSeen are the earliest and the latest ObservedAt.
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	// ConfidenceMax is the highest confidence, from 0 to 1.
	ConfidenceMax float64 `json:"confidence_max"`
	MitreURL      string  `json:"mitre_url,omitempty"`
	// NamesFrom is the release that the names are from, if the catalogue lacks the newest of Releases.
	NamesFrom string `json:"names_from,omitempty"`
	// IdentityCount is the number of a campaign's identities that show the technique, merged ones counted as
	// their survivor. It is 0 in the rollups of other scopes.
	IdentityCount int64 `json:"identity_count,omitempty"`
	// Distinct is filled in only with [CountDistinct].
	Distinct *DistinctCounts `json:"distinct,omitempty"`
}

// IdentityTechniqueRow is a row of the rollup of an identity, an attacker or a session.
type IdentityTechniqueRow = TechniqueRollupRow

// CampaignTechniqueRow is a row of the rollup of a campaign.
type CampaignTechniqueRow = TechniqueRollupRow

// TacticCount is the number of tags that name a tactic.
type TacticCount struct {
	Tactic string `json:"tactic"`
	Name   string `json:"tactic_name,omitempty"`
	Count  int64  `json:"count"`
}

// RollupOption changes what a rollup counts.
type RollupOption func(*rollupOptions)

type rollupOptions struct {
	filters  []Filter
	distinct bool
}

// Where rolls up only the tags that match the filter. It may be given once.
func Where(f Filter) RollupOption { return func(o *rollupOptions) { o.filters = append(o.filters, f) } }

// CountDistinct also counts the distinct sources, attackers and identities of each technique. It reads
// every tag's row, not the index alone, and holds the sources of the scope in memory.
func CountDistinct() RollupOption { return func(o *rollupOptions) { o.distinct = true } }

func (o *rollupOptions) apply(opts []RollupOption) (filterArgs, error) {
	for _, option := range opts {
		option(o)
	}
	var c checker
	switch len(o.filters) {
	case 0:
		return filterArgs{}, nil
	case 1:
		return o.filters[0].checked()
	}
	c.refuse("filter", "must be given once: say all of it in one Where")
	return filterArgs{}, c.queryError()
}

// Rollup counts the scope's tags by technique and sub-technique: by Count, the highest first, then by
// technique and sub-technique. A scope that no tag names has no rows.
//
// An attacker has the tags that name it. An identity has the tags that name it or an identity merged into
// it, and the tags of their attackers that name no identity; each tag counts once, and a merged identity
// answers as its survivor. A campaign is the union of its identities: those whose survivor is in the
// campaign or in one that is merged into it.
func (s *Store) Rollup(ctx context.Context, scope Scope, opts ...RollupOption) ([]TechniqueRollupRow, error) {
	op := "rollup " + scope.String()
	var o rollupOptions
	b, err := o.apply(opts)
	if err != nil {
		return nil, s.fail(ctx, op, err)
	}
	var rows []TechniqueRollupRow
	if o.distinct {
		rows, err = snapshot(ctx, s, op, readMembers(ctx, scope, b, rollUpDistinct))
	} else {
		rows, err = inScope(ctx, s, op, scope, b, rollUp)
	}
	s.name(rows)
	return rows, err
}

// ListTechniquesByIdentity is [Store.Rollup] of [OfIdentity].
func (s *Store) ListTechniquesByIdentity(ctx context.Context, id uuid.UUID, opts ...RollupOption) ([]IdentityTechniqueRow, error) {
	return s.Rollup(ctx, OfIdentity(id), opts...)
}

// ListTechniquesByAttacker is [Store.Rollup] of [OfAttacker].
func (s *Store) ListTechniquesByAttacker(ctx context.Context, id uuid.UUID, opts ...RollupOption) ([]IdentityTechniqueRow, error) {
	return s.Rollup(ctx, OfAttacker(id), opts...)
}

// ListTechniquesByCampaign is [Store.Rollup] of [OfCampaign].
func (s *Store) ListTechniquesByCampaign(ctx context.Context, id uuid.UUID, opts ...RollupOption) ([]CampaignTechniqueRow, error) {
	return s.Rollup(ctx, OfCampaign(id), opts...)
}

// ListTechniquesBySession is [Store.Rollup] of [OfSession].
func (s *Store) ListTechniquesBySession(ctx context.Context, id string, opts ...RollupOption) ([]IdentityTechniqueRow, error) {
	return s.Rollup(ctx, OfSession(id), opts...)
}

// ListDistinctTechniques is [Store.Rollup] of [Fleet].
func (s *Store) ListDistinctTechniques(ctx context.Context, opts ...RollupOption) ([]TechniqueRollupRow, error) {
	return s.Rollup(ctx, Fleet(), opts...)
}

// rollUp returns the rows of a rollup in their order.
func rollUp(ctx context.Context, q queries, m members, a args) ([]TechniqueRollupRow, error) {
	groups, err := listGroups(ctx, q, m, a)
	return sorted(fold(groups, m)), err
}

var groupsByScope = scopeQueries[group]{
	fleet: listFleetGroups, session: listTechniquesBySession, members: listTechniquesByMembers,
}

func listGroups(ctx context.Context, q queries, m members, a args) ([]group, error) {
	if m.scope.Kind == CampaignScope { // which counts the identities
		return inMemberChunks(ctx, q, listTechniquesByEachMember, m, a)
	}
	return groupsByScope.read(ctx, q, m, a)
}

// listFleetGroups reads by the index that has the least to read.
func listFleetGroups(ctx context.Context, q queries, a args) ([]group, error) {
	switch {
	case !a.set:
		return listTechniqueCounts(ctx, q, a)
	case a.windowed() && !a.oneTechnique():
		return listDistinctTechniquesByTime(ctx, q, a)
	}
	return listDistinctTechniques(ctx, q, a)
}
