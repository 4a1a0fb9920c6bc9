package ttp

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
	"github.com/decnet/ttpstore/matrix"
)

var (
	listDistinctTechniques = many(
		(*sqlitegen.Queries).ListDistinctTechniques, (*mysqlgen.Queries).ListDistinctTechniques, toGroup, toGroup)
	listDistinctTechniquesByTime = many(
		(*sqlitegen.Queries).ListDistinctTechniquesByTime, (*mysqlgen.Queries).ListDistinctTechniquesByTime, toGroup, toGroup)
	listTechniquesByAttacker = many(
		(*sqlitegen.Queries).ListTechniquesByAttacker, (*mysqlgen.Queries).ListTechniquesByAttacker, toGroup, toGroup)
	listTechniquesByMembers = many(
		(*sqlitegen.Queries).ListTechniquesByMembers, (*mysqlgen.Queries).ListTechniquesByMembers, toGroup, toGroup)
	listTechniquesByIdentity = many(
		(*sqlitegen.Queries).ListTechniquesByIdentity, (*mysqlgen.Queries).ListTechniquesByIdentity, toGroup, toGroup)
	listTechniquesByCampaign = many(
		(*sqlitegen.Queries).ListTechniquesByCampaign, (*mysqlgen.Queries).ListTechniquesByCampaign, toMemberGroup, toMemberGroup)
	listTechniquesByEachMember = many(
		(*sqlitegen.Queries).ListTechniquesByEachMember, (*mysqlgen.Queries).ListTechniquesByEachMember, toMemberGroup, toMemberGroup)
	listTechniquesBySession = many(
		(*sqlitegen.Queries).ListTechniquesBySession, (*mysqlgen.Queries).ListTechniquesBySession, toGroup, toGroup)
)

// TechniqueRollupRow summarizes the tags of a technique or sub-technique in a scope.
type TechniqueRollupRow struct {
	TechniqueID    string `json:"technique_id"`
	SubTechniqueID string `json:"sub_technique_id,omitempty"` // empty for the technique itself
	// Names are those of the newest release of Tactic's tags.
	Names
	// Tactic is the most frequent tactic; ties go to the smaller ID.
	Tactic string `json:"tactic"`
	// Tactics holds all tactics, most frequent first, then by ID.
	Tactics []TacticCount `json:"tactics"`
	// Releases holds the distinct ATT&CK releases of the tags, sorted.
	Releases []string `json:"releases"`
	Count    int64    `json:"count"` // of tags
	// FirstSeen and LastSeen are the earliest and latest ObservedAt.
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	// ConfidenceMax is the highest confidence, from 0 to 1.
	ConfidenceMax float64 `json:"confidence_max"`
	// IdentityCount is the number of a campaign's identities with the technique, counting merged identities as their
	// survivor. It is 0 for other scopes.
	IdentityCount int64 `json:"identity_count,omitempty"`
	// Distinct is nil without [CountDistinct].
	Distinct *DistinctCounts `json:"distinct,omitempty"`
	// Rules holds the sorted IDs of the tags' rules. It is nil without [WithRules].
	Rules []string `json:"rules,omitempty"`
	// Verdict is the greatest change among Origins, with [AsOf].
	Verdict attack.Verdict `json:"verdict,omitempty"`
	// Origins are the techniques, tactics and releases of the tags, with [AsOf].
	Origins []matrix.Origin `json:"origins,omitempty"`
}

// IdentityTechniqueRow is a row of the rollup of an identity, an attacker or a session.
type IdentityTechniqueRow = TechniqueRollupRow

// CampaignTechniqueRow is a row of the rollup of a campaign.
type CampaignTechniqueRow = TechniqueRollupRow

// TacticCount is the number of tags of a tactic.
type TacticCount struct {
	Tactic string `json:"tactic"`
	Name   string `json:"tactic_name,omitempty"`
	Count  int64  `json:"count"`
}

// RollupOption configures a rollup.
type RollupOption func(*rollupOptions)

type rollupOptions struct {
	filters         []Filter
	distinct, rules bool
	asOf            []string
}

// Where restricts a rollup to the tags that match f. It may be given once.
func Where(f Filter) RollupOption { return func(o *rollupOptions) { o.filters = append(o.filters, f) } }

// CountDistinct also counts the distinct sources, attackers and identities of each technique. It reads the row of
// every tag, instead of only an index, and holds the distinct sources of the scope in memory.
func CountDistinct() RollupOption { return func(o *rollupOptions) { o.distinct = true } }

// WithRules also lists the rules of each technique. It reads the row of every tag, instead of only an index.
func WithRules() RollupOption { return func(o *rollupOptions) { o.rules = true } }

// rollup holds the valid options of a rollup.
type rollup struct {
	filter      filterArgs
	distinct    bool
	rules       bool
	catalogue   *catalogue
	translation *translation // nil without AsOf
}

// rollup checks options, in addition to the problems that c holds already.
func (s *Store) rollup(ctx context.Context, op string, c *checker, opts []RollupOption) (rollup, error) {
	var o rollupOptions
	for _, option := range opts {
		option(&o)
	}
	r := rollup{distinct: o.distinct, rules: o.rules}
	switch len(o.filters) {
	case 0:
	case 1:
		r.filter = o.filters[0].filterArgs(c)
	default:
		c.refuse("filter", "must be given once: combine the fields in one Where")
	}
	release := c.asOf(o.asOf, s.catalogues != nil)
	err := c.queryError()
	if err != nil {
		return r, s.refuse(ctx, op, err)
	}
	if r.catalogue, err = s.names(ctx, op); err != nil || release == "" {
		return r, err
	}
	if r.translation, err = r.catalogue.translation(release); err != nil {
		err = s.refuse(ctx, op, err)
	}
	return r, err
}

