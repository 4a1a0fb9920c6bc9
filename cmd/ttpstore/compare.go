package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newCompareCommand() *cobra.Command {
	var scopes [2]scopeArg
	var out *output
	var filter *filterFlags
	var release *asOf
	cmd := &cobra.Command{
		Use:   "compare SCOPE SCOPE",
		Short: "Compare the techniques of two scopes",
		Long: `List the techniques and sub-techniques that two scopes share, then those found
in only one of them.

` + scopeHelp,
		Example: `  ttpstore compare campaign "Copper Heron" campaign "Glass Harbour"
  ttpstore compare identity e1292c78 fleet --since 7d --json`,
		Args:              takeScopes(scopes[:]),
		ValidArgsFunction: completeScopes(2),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withScopes(cmd, scopes[:], func(ctx context.Context, store *ttp.Store, found []ttp.Scope) error {
				comparison, err := store.Compare(ctx, found[0], found[1], filter.filter(), release.options()...)
				if err != nil {
					return err
				}
				rows := comparedRows(comparison)
				if err := printDocument(cmd, out, comparison, rows, func(d display) string {
					return drawComparison(d, scopes, rows)
				}); err != nil || len(rows) > 0 {
					return err
				}
				for _, scope := range found {
					if err := noteEmpty(ctx, cmd, store, scope, filter.filter()); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	out = addOutput(cmd)
	filter, release = addFilter(cmd), addAsOf(cmd)
	return cmd
}

// comparedRow is a technique of one or both scopes.
type comparedRow struct {
	In string `json:"in"` // shared, only_a or only_b
	ttp.SharedTechnique
}

func (r comparedRow) either() ttp.TechniqueRollupRow {
	if r.In == "only_b" {
		return r.B
	}
	return r.A
}

func comparedRows(c ttp.Comparison) []comparedRow {
	var rows []comparedRow
	for _, shared := range c.Shared {
		rows = append(rows, comparedRow{"shared", shared})
	}
	for _, a := range c.OnlyA {
		rows = append(rows, comparedRow{"only_a", ttp.SharedTechnique{A: a}})
	}
	for _, b := range c.OnlyB {
		rows = append(rows, comparedRow{"only_b", ttp.SharedTechnique{B: b}})
	}
	return rows
}

func drawComparison(d display, scopes [2]scopeArg, rows []comparedRow) string {
	if len(rows) == 0 {
		return ""
	}
	var text strings.Builder
	fmt.Fprintf(&text, "A is %s\nB is %s\n", scopes[0], scopes[1])
	for _, section := range []struct{ title, in string }{{"shared", "shared"}, {"only A", "only_a"}, {"only B", "only_b"}} {
		of := slices.DeleteFunc(slices.Clone(rows), func(r comparedRow) bool { return r.In != section.in })
		fmt.Fprintf(&text, "\n%s: %s\n", section.title, count(len(of), "technique"))
		if len(of) > 0 {
			text.WriteString(renderTable(d, comparedColumns(d), of))
		}
	}
	return text.String()
}

func comparedColumns(d display) []column[comparedRow] {
	return append([]column[comparedRow]{
		textColumn("TECHNIQUE", func(r comparedRow) string { return rowTechnique(r.either()) }),
		optionalColumn("COUNT A", func(r comparedRow) int64 { return r.A.Count }),
		optionalColumn("COUNT B", func(r comparedRow) int64 { return r.B.Count }),
	}, extra(
		dayColumn(d, "FIRST SEEN", func(r comparedRow) time.Time { return firstOf(r.A.FirstSeen, r.B.FirstSeen) }),
		dayColumn(d, "LAST SEEN", func(r comparedRow) time.Time { return lastOf(r.A.LastSeen, r.B.LastSeen) }),
	)...)
}

// firstOf returns the earlier time, ignoring zero times.
func firstOf(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func lastOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
