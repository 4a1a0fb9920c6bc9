package conformance

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/matrix"
	"github.com/decnet/ttpstore/ttp"
)

var cellCases = []testCase{
	{name: "CellsAreOrderedByVersion", run: cellsAreOrderedByVersion},
}

func cellsAreOrderedByVersion(t *testing.T, db *database) {
	s := db.store(t)
	for i, release := range []string{"mobile-v9.0", "enterprise-v18.1", "ics-v9.0", "enterprise-v9.0"} {
		insert(t, s, newTag(fmt.Sprint(i), func(tag *ttp.Tag) { tag.AttackRelease = release }))
	}
	var got []string
	for _, cell := range must[[]matrix.Cell](t)(s.Cells(context.Background(), ttp.Fleet())) {
		got = append(got, cell.Release)
	}
	equal(t, "releases", got, []string{"enterprise-v9.0", "enterprise-v18.1", "ics-v9.0", "mobile-v9.0"})
}

// pairOf returns the technique or sub-technique of a tag and its tactic.
func pairOf(tag ttp.Tag) attack.Pair {
	return attack.Pair{Technique: cmp.Or(tag.SubTechniqueID, tag.TechniqueID), Tactic: tag.Tactic}
}

func (m *model) checkCells(rt *rapid.T, s *ttp.Store, scope ttp.Scope, f ttp.Filter, wanted func(ttp.Tag) bool) {
	want := []matrix.Cell{}
	for _, tag := range m.tags {
		if !wanted(tag) {
			continue
		}
		i := slices.IndexFunc(want, func(c matrix.Cell) bool { return c.Release == tag.AttackRelease && c.Pair == pairOf(tag) })
		if i < 0 {
			i, want = len(want), append(want, matrix.Cell{Release: tag.AttackRelease, Pair: pairOf(tag)})
		}
		want[i].Add(matrix.Cell{Count: 1, FirstSeen: tag.ObservedAt, LastSeen: tag.ObservedAt, ConfidenceMax: tag.Confidence})
	}
	slices.SortFunc(want, func(a, b matrix.Cell) int { // sorting as text is right for the model's releases
		return cmp.Or(strings.Compare(a.Release, b.Release), strings.Compare(a.Technique, b.Technique), strings.Compare(a.Tactic, b.Tactic))
	})
	ctx, cells := context.Background(), must[[]matrix.Cell](rt)
	equal(rt, fmt.Sprint("cells of ", scope), cells(s.Cells(ctx, scope, ttp.Where(f))), want)
	for i, cell := range want {
		distinct := matrix.Distinct(*m.distinct(func(tag ttp.Tag) bool {
			return wanted(tag) && tag.AttackRelease == cell.Release && pairOf(tag) == cell.Pair
		}))
		want[i].Distinct = &distinct
		for _, tag := range m.tags {
			if wanted(tag) && tag.AttackRelease == cell.Release && pairOf(tag) == cell.Pair && !slices.Contains(want[i].Rules, tag.RuleID) {
				want[i].Rules = append(want[i].Rules, tag.RuleID)
			}
		}
		slices.Sort(want[i].Rules)
	}
	equal(rt, fmt.Sprint("whole cells of ", scope), cells(s.Cells(ctx, scope, ttp.Where(f), ttp.CountDistinct(), ttp.WithRules())), want)
}
