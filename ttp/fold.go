package ttp

import (
	"cmp"
	"slices"
	"strings"

	"github.com/google/uuid"

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
}

type groupRow interface {
	sqlitegen.ListTechniquesBySessionRow | mysqlgen.ListTechniquesBySessionRow |
		sqlitegen.ListTechniquesByMembersRow | mysqlgen.ListTechniquesByMembersRow |
		sqlitegen.ListTechniqueCountsRow | mysqlgen.ListTechniqueCountsRow |
		sqlitegen.ListDistinctTechniquesRow | mysqlgen.ListDistinctTechniquesRow |
		sqlitegen.ListDistinctTechniquesByTimeRow | mysqlgen.ListDistinctTechniquesByTimeRow
}

func toGroup[R groupRow](row R) group {
	r := sqlitegen.ListDistinctTechniquesRow(row)
	return group{uuid.Nil, groupKey(r.TechniqueKey), r.Tags, r.FirstSeen, r.LastSeen, r.ConfidenceMax}
}

func toMemberGroup[R sqlitegen.ListTechniquesByEachMemberRow | mysqlgen.ListTechniquesByEachMemberRow](row R) group {
	r := sqlitegen.ListTechniquesByEachMemberRow(row)
	return group{toID(r.UUID), groupKey(r.TechniqueKey), r.Tags, r.FirstSeen, r.LastSeen, r.ConfidenceMax}
}

// foldedRow is a rollup row whose releases and tactics are not sorted yet.
type foldedRow struct {
	technique techniqueKey
	TechniqueRollupRow
}

// fold sorts the groups and sums them into one row per technique.
func fold(groups []group, m members) []foldedRow {
	slices.SortFunc(groups, func(a, b group) int { return cmp.Compare(a.key, b.key) })
	rows := make([]foldedRow, 0, len(groups))
	identities := map[uuid.UUID]bool{}
	for _, g := range groups {
		if n := len(rows); n == 0 || rows[n-1].technique != g.key.technique() {
			row := foldedRow{technique: g.key.technique()}
			row.FirstSeen, row.LastSeen = toTime(g.firstSeen), toTime(g.lastSeen)
			row.TechniqueID, row.SubTechniqueID = row.technique.ids()
			rows = append(rows, row)
			clear(identities)
		}
		row := &rows[len(rows)-1]
		row.add(g)
		if m.scope.Kind == CampaignScope {
			identities[cmp.Or(m.survivors[g.owner], g.owner)] = true
			row.IdentityCount = int64(len(identities))
		}
	}
	return rows
}

// sorted finishes the rows and returns them in rollup order.
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

// compareIDs orders a technique before its sub-techniques.
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
