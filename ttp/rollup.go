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

func (o *rollupOptions) apply(opts []RollupOption) (bounds, error) {
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
	const op = "list techniques by campaign"
	var o rollupOptions
	b, err := o.apply(opts)
	if err != nil {
		return nil, s.fail(ctx, op, err)
	}
	return inSnapshot(ctx, s, op, OfCampaign(id), b, func(q queries, a asked) ([]CampaignTechniqueRow, error) {
		rows, err := rollUp(ctx, q, a, o.distinct)
		if err != nil {
			return nil, err
		}
		identities, err := q.campaignIdentities(ctx, a)
		return campaignRollup(rows, identities), err
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
	var o rollupOptions
	b, err := o.apply(opts)
	if err != nil {
		return nil, s.fail(ctx, op, err)
	}
	read := func(q queries, a asked) ([]TechniqueRollupRow, error) { return rollUp(ctx, q, a, o.distinct) }
	if o.distinct {
		return inSnapshot(ctx, s, op, scope, b, read)
	}
	return inScope(ctx, s, op, scope, b, read)
}

// rollUp makes the rows of a rollup, in their order.
func rollUp(ctx context.Context, q queries, a asked, distinct bool) ([]TechniqueRollupRow, error) {
	groups, err := groupsOf(ctx, q, a)
	if err != nil {
		return nil, err
	}
	folded := fold(groups)
	if distinct {
		count := q.countScopeDistinct
		if a.fleet() {
			count = q.countDistinct
		}
		counts, err := count(ctx, a)
		if err != nil {
			return nil, err
		}
		for _, row := range folded {
			row.Distinct = &DistinctCounts{}
		}
		for _, c := range counts {
			// In a caller's transaction, the second statement may see more than the first.
			if row := folded[c.technique]; row != nil {
				*row.Distinct = c.DistinctCounts
			}
		}
	}
	return sorted(folded), nil
}

// groupsOf reads by the index that has the least to read.
func groupsOf(ctx context.Context, q queries, a asked) ([]group, error) {
	switch {
	case a.IdentityUUID != nil:
		return q.techniquesByIdentity(ctx, a)
	case a.AttackerUUID != nil:
		return q.techniquesByAttacker(ctx, a)
	case a.CampaignUUID != nil:
		return q.techniquesByCampaign(ctx, a)
	case a.SessionID.Valid:
		return q.techniquesBySession(ctx, a)
	case a.bounds == everything:
		return q.techniqueCounts(ctx)
	case a.windowed() && !a.oneTechnique():
		return q.techniquesByTime(ctx, a)
	}
	return q.techniques(ctx, a)
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
		sqlitegen.ListTechniquesByCampaignRow | mysqlgen.ListTechniquesByCampaignRow |
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

// identityCount is how many identities of a campaign show a technique.
type identityCount struct {
	technique  techniqueKey
	identities int64
}

type identityCountRow interface {
	sqlitegen.CountCampaignIdentitiesRow | mysqlgen.CountCampaignIdentitiesRow
}

func toIdentityCount[R identityCountRow](row R) identityCount {
	r := sqlitegen.CountCampaignIdentitiesRow(row)
	return identityCount{techniqueKey(r.Technique), r.Identities}
}

// fold adds the groups up to one row a technique.
func fold(groups []group) map[techniqueKey]*TechniqueRollupRow {
	rows := make(map[techniqueKey]*TechniqueRollupRow, len(groups))
	for _, g := range groups {
		key := g.key.technique()
		row := rows[key]
		if row == nil {
			row = &TechniqueRollupRow{FirstSeen: toTime(g.firstSeen), LastSeen: toTime(g.lastSeen)}
			row.TechniqueID, row.SubTechniqueID = key.ids()
			rows[key] = row
		}
		row.add(g)
	}
	return rows
}

// sorted are the rows in the order of a rollup.
func sorted(folded map[techniqueKey]*TechniqueRollupRow) []TechniqueRollupRow {
	rows := make([]TechniqueRollupRow, 0, len(folded))
	for _, row := range folded {
		row.finish()
		rows = append(rows, *row)
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

func campaignRollup(rows []TechniqueRollupRow, identities []identityCount) []CampaignTechniqueRow {
	counts := make(map[[2]string]int64, len(identities))
	for _, c := range identities {
		technique, sub := c.technique.ids()
		counts[[2]string{technique, sub}] = c.identities
	}
	out := make([]CampaignTechniqueRow, len(rows))
	for i, row := range rows {
		out[i] = CampaignTechniqueRow{row, counts[[2]string{row.TechniqueID, row.SubTechniqueID}]}
	}
	return out
}
