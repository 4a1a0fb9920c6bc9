package ttp

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listDistinctTechniques       = many((*sqlitegen.Queries).ListDistinctTechniques, (*mysqlgen.Queries).ListDistinctTechniques, toGroup, toGroup)
	listDistinctTechniquesByTime = many((*sqlitegen.Queries).ListDistinctTechniquesByTime, (*mysqlgen.Queries).ListDistinctTechniquesByTime, toGroup, toGroup)
	listTechniquesByIdentity     = many((*sqlitegen.Queries).ListTechniquesByIdentity, (*mysqlgen.Queries).ListTechniquesByIdentity, toGroup, toGroup)
	listTechniquesByAttacker     = many((*sqlitegen.Queries).ListTechniquesByAttacker, (*mysqlgen.Queries).ListTechniquesByAttacker, toGroup, toGroup)
	listTechniquesByCampaign     = many((*sqlitegen.Queries).ListTechniquesByCampaign, (*mysqlgen.Queries).ListTechniquesByCampaign, toCampaignGroup, toCampaignGroup)
	listTechniquesBySession      = many((*sqlitegen.Queries).ListTechniquesBySession, (*mysqlgen.Queries).ListTechniquesBySession, toGroup, toGroup)
	countDistinct                = many((*sqlitegen.Queries).CountDistinct, (*mysqlgen.Queries).CountDistinct, toDistinctCount, toDistinctCount)
	countScopeDistinct           = many((*sqlitegen.Queries).CountScopeDistinct, (*mysqlgen.Queries).CountScopeDistinct, toDistinctCount, toDistinctCount)
)

// TechniqueRollupRow sums up the tags of one scope that show one (sub-)technique.
type TechniqueRollupRow struct {
	TechniqueID string `json:"technique_id"`
	// TechniqueName, SubTechniqueName and MitreURL come from an ATT&CK catalogue; they are empty when
	// none is loaded.
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
	// Distinct is filled in only with [CountDistinct].
	Distinct *DistinctCounts `json:"distinct,omitempty"`
}

// DistinctCounts are how many of each kind show a technique.
type DistinctCounts struct {
	Sources   int64 `json:"sources"` // pairs of source kind and source id
	Attackers int64 `json:"attackers"`
	// Identities counts the merged ones as their survivor; a tag that names no identity counts for the
	// one that its attacker has.
	Identities int64 `json:"identities"`
}

// IdentityTechniqueRow is a row of the rollups of one identity, attacker or session.
type IdentityTechniqueRow = TechniqueRollupRow

// CampaignTechniqueRow is a row of the rollup of a campaign.
type CampaignTechniqueRow struct {
	TechniqueRollupRow
	// IdentityCount is the number of the campaign's identities that show the technique; merged ones
	// count as the one they are merged into.
	IdentityCount int64 `json:"identity_count"`
}

// TacticCount is the number of tags that name a tactic.
type TacticCount struct {
	Tactic string `json:"tactic"`
	Count  int64  `json:"count"`
}

// RollupOption changes what a rollup counts.
type RollupOption func(*rollupOptions)

type rollupOptions struct {
	filter   Filter
	distinct bool
}

// Where rolls up only the tags that match the filter; of several filters, the last.
func Where(f Filter) RollupOption { return func(o *rollupOptions) { o.filter = f } }

// CountDistinct also counts the distinct sources, attackers and identities of each technique. It reads
// every tag's row, not the index alone.
func CountDistinct() RollupOption { return func(o *rollupOptions) { o.distinct = true } }

func (o *rollupOptions) apply(opts []RollupOption) (filterArgs, error) {
	for _, option := range opts {
		option(o)
	}
	return o.filter.checked()
}

// ListTechniquesByIdentity rolls up the tags of an identity and of all identities merged into it, each
// tag once. A tag belongs to the identity that it names, or else to the one that its attacker has now.
// Asked for a merged identity, it answers for the survivor.
func (s *Store) ListTechniquesByIdentity(ctx context.Context, id uuid.UUID, opts ...RollupOption) ([]IdentityTechniqueRow, error) {
	return s.rollup(ctx, "list techniques by identity", OfIdentity(id), opts)
}

// ListTechniquesByAttacker rolls up the tags that name the attacker. Tags that only an identity has are
// not among them.
func (s *Store) ListTechniquesByAttacker(ctx context.Context, id uuid.UUID, opts ...RollupOption) ([]IdentityTechniqueRow, error) {
	return s.rollup(ctx, "list techniques by attacker", OfAttacker(id), opts)
}