// Rollup counts the scope's tags by technique and sub-technique. The rows are ordered by descending Count, then by
// technique and sub-technique; an unknown scope has none.
//
// The scope of an attacker contains all tags with its UUID. The scope of an identity contains the tags with its UUID
// or that of an identity merged into it, and the tags of their attackers that have no identity; each tag counts once.
// A merged identity has the scope of its survivor. The scope of a campaign is the union of the identities whose
// survivor belongs to the campaign or to one merged into it.
func (s *Store) Rollup(ctx context.Context, scope Scope, opts ...RollupOption) ([]TechniqueRollupRow, error) {
	op := about("rollup", scope.String())
	var c checker
	scope.check(&c)
	r, err := s.rollup(ctx, op, &c, opts)
	if err != nil {
		return nil, err
	}
	if list, ok := joinedGroups[scope.Kind]; ok && !r.rows() && s.identify(ctx) == nil && !s.engine.sharded() {
		return query(ctx, s, op, func(q queries) ([]TechniqueRollupRow, error) {
			groups, err := list(ctx, q, args{filterArgs: r.filter, IdentityUUID: scope.UUID[:], CampaignUUID: scope.UUID[:]})
			r.translation.place(groups)
			return folding{catalogue: r.catalogue, members: members{scope: scope}}.fold(groups), err
		})
	}
	return inScope(ctx, s, op, scope, r.rows(), r.filter, r.read)
}

// ListTechniquesByIdentity calls [Store.Rollup] with [OfIdentity].
func (s *Store) ListTechniquesByIdentity(ctx context.Context, id uuid.UUID, opts ...RollupOption) ([]IdentityTechniqueRow, error) {
	return s.Rollup(ctx, OfIdentity(id), opts...)
}

// ListTechniquesByAttacker calls [Store.Rollup] with [OfAttacker].
func (s *Store) ListTechniquesByAttacker(ctx context.Context, id uuid.UUID, opts ...RollupOption) ([]IdentityTechniqueRow, error) {
	return s.Rollup(ctx, OfAttacker(id), opts...)
}

// ListTechniquesByCampaign calls [Store.Rollup] with [OfCampaign].
func (s *Store) ListTechniquesByCampaign(ctx context.Context, id uuid.UUID, opts ...RollupOption) ([]CampaignTechniqueRow, error) {
	return s.Rollup(ctx, OfCampaign(id), opts...)
}

// ListTechniquesBySession calls [Store.Rollup] with [OfSession].
func (s *Store) ListTechniquesBySession(ctx context.Context, id string, opts ...RollupOption) ([]IdentityTechniqueRow, error) {
	return s.Rollup(ctx, OfSession(id), opts...)
}

// ListDistinctTechniques calls [Store.Rollup] with [Fleet].
func (s *Store) ListDistinctTechniques(ctx context.Context, opts ...RollupOption) ([]TechniqueRollupRow, error) {
	return s.Rollup(ctx, Fleet(), opts...)
}

// joinedGroups holds the queries that resolve a scope and read its groups in one statement, unlike all other reads. With
// two statements and a snapshot, a rollup of few tags took up to 1.8 times as long. vtgate cannot plan them.
var joinedGroups = map[ScopeKind]generated[[]group]{
	IdentityScope: listTechniquesByIdentity, CampaignScope: listTechniquesByCampaign,
}

// rows reports whether the rollup also reads the rows of tags, in further statements.
func (r rollup) rows() bool { return r.distinct || r.rules }

// read reads the rows of a rollup in order.
func (r rollup) read(ctx context.Context, q queries, m members, a args) ([]TechniqueRollupRow, error) {
	groups, err := listGroups(ctx, q, m, a)
	if err != nil {
		return nil, err
	}
	r.translation.place(groups)
	f := folding{catalogue: r.catalogue, members: m}
	if r.distinct {
		if f.distinct, err = countDistinct(ctx, q, m, a, groups, group.row); err != nil {
			return nil, err
		}
	}
	if r.rules {
		if f.rules, err = rulesOf(ctx, q, m, a, groups, group.row); err != nil {
			return nil, err
		}
	}
	return f.fold(groups), nil
}

var groupsByScope = scopeQueries[group]{
	fleet: listFleetGroups, session: listTechniquesBySession, attacker: listTechniquesByAttacker, members: listTechniquesByMembers,
}

func listGroups(ctx context.Context, q queries, m members, a args) ([]group, error) {
	if m.scope.Kind == CampaignScope { // the owner of each group is needed for IdentityCount
		return inMemberChunks(ctx, q, listTechniquesByEachMember, m, a)
	}
	return groupsByScope.read(ctx, q, m, a)
}

// listFleetGroups reads from the table or index with the fewest rows to scan.
func listFleetGroups(ctx context.Context, q queries, a args) ([]group, error) {
	switch {
	case !a.set:
		return listTechniqueCounts(ctx, q, a)
	case a.windowed() && !a.oneTechnique():
		return listDistinctTechniquesByTime(ctx, q, a)
	}
	return listDistinctTechniques(ctx, q, a)
}
