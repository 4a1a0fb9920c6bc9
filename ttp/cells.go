package ttp

import (
	"cmp"
	"context"
	"slices"

	"github.com/decnet/ttpstore/matrix"
)

// Cells counts the scope's tags by release, technique or sub-technique, and tactic, in that order; releases are
// ordered by domain and version. The tags are those that [Store.Rollup] counts. With [AsOf], the cells are of one
// release, except that cells without a place in it keep their own.
func (s *Store) Cells(ctx context.Context, scope Scope, opts ...RollupOption) ([]matrix.Cell, error) {
	op := about("cells of", scope.String())
	var c checker
	scope.check(&c)
	r, err := s.rollup(ctx, op, &c, opts)
	if err != nil {
		return nil, err
	}
	return inScope(ctx, s, op, scope, r.rows(), r.filter, r.readCells)
}

func (r rollup) readCells(ctx context.Context, q queries, m members, a args) ([]matrix.Cell, error) {
	groups, err := groupsByScope.read(ctx, q, m, a)
	if err != nil {
		return nil, err
	}
	r.translation.place(groups)
	cells, keyOfCell := toCells(groups), func(g group) groupKey { return g.key }
	if r.distinct {
		counts, err := countDistinct(ctx, q, m, a, groups, keyOfCell)
		if err != nil {
			return nil, err
		}
		for i := range cells {
			d := matrix.Distinct(*counts[pairKey(cells[i].Pair, cells[i].Release)])
			cells[i].Distinct = &d
		}
	}
	if r.rules {
		rules, err := rulesOf(ctx, q, m, a, groups, keyOfCell)
		if err != nil {
			return nil, err
		}
		for i := range cells {
			cells[i].Rules = rules[pairKey(cells[i].Pair, cells[i].Release)]
		}
	}
	return cells, nil
}

// toCells adds up the groups of the same key.
func toCells(groups []group) []matrix.Cell {
	slices.SortFunc(groups, compareCells)
	cells := make([]matrix.Cell, 0, len(groups))
	for i, g := range groups {
		if i == 0 || groups[i-1].key != g.key {
			cells = append(cells, matrix.Cell{Release: g.key.release(), Pair: g.key.pair()})
		}
		cell := &cells[len(cells)-1]
		cell.Add(matrix.Cell{
			Count: g.tags, FirstSeen: toTime(g.firstSeen), LastSeen: toTime(g.lastSeen), ConfidenceMax: g.confidenceMax,
		})
		if g.verdict != "" {
			cell.Origins = addOrigin(cell.Origins, g)
		}
	}
	return cells
}

// compareCells orders by release, technique, sub-technique and tactic, then by the key of the tags.
func compareCells(a, b group) int {
	return cmp.Or(cmp.Compare(a.key%tacticUnit, b.key%tacticUnit), cmp.Compare(a.key, b.key), cmp.Compare(a.tagKey(), b.tagKey()))
}