// ListTechniquesByCampaign rolls up the tags of all identities whose survivor is in the campaign or in
// one merged into it: the union of the rollups of its identities. Asked for a merged campaign, it
// answers for the survivor.
func (s *Store) ListTechniquesByCampaign(ctx context.Context, id uuid.UUID, opts ...RollupOption) ([]CampaignTechniqueRow, error) {
	return rollUpIn(ctx, s, "list techniques by campaign", OfCampaign(id), opts, func(q queries, a args, distinct bool) ([]CampaignTechniqueRow, error) {
		parts, err := listTechniquesByCampaign(ctx, q, a)
		if err != nil {
			return nil, err
		}
		rows, err := rowsOf(ctx, q, a, groupsOfCampaign(parts), distinct)
		return campaignRollup(rows, parts), err
	})
}

// ListTechniquesBySession rolls up the tags of one login session.
func (s *Store) ListTechniquesBySession(ctx context.Context, id string, opts ...RollupOption) ([]IdentityTechniqueRow, error) {
	return s.rollup(ctx, "list techniques by session", OfSession(id), opts)
}

// ListDistinctTechniques rolls up all tags of the fleet.
func (s *Store) ListDistinctTechniques(ctx context.Context, opts ...RollupOption) ([]TechniqueRollupRow, error) {
	return s.rollup(ctx, "list distinct techniques", Fleet(), opts)
}

func (s *Store) rollup(ctx context.Context, op string, scope Scope, opts []RollupOption) ([]TechniqueRollupRow, error) {
	return rollUpIn(ctx, s, op, scope, opts, func(q queries, a args, distinct bool) ([]TechniqueRollupRow, error) {
		return rollUp(ctx, q, a, distinct)
	})
}

// rollUpIn reads a rollup: by one statement, unless what is distinct is counted, too.
func rollUpIn[T any](ctx context.Context, s *Store, op string, scope Scope, opts []RollupOption,
	read func(q queries, a args, distinct bool) (T, error),
) (T, error) {
	var o rollupOptions
	b, err := o.apply(opts)
	if err != nil {
		var none T
		return none, s.fail(ctx, op, err)
	}
	in := inScope[T]
	if o.distinct {
		in = inSnapshot[T]
	}
	return in(ctx, s, op, scope, b, func(q queries, a args) (T, error) { return read(q, a, o.distinct) })
}

// rollUp makes the rows of a rollup, in their order.
func rollUp(ctx context.Context, q queries, a args, distinct bool) ([]TechniqueRollupRow, error) {
	groups, err := groupsOf(ctx, q, a)
	if err != nil {
		return nil, err
	}
	return rowsOf(ctx, q, a, groups, distinct)
}

// rowsOf are the rows of a rollup whose groups are read.
func rowsOf(ctx context.Context, q queries, a args, groups []group, distinct bool) ([]TechniqueRollupRow, error) {
	folded := fold(groups)
	if distinct {
		count := countScopeDistinct
		if a.fleet() {
			count = countDistinct
		}
		counts, err := count(ctx, q, a)
		if err != nil {
			return nil, err
		}
		byTechnique := make(map[techniqueKey]*DistinctCounts, len(counts))
		for _, c := range counts {
			byTechnique[c.technique] = &c.DistinctCounts
		}
		for i := range folded {
			// In a caller's transaction, the second statement may see other tags than the first.
			folded[i].Distinct = cmp.Or(byTechnique[folded[i].technique], &DistinctCounts{})
		}
	}
	return sorted(folded), nil
}

// groupsOf reads by the index that has the least to read.
func groupsOf(ctx context.Context, q queries, a args) ([]group, error) {
	switch {
	case a.IdentityUUID != nil:
		return listTechniquesByIdentity(ctx, q, a)
	case a.AttackerUUID != nil:
		return listTechniquesByAttacker(ctx, q, a)
	case a.CampaignUUID != nil:
		parts, err := listTechniquesByCampaign(ctx, q, a)
		return groupsOfCampaign(parts), err
	case a.SessionID.Valid:
		return listTechniquesBySession(ctx, q, a)
	case !a.set:
		return listTechniqueCounts(ctx, q, args{})
	case a.windowed() && !a.oneTechnique():
		return listDistinctTechniquesByTime(ctx, q, a)
	}
	return listDistinctTechniques(ctx, q, a)
}

// group is the tags of one technique, sub-technique, tactic and release.
type group struct {
	key                 groupKey
	tags                int64
	firstSeen, lastSeen int64 // microseconds
	confidenceMax       float64
}

// groupRow is a row of a rollup's query, as each dialect generates it.
type groupRow interface {
	sqlitegen.ListTechniquesByIdentityRow | mysqlgen.ListTechniquesByIdentityRow |
		sqlitegen.ListTechniquesByAttackerRow | mysqlgen.ListTechniquesByAttackerRow |
		sqlitegen.ListTechniquesBySessionRow | mysqlgen.ListTechniquesBySessionRow |
		sqlitegen.ListTechniqueCountsRow | mysqlgen.ListTechniqueCountsRow |
		sqlitegen.ListDistinctTechniquesRow | mysqlgen.ListDistinctTechniquesRow |
		sqlitegen.ListDistinctTechniquesByTimeRow | mysqlgen.ListDistinctTechniquesByTimeRow
}

