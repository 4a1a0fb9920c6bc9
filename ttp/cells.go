package ttp

import (
	"cmp"
	"context"
	"slices"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/matrix"
)

// Cells counts the scope's tags by release, technique or sub-technique, and tactic, in that order; releases are
// ordered by domain and version. The tags are those that [Store.Rollup] counts. Cells have no Rules, and
// [CountDistinct] is refused with [ErrInvalidQuery], since the store counts distinct actors by technique alone.
func (s *Store) Cells(ctx context.Context, scope Scope, opts ...RollupOption) ([]matrix.Cell, error) {
	op := about("cells of", scope.String())
	var o rollupOptions
	b, err := o.apply(opts)
	if err == nil && o.distinct {
		var c checker
		c.refuse("distinct", "must not be set: cells have no distinct counts")
		err = c.queryError()
	}
	if err != nil {
		return nil, s.fail(ctx, op, err)
	}
	return inScope(ctx, s, op, scope, b, func(ctx context.Context, q queries, m members, a args) ([]matrix.Cell, error) {
		groups, err := groupsByScope.read(ctx, q, m, a)
		return toCells(groups), err
	})
}

// toCells adds up the groups of the same key.
func toCells(groups []group) []matrix.Cell {
	slices.SortFunc(groups, compareCells)
	cells := make([]matrix.Cell, 0, len(groups))
	for i, g := range groups {
		if i == 0 || groups[i-1].key != g.key {
			cells = append(cells, matrix.Cell{Release: g.key.release(), Pair: g.key.pair()})
		}
		cells[len(cells)-1].Add(matrix.Cell{
			Count: g.tags, FirstSeen: toTime(g.firstSeen), LastSeen: toTime(g.lastSeen), ConfidenceMax: g.confidenceMax,
		})
	}
	return cells
}

// compareCells orders by release, technique, sub-technique and tactic.
func compareCells(a, b group) int {
	return cmp.Or(cmp.Compare(a.key%tacticUnit, b.key%tacticUnit), cmp.Compare(a.key, b.key))
}

// pair returns the technique or sub-technique and the tactic.
func (k groupKey) pair() attack.Pair {
	technique, sub := k.technique().ids()
	return attack.Pair{Technique: cmp.Or(sub, technique), Tactic: k.tactic()}
}
