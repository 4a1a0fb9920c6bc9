package main

import (
	"context"
	"iter"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// namedRollup is the rollup of one of many scopes.
type namedRollup struct {
	ttp.ScopeRollup
	scopeName
}

// scopedRow is a row of the rollup of one of many scopes.
type scopedRow struct {
	ttp.Scope
	scopeName
	ttp.TechniqueRollupRow
}

// newSweepCommand returns a subcommand of rollup that rolls up every scope of a kind.
func newSweepCommand(use, short string,
	rollups func(*ttp.Store, context.Context, ttp.Filter, ...ttp.RollupOption) iter.Seq2[ttp.ScopeRollup, error],
) *cobra.Command {
	var filter *filterFlags
	var release *asOf
	var out *output
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Long: short + `, ordered by id. Scopes without matching tags
are omitted. JSON has an object for each scope; the other formats repeat the
scope in each row. Memory use does not grow with the store.`,
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				found := namedRollups(ctx, store, rollups(store, ctx, filter.filter(), release.options()...))
				switch out.format(cmd) {
				case jsonFormat, jsonLinesFormat:
					return printList(cmd, out, nil, found, "no tags")
				}
				columns := append(rollupColumns(out.display(cmd), false), release.columns()...)
				return printList(cmd, out, scopedColumns(out.display(cmd), columns), scopedRows(found), "no tags")
			})
		},
	}
	out = addOutput(cmd)
	filter, release = addFilter(cmd), addAsOf(cmd)
	return cmd
}

// namedRollups adds the names of their scopes to rollups.
func namedRollups(ctx context.Context, store *ttp.Store, rollups iter.Seq2[ttp.ScopeRollup, error]) iter.Seq2[namedRollup, error] {
	return inPages(rollups, func(page []ttp.ScopeRollup) ([]namedRollup, error) {
		if len(page) == 0 {
			return nil, nil
		}
		ids := make([]uuid.UUID, len(page))
		for i, r := range page {
			ids[i] = r.UUID
		}
		names, err := nameScopes(ctx, store, page[0].Kind, ids)
		rows := make([]namedRollup, len(page))
		for i, r := range page {
			rows[i] = namedRollup{r, names[r.UUID]}
		}
		return rows, err
	})
}

func scopedColumns(d display, rollup []column[ttp.TechniqueRollupRow]) []column[scopedRow] {
	columns := []column[scopedRow]{
		idColumn(d, "SCOPE", func(r scopedRow) uuid.UUID { return r.UUID }),
		textColumn("IP", func(r scopedRow) string { return r.ip() }),
	}
	for _, c := range rollup {
		columns = append(columns, column[scopedRow]{
			name: c.name, number: c.number, uncut: c.uncut, extra: c.extra,
			text: func(r scopedRow) string { return c.text(r.TechniqueRollupRow) },
		})
	}
	return columns
}

// scopedRows returns the rows of all rollups, each with the scope.
func scopedRows(rollups iter.Seq2[namedRollup, error]) iter.Seq2[scopedRow, error] {
	return func(yield func(scopedRow, error) bool) {
		for found, err := range rollups {
			if err != nil {
				yield(scopedRow{}, err)
				return
			}
			for _, row := range found.Techniques {
				if !yield(scopedRow{found.Scope, found.scopeName, row}, nil) {
					return
				}
			}
		}
	}
}
