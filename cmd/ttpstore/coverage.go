package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/matrix"
	"github.com/decnet/ttpstore/ttp"
)

func newCoverageCommand() *cobra.Command {
	var scope [1]scopeArg
	var out *output
	var filter *filterFlags
	var release *asOf
	cmd := &cobra.Command{
		Use:   "coverage SCOPE",
		Short: "Count the techniques of each tactic seen in a scope",
		Long: `For each tactic, count the techniques and sub-techniques seen in a scope, and
all techniques and sub-techniques of the tags' ATT&CK release or of --as-of. A
technique counts as seen if any of its sub-techniques was seen.

` + scopeHelp,
		Example: `  ttpstore coverage fleet --release 18.1
  ttpstore coverage campaign "Copper Heron" -o csv`,
		Args:              takeScopes(scope[:]),
		ValidArgsFunction: completeScopes(1),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withScope(cmd, scope[0], func(ctx context.Context, store *ttp.Store, scope ttp.Scope) error {
				cells, err := store.Cells(ctx, scope, release.options(ttp.Where(filter.filter()))...)
				if err != nil {
					return err
				}
				catalogue, err := store.Catalogue(ctx)
				if err != nil {
					return err
				}
				matrices, err := release.arrange(catalogue, cells)
				if err != nil {
					return err
				}
				err = printFound(ctx, cmd, store, out, coverageColumns(len(matrices) > 1), stream(coverageRows(matrices)), scope, filter.filter())
				if err == nil {
					noteUnplaced(cmd, matrices)
				}
				return err
			})
		},
	}
	out = addOutput(cmd)
	filter, release = addFilter(cmd), addAsOf(cmd)
	return cmd
}

// coverageRow is the coverage of a tactic of a release.
type coverageRow struct {
	Release            string `json:"release"`
	Tactic             string `json:"tactic"`
	TacticName         string `json:"tactic_name"`
	Techniques         int    `json:"techniques"`
	KnownTechniques    int    `json:"known_techniques"`
	SubTechniques      int    `json:"sub_techniques"`
	KnownSubTechniques int    `json:"known_sub_techniques"`
}

func coverageRows(matrices []matrix.Matrix) []coverageRow {
	var rows []coverageRow
	for _, m := range matrices {
		for _, c := range m.Columns {
			n := c.Coverage()
			rows = append(rows, coverageRow{m.Release.Name, c.ID, c.Name, n.Techniques, n.KnownTechniques, n.Subs, n.KnownSubs})
		}
	}
	return rows
}

func coverageColumns(releases bool) []column[coverageRow] {
	const room = 10
	columns := []column[coverageRow]{
		textColumn("TACTIC", func(r coverageRow) string { return r.Tactic + " " + r.TacticName }),
		countColumn("TECHNIQUES", func(r coverageRow) int { return r.Techniques }),
		countColumn("OF", func(r coverageRow) int { return r.KnownTechniques }),
		drawnColumn("", func(r coverageRow) string { return bar(int64(r.Techniques), max(1, int64(r.KnownTechniques)), room) }),
		countColumn("SUBS", func(r coverageRow) int { return r.SubTechniques }),
		countColumn("OF", func(r coverageRow) int { return r.KnownSubTechniques }),
	}
	if releases {
		columns = append([]column[coverageRow]{textColumn("RELEASE", func(r coverageRow) string { return r.Release })}, columns...)
	}
	return columns
}

// noteUnplaced reports on standard error the tags with a technique or tactic that their release does not have.
func noteUnplaced(cmd *cobra.Command, matrices []matrix.Matrix) {
	for _, m := range matrices {
		for _, u := range m.Unplaced {
			notef(cmd.ErrOrStderr(), "not counted: %s under %s, %s: %s\n", u.Technique, u.Tactic, count(u.Count, "tag"), u.Reason)
		}
	}
}
