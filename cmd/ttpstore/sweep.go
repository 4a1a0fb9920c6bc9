package main

import (
	"context"
	"iter"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// newSweepCommand returns a subcommand of rollup that rolls up every scope of a kind.
func newSweepCommand(format *format, use, short, scope string,
	rollups func(*ttp.Store, context.Context, ttp.Filter, ...ttp.RollupOption) iter.Seq2[ttp.ScopeRollup, error],
) *cobra.Command {
	var filter *filterFlags
	var release *asOf
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Long: short + `, ordered by id.
Scopes without matching tags are left out. The JSON output is JSON Lines, one object per scope; the other
formats have the id in each row. Memory use does not depend on the size of the store.`,
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				found := rollups(store, ctx, filter.filter(), release.options()...)
				switch *format {
				case jsonFormat:
					return streamJSON(cmd, found)
				case csvFormat:
					columns := []column[rollupRow]{
						textColumn("kind", func(row rollupRow) string { return string(row.scope.Kind) }),
						textColumn("id", func(row rollupRow) string { return row.scope.ID() }),
					}
					return streamCSV(cmd, append(columns, rollup{asOf: *release != ""}.csvColumns()...), scopedRows(found))
				}
				columns := []column[rollupRow]{textColumn(scope, func(row rollupRow) string { return row.scope.ID() })}
				return streamTable(cmd, append(columns, rollup{asOf: *release != ""}.columns()...), scopedRows(found), "no tags")
			})
		},
	}
	filter, release = addFilter(cmd), addAsOf(cmd)
	return cmd
}

// scopedRows returns the rows of all rollups, each with its scope.
func scopedRows(rollups iter.Seq2[ttp.ScopeRollup, error]) iter.Seq2[rollupRow, error] {
	return func(yield func(rollupRow, error) bool) {
		for found, err := range rollups {
			if err != nil {
				yield(rollupRow{}, err)
				return
			}
			for _, row := range newRollup(found.Kind, found.Techniques).rows {
				row.scope = found.Scope
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}