func toGroup[R groupRow](row R) group {
	r := sqlitegen.ListDistinctTechniquesRow(row)
	return group{groupKey(r.TechniqueKey), r.Tags, r.FirstSeen, r.LastSeen, r.ConfidenceMax}
}

// distinctCount is what distinctly shows a technique.
type distinctCount struct {
	technique techniqueKey
	DistinctCounts
}

type distinctRow interface {
	sqlitegen.CountDistinctRow | mysqlgen.CountDistinctRow |
		sqlitegen.CountScopeDistinctRow | mysqlgen.CountScopeDistinctRow
}

func toDistinctCount[R distinctRow](row R) distinctCount {
	r := sqlitegen.CountDistinctRow(row)
	return distinctCount{techniqueKey(r.Technique), DistinctCounts{r.Sources, r.Attackers, r.Identities}}
}

// campaignGroup is a group of a campaign or, without tags, how many of its identities show the group's
// technique.
type campaignGroup struct {
	group
	identities int64
}

type campaignGroupRow interface {
	sqlitegen.ListTechniquesByCampaignRow | mysqlgen.ListTechniquesByCampaignRow
}

func toCampaignGroup[R campaignGroupRow](row R) campaignGroup {
	r := sqlitegen.ListTechniquesByCampaignRow(row)
	return campaignGroup{group{groupKey(r.TechniqueKey), r.Tags, r.FirstSeen, r.LastSeen, r.ConfidenceMax}, r.Identities}
}

func groupsOfCampaign(parts []campaignGroup) []group {
	var groups []group
	for _, part := range parts {
		if part.tags > 0 {
			groups = append(groups, part.group)
		}
	}
	return groups
}

// foldedRow is a row of a rollup in the making.
type foldedRow struct {
	technique techniqueKey
	TechniqueRollupRow
}

// fold adds the groups, which it sorts, up to one row a technique.
func fold(groups []group) []foldedRow {
	slices.SortFunc(groups, func(a, b group) int { return cmp.Compare(a.key, b.key) })
	rows := make([]foldedRow, 0, len(groups))
	for _, g := range groups {
		if n := len(rows); n == 0 || rows[n-1].technique != g.key.technique() {
			row := foldedRow{technique: g.key.technique()}
			row.FirstSeen, row.LastSeen = toTime(g.firstSeen), toTime(g.lastSeen)
			row.TechniqueID, row.SubTechniqueID = row.technique.ids()
			rows = append(rows, row)
		}
		rows[len(rows)-1].add(g)
	}
	return rows
}

// sorted are the rows in the order of a rollup.
func sorted(folded []foldedRow) []TechniqueRollupRow {
	rows := make([]TechniqueRollupRow, len(folded))
	for i := range folded {
		rows[i] = folded[i].TechniqueRollupRow
		rows[i].finish()
	}
	slices.SortFunc(rows, func(a, b TechniqueRollupRow) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), compareIDs(a, b))
	})
	return rows
}

// compareIDs puts a technique before its sub-techniques.
func compareIDs(a, b TechniqueRollupRow) int {
	return cmp.Or(strings.Compare(a.TechniqueID, b.TechniqueID), strings.Compare(a.SubTechniqueID, b.SubTechniqueID))
}

func (r *TechniqueRollupRow) add(g group) {
	r.Count += g.tags
	if first := toTime(g.firstSeen); first.Before(r.FirstSeen) {
		r.FirstSeen = first
	}
	if last := toTime(g.lastSeen); last.After(r.LastSeen) {
		r.LastSeen = last
	}
	r.ConfidenceMax = max(r.ConfidenceMax, g.confidenceMax)
	r.Releases = append(r.Releases, g.key.release())
	tactic := g.key.tactic()
	i := slices.IndexFunc(r.Tactics, func(t TacticCount) bool { return t.Tactic == tactic })
	if i < 0 {
		i = len(r.Tactics)
		r.Tactics = append(r.Tactics, TacticCount{Tactic: tactic})
	}
	r.Tactics[i].Count += g.tags
}

func (r *TechniqueRollupRow) finish() {
	slices.Sort(r.Releases)
	r.Releases = slices.Compact(r.Releases)
	slices.SortFunc(r.Tactics, func(a, b TacticCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Tactic, b.Tactic))
	})
	r.Tactic = r.Tactics[0].Tactic
}

func campaignRollup(rows []TechniqueRollupRow, parts []campaignGroup) []CampaignTechniqueRow {
	counts := map[[2]string]int64{}
	for _, part := range parts {
		if part.identities > 0 {
			technique, sub := part.key.technique().ids()
			counts[[2]string{technique, sub}] = part.identities
		}
	}
	out := make([]CampaignTechniqueRow, len(rows))
	for i, row := range rows {
		out[i] = CampaignTechniqueRow{row, counts[[2]string{row.TechniqueID, row.SubTechniqueID}]}
	}
	return out
}
