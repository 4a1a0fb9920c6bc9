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
		sqlitegen.ListDistinctTechniquesByTimeRow | mysqlgen.ListDistinctTechniquesByTimeRow
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
		sqlitegen.ListTechniquesBySurvivorRow | mysqlgen.ListTechniquesBySurvivorRow
}

func toMemberGroup[R ownedGroupRow](row R) group {
	r := sqlitegen.ListTechniquesByEachMemberRow(row)
	return group{
		owner: toID(r.UUID), key: groupKey(r.TechniqueKey), tags: r.Tags,
		firstSeen: r.FirstSeen, lastSeen: r.LastSeen, confidenceMax: r.ConfidenceMax,
	}
}

// foldedRow is a rollup row that is not finished yet.
type foldedRow struct {
	rowKey
	TechniqueRollupRow
	newest []groupKey // of each of Tactics, the release digits of the newest release
}

// fold sorts the groups and sums them into one row per technique.
func fold(groups []group, m members, c *catalogue) []foldedRow {
	slices.SortFunc(groups, compareGroups)
	rows := make([]foldedRow, 0, len(groups))
	identities := map[uuid.UUID]bool{}
	for _, g := range groups {
		if n := len(rows); n == 0 || rows[n-1].rowKey != g.row() {
			row := foldedRow{rowKey: g.row()}
			row.FirstSeen, row.LastSeen = toTime(g.firstSeen), toTime(g.lastSeen)
			row.TechniqueID, row.SubTechniqueID = row.technique.ids()
			rows = append(rows, row)
			clear(identities)
		}
		row := &rows[len(rows)-1]
		row.add(g, c)
		if m.scope.Kind == CampaignScope {
			identities[cmp.Or(m.survivors[g.owner], g.owner)] = true
			row.IdentityCount = int64(len(identities))
		}
	}
	return rows
}

// compareGroups orders groups by row, then by the key of their tags.
func compareGroups(a, b group) int {
	return cmp.Or(cmp.Compare(a.key.technique(), b.key.technique()), cmp.Compare(outside(a.verdict), outside(b.verdict)),
		cmp.Compare(a.tagKey(), b.tagKey()))
}

// sorted finishes the rows and returns them in rollup order, with names from the catalogue.
func sorted(folded []foldedRow, c *catalogue) []TechniqueRollupRow {
	rows := make([]TechniqueRollupRow, len(folded))
	for i := range folded {
		rows[i] = folded[i].finish(c)
	}
	slices.SortFunc(rows, func(a, b TechniqueRollupRow) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), compareIDs(a, b))
	})
	return rows
}

// compareIDs orders a technique before its sub-techniques, and with AsOf a row of the release before others.
func compareIDs(a, b TechniqueRollupRow) int {
	return cmp.Or(strings.Compare(a.TechniqueID, b.TechniqueID), strings.Compare(a.SubTechniqueID, b.SubTechniqueID),
		cmp.Compare(outside(a.Verdict), outside(b.Verdict)))
}

func (r *foldedRow) add(g group, c *catalogue) {
	r.Count += g.tags
	if first := toTime(g.firstSeen); first.Before(r.FirstSeen) {
		r.FirstSeen = first
	}
	if last := toTime(g.lastSeen); last.After(r.LastSeen) {
		r.LastSeen = last
	}
	r.ConfidenceMax = max(r.ConfidenceMax, g.confidenceMax)
	r.Releases = append(r.Releases, g.tagKey().release())
	if g.verdict != "" {
		r.Verdict = greaterChange(r.Verdict, g.verdict)
		r.Origins = addOrigin(r.Origins, g)
	}
	tactic := g.key.tactic()
	i := slices.IndexFunc(r.Tactics, func(t TacticCount) bool { return t.Tactic == tactic })
	if i < 0 {
		i = len(r.Tactics)
		r.Tactics, r.newest = append(r.Tactics, TacticCount{Tactic: tactic}), append(r.newest, 0)
	}
	r.Tactics[i].Count += g.tags
	r.newest[i] = c.newer(r.newest[i], g.key%tacticUnit, tactic, "", "")
}

// finish sorts the row's lists and names its IDs. A tactic takes its name from the newest release of its tags, and the
// technique from the newest release of the most frequent tactic's tags.
func (r *foldedRow) finish(c *catalogue) TechniqueRollupRow {
	for i := range r.Tactics {
		r.Tactics[i].Name = c.names(r.newest[i].release(), r.Tactics[i].Tactic, "", "").TacticName
	}
	slices.Sort(r.Releases)
	r.Releases = slices.Compact(r.Releases)
	order := func(a, b TacticCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Tactic, b.Tactic))
	}
	r.Tactic = slices.MinFunc(r.Tactics, order).Tactic
	first := slices.IndexFunc(r.Tactics, func(t TacticCount) bool { return t.Tactic == r.Tactic })
	r.Names = c.names(r.newest[first].release(), r.Tactic, r.TechniqueID, r.SubTechniqueID)
	slices.SortFunc(r.Tactics, order)
	return r.TechniqueRollupRow
}
