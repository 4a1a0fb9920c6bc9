package ttp

import (
	"cmp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

// group holds the counts of the tags of one technique, sub-technique, tactic and release.
type group struct {
	owner               uuid.UUID // the tags' identity or attacker, if the query groups by it
	key                 groupKey
	tags                int64
	firstSeen, lastSeen int64 // microseconds
	confidenceMax       float64
	// With AsOf, key is the group's place, origin the key of its tags, and verdict the result of the mapping.
	origin  groupKey
	verdict attack.Verdict
}

// tagKey returns the key of the group's tags.
func (g group) tagKey() groupKey {
	if g.verdict == "" {
		return g.key
	}
	return g.origin
}

// rowKey identifies a row of a rollup.
type rowKey struct {
	technique techniqueKey
	outside   attack.Verdict // with AsOf, if the row has no place in the release
}

func (g group) row() rowKey { return rowKey{g.key.technique(), outside(g.verdict)} }

type groupRow interface {
	sqlitegen.ListTechniquesBySessionRow | mysqlgen.ListTechniquesBySessionRow |
		sqlitegen.ListTechniquesByMembersRow | mysqlgen.ListTechniquesByMembersRow |
		sqlitegen.ListTechniqueCountsRow | mysqlgen.ListTechniqueCountsRow |
		sqlitegen.ListDistinctTechniquesRow | mysqlgen.ListDistinctTechniquesRow |
		sqlitegen.ListDistinctTechniquesByTimeRow | mysqlgen.ListDistinctTechniquesByTimeRow |
		sqlitegen.ListTechniquesByIdentityRow | mysqlgen.ListTechniquesByIdentityRow |
		sqlitegen.ListTechniquesByAttackerRow | mysqlgen.ListTechniquesByAttackerRow
}

func toGroup[R groupRow](row R) group {
	r := sqlitegen.ListDistinctTechniquesRow(row)
	return group{
		key: groupKey(r.TechniqueKey), tags: r.Tags,
		firstSeen: r.FirstSeen, lastSeen: r.LastSeen, confidenceMax: r.ConfidenceMax,
	}
}

type ownedGroupRow interface {
	sqlitegen.ListTechniquesByEachMemberRow | mysqlgen.ListTechniquesByEachMemberRow |
		sqlitegen.ListTechniquesByCampaignRow | mysqlgen.ListTechniquesByCampaignRow
}

func toMemberGroup[R ownedGroupRow](row R) group {
	r := sqlitegen.ListTechniquesByEachMemberRow(row)
	return group{
		owner: toID(r.UUID), key: groupKey(r.TechniqueKey), tags: r.Tags,
		firstSeen: r.FirstSeen, lastSeen: r.LastSeen, confidenceMax: r.ConfidenceMax,
	}
}

// folding turns the groups of a scope into the rows of a rollup.
type folding struct {
	catalogue *catalogue
	members   members
	distinct  map[rowKey]*DistinctCounts // nil without CountDistinct
	rules     map[rowKey][]string        // nil without WithRules
	names     map[groupKey]string        // of releases, by their digits: a rollup has many rows of few releases
}

// fold sorts the groups and returns one row per technique, by descending Count, then by ID.
func (f folding) fold(groups []group) []TechniqueRollupRow {
	slices.SortFunc(groups, compareGroups)
	sums := sumRows(groups)
	slices.SortStableFunc(sums, func(a, b rowSum) int { return cmp.Compare(b.tags, a.tags) })
	f.names = map[groupKey]string{}
	rows := make([]TechniqueRollupRow, len(sums))
	for i := range rows {
		f.fill(&rows[i], sums[i].groups)
	}
	return rows
}

// rowSum is the number of tags of a row, and its groups.
type rowSum struct {
	tags   int64
	groups []group
}

// sumRows splits sorted groups by row.
func sumRows(groups []group) []rowSum {
	sums := make([]rowSum, 0, min(len(groups), 256)) // a campaign has several groups per technique
	for i, g := range groups {
		if i == 0 || g.row() != groups[i-1].row() {
			sums = append(sums, rowSum{groups: groups[i:i]})
		}
		last := &sums[len(sums)-1]
		last.tags += g.tags
		last.groups = last.groups[:len(last.groups)+1]
	}
	return sums
}

// compareGroups orders groups by row, then by the key of their tags.
func compareGroups(a, b group) int {
	return cmp.Or(cmp.Compare(a.key.technique(), b.key.technique()), cmp.Compare(outside(a.verdict), outside(b.verdict)),
		cmp.Compare(a.tagKey(), b.tagKey()))
}

// compareIDs orders a technique before its sub-techniques, and with AsOf a row of the release before others.
func compareIDs(a, b TechniqueRollupRow) int {
	return cmp.Or(strings.Compare(a.TechniqueID, b.TechniqueID), strings.Compare(a.SubTechniqueID, b.SubTechniqueID),
		cmp.Compare(outside(a.Verdict), outside(b.Verdict)))
}

// fill fills a row from its groups. A tactic takes its name from the newest release of its tags, and the technique from the
// newest release of the most frequent tactic's tags.
func (f folding) fill(row *TechniqueRollupRow, groups []group) {
	key := groups[0].row()
	row.TechniqueID, row.SubTechniqueID = key.technique.ids()
	row.Distinct, row.Rules = f.distinct[key], f.rules[key]
	row.IdentityCount = f.identities(groups)
	first, last := groups[0].firstSeen, groups[0].lastSeen
	var newest []groupKey // of each of Tactics, the digits of the newest release
	for _, g := range groups {
		row.Count += g.tags
		first, last = min(first, g.firstSeen), max(last, g.lastSeen)
		row.ConfidenceMax = max(row.ConfidenceMax, g.confidenceMax)
		if release := f.release(g.tagKey()); !slices.Contains(row.Releases, release) {
			row.Releases = append(row.Releases, release)
		}
		if g.verdict != "" {
			row.Verdict = greaterChange(row.Verdict, g.verdict)
			row.Origins = addOrigin(row.Origins, g)
		}
		tactic := g.key.tactic()
		i := slices.IndexFunc(row.Tactics, func(t TacticCount) bool { return t.Tactic == tactic })
		if i < 0 {
			i = len(row.Tactics)
			row.Tactics, newest = append(row.Tactics, TacticCount{Tactic: tactic}), append(newest, 0)
		}
		row.Tactics[i].Count += g.tags
		newest[i] = f.catalogue.newer(newest[i], g.key%tacticUnit, tactic, "", "")
	}
	row.FirstSeen, row.LastSeen = toTime(first), toTime(last)
	slices.Sort(row.Releases)
	f.name(row, newest)
}

// identities returns the number of identities of a campaign's row, 0 for other scopes.
func (f folding) identities(groups []group) int64 {
	if f.members.scope.Kind != CampaignScope {
		return 0
	}
	identities := map[uuid.UUID]bool{}
	for _, g := range groups {
		identities[cmp.Or(f.members.survivors[g.owner], g.owner)] = true
	}
	return int64(len(identities))
}

// name names the row's IDs and sorts its tactics. For each tactic, releases holds the release that names it.
func (f folding) name(row *TechniqueRollupRow, releases []groupKey) {
	for i := range row.Tactics {
		row.Tactics[i].Name = f.catalogue.names(f.release(releases[i]), row.Tactics[i].Tactic, "", "").TacticName
	}
	order := func(a, b TacticCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Tactic, b.Tactic))
	}
	row.Tactic = slices.MinFunc(row.Tactics, order).Tactic
	first := slices.IndexFunc(row.Tactics, func(t TacticCount) bool { return t.Tactic == row.Tactic })
	row.Names = f.catalogue.names(f.release(releases[first]), row.Tactic, row.TechniqueID, row.SubTechniqueID)
	slices.SortFunc(row.Tactics, order)
}

// release returns the release of a key.
func (f folding) release(key groupKey) string {
	digits := key % tacticUnit
	name, ok := f.names[digits]
	if !ok {
		name = digits.release()
		f.names[digits] = name
	}
	return name
}
