package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/matrix"
	"github.com/decnet/ttpstore/ttp"
)

// readCells sums up the tags of a scope by release, technique and tactic. It asks for each release and tactic alone,
// since the rows of a rollup merge them.
func readCells(ctx context.Context, store *ttp.Store, scope ttp.Scope, f ttp.Filter, opts ...ttp.RollupOption) ([]matrix.Cell, error) {
	rows, err := store.Rollup(ctx, scope, ttp.Where(f))
	if err != nil {
		return nil, err
	}
	var cells []matrix.Cell
	for _, group := range groups(rows) {
		f.Release, f.Tactic = group.release, group.tactic
		rows, err := store.Rollup(ctx, scope, append(opts, ttp.Where(f))...)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			cells = append(cells, newCell(group.release, group.tactic, row))
		}
	}
	return cells, nil
}

func newCell(release, tactic string, row ttp.TechniqueRollupRow) matrix.Cell {
	cell := matrix.Cell{
		Release: release, Pair: attack.Pair{Technique: cmp.Or(row.SubTechniqueID, row.TechniqueID), Tactic: tactic},
		Count: row.Count, FirstSeen: row.FirstSeen, LastSeen: row.LastSeen, ConfidenceMax: row.ConfidenceMax,
	}
	if d := row.Distinct; d != nil {
		cell.Distinct = &matrix.Distinct{Sources: d.Sources, Attackers: d.Attackers, Identities: d.Identities}
	}
	return cell
}

// group is a tactic of a release.
type group struct{ release, tactic string }

// groups returns all tactics that the rows may hold, sorted.
func groups(rows []ttp.TechniqueRollupRow) []group {
	var all []group
	for _, row := range rows {
		for _, release := range row.Releases {
			for _, tactic := range row.Tactics {
				all = append(all, group{release, tactic.Tactic})
			}
		}
	}
	slices.SortFunc(all, func(a, b group) int {
		return cmp.Or(cmp.Compare(a.release, b.release), cmp.Compare(a.tactic, b.tactic))
	})
	return slices.Compact(all)
}
