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
	{name: "CellsRefuseDistinctCounts", run: cellsRefuseDistinctCounts},
	{name: "CellsAreOrderedByVersion", run: cellsAreOrderedByVersion},
}

func cellsRefuseDistinctCounts(t *testing.T, db *database) {
	s := db.store(t)
	_, err := s.Cells(context.Background(), ttp.Fleet(), ttp.CountDistinct())
	equal(t, "fields", problemFields(t, err), []string{"distinct"})
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
	equal(rt, fmt.Sprint("cells of ", scope), must[[]matrix.Cell](rt)(s.Cells(context.Background(), scope, ttp.Where(f))), want)
}
