package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newCompareCommand() *cobra.Command {
	var scopes [2]ttp.Scope
	var asJSON *bool
	var filter *filterFlags
	var release *asOf
	cmd := &cobra.Command{
		Use:   "compare SCOPE SCOPE",
		Short: "Compare the techniques of two scopes",
		Long: `List the techniques and sub-techniques that two scopes share, then those found in only one of them.
` + scopeHelp,
		Example: `  ttpstore compare identity e1292c78-2e52-5857-ae79-bbc6fe89e0c2 identity d748add8-5d1f-54c0-9eb3-960f73e8e8e7
  ttpstore compare campaign 27b9630e-70f3-513e-b7aa-1f4f8ca1f251 fleet --since 7d --json`,
		Args:              takeScopes(scopes[:]),
		ValidArgsFunction: completeScopes(2),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				comparison, err := store.Compare(ctx, scopes[0], scopes[1], filter.filter(), release.options()...)
				if err != nil {
					return err
				}
				if *asJSON {
					return printJSON(cmd, comparison)
				}
				return printComparison(cmd, scopes, comparison)
			})
		},
	}
	asJSON = addJSON(cmd)
	filter, release = addFilter(cmd), addAsOf(cmd)
	return cmd
}

func printComparison(cmd *cobra.Command, scopes [2]ttp.Scope, c ttp.Comparison) error {
	if len(c.Shared)+len(c.OnlyA)+len(c.OnlyB) == 0 {
		notef(cmd.ErrOrStderr(), "no tags\n")
		return nil
	}
	onlyA, onlyB := newRollup(ttp.FleetScope, c.OnlyA), newRollup(ttp.FleetScope, c.OnlyB)
	_, err := io.WriteString(cmd.OutOrStdout(), fmt.Sprintf("A is %s\nB is %s\n", scopes[0], scopes[1])+
		section("shared", sharedColumns(), c.Shared)+
		section("only A", onlyA.columns(), onlyA.rows)+
		section("only B", onlyB.columns(), onlyB.rows))
	return err
}

// section renders a heading followed by a table, which is omitted if there are no rows.
func section[T any](title string, columns []column[T], rows []T) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s: %s\n", title, count(len(rows), "technique"))
	if len(rows) > 0 {
		b.WriteString(renderTable(columns, rows))
	}
	return b.String()
}

func sharedColumns() []column[ttp.SharedTechnique] {
	return []column[ttp.SharedTechnique]{
		textColumn("TECHNIQUE", func(s ttp.SharedTechnique) string { return s.A.TechniqueID }),
		textColumn("SUB-TECHNIQUE", func(s ttp.SharedTechnique) string { return s.A.SubTechniqueID }),
		textColumn("NAME", func(s ttp.SharedTechnique) string { return cmp.Or(s.A.SubTechniqueName, s.A.TechniqueName) }),
		countColumn("COUNT A", func(s ttp.SharedTechnique) int64 { return s.A.Count }),
		countColumn("COUNT B", func(s ttp.SharedTechnique) int64 { return s.B.Count }),
		timeColumn("FIRST SEEN A", func(s ttp.SharedTechnique) time.Time { return s.A.FirstSeen }),
		timeColumn("FIRST SEEN B", func(s ttp.SharedTechnique) time.Time { return s.B.FirstSeen }),
		timeColumn("LAST SEEN A", func(s ttp.SharedTechnique) time.Time { return s.A.LastSeen }),
		timeColumn("LAST SEEN B", func(s ttp.SharedTechnique) time.Time { return s.B.LastSeen }),
	}
}
