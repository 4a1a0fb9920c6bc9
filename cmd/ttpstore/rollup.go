package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newRollupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollup",
		Short: "Count the tags of a scope by technique",
		Long: `Group the tags of an identity, an attacker, a campaign, a session or the whole
fleet by technique and sub-technique. Each row has the number of tags, their
tactics, the times of the first and last one, and the highest confidence. Rows
are ordered by the number of tags, highest first.

"rollup attackers" and "rollup identities" print a rollup of each attacker or
identity.`,
		Example: `  ttpstore rollup fleet --since 7d
  ttpstore rollup session 66ffcc176598 --json
  ttpstore rollup campaign "Copper Heron" -o csv --distinct
  ttpstore rollup attackers --technique T1110 --sub-techniques`,
	}
	cmd.AddCommand(
		newScopeRollupCommand("identity ID", "Roll up the tags of an identity and of those merged into it"),
		newScopeRollupCommand("attacker ID", "Roll up the tags of an attacker"),
		newScopeRollupCommand("campaign ID", "Roll up the tags of a campaign"),
		newScopeRollupCommand("session ID", "Roll up the tags of a login session"),
		newScopeRollupCommand("fleet", "Roll up all tags"),
		newSweepCommand("attackers", "Roll up the tags of each attacker", (*ttp.Store).AttackerRollups),
		newSweepCommand("identities", "Roll up the tags of each identity", (*ttp.Store).IdentityRollups),
	)
	return cmd
}

func newScopeRollupCommand(use, short string) *cobra.Command {
	var scope [1]scopeArg
	var filter *filterFlags
	var release *asOf
	var out *output
	var distinct, confidence bool
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args: func(cmd *cobra.Command, args []string) error {
			return takeScopes(scope[:])(cmd, append([]string{cmd.Name()}, args...))
		},
		ValidArgsFunction: completeScopeOfName,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options := release.options(ttp.Where(filter.filter()))
			if distinct {
				options = append(options, ttp.CountDistinct())
			}
			return withScope(cmd, scope[0], func(ctx context.Context, store *ttp.Store, scope ttp.Scope) error {
				if confidence {
					return printConfidences(ctx, cmd, store, out, scope, filter.filter())
				}
				rows, err := store.Rollup(ctx, scope, options...)
				if err != nil {
					return err
				}
				columns := append(rollupColumns(out.display(cmd), distinct), release.columns()...)
				return printFound(ctx, cmd, store, out, columns, stream(rows), scope, filter.filter())
			})
		},
	}
	cmd.Flags().BoolVar(&distinct, "distinct", false, "also count distinct sources, attackers and identities; slower")
	cmd.Flags().BoolVar(&confidence, "confidence", false, "print the distribution of confidence in steps of 0.1 instead")
	out = addOutput(cmd)
	filter, release = addFilter(cmd), addAsOf(cmd)
	exclusive(cmd, "distinct", "confidence")
	exclusive(cmd, "as-of", "confidence")
	return cmd
}

// completeScopeOfName completes with the scopes of the kind that the command is named after.
func completeScopeOfName(cmd *cobra.Command, args []string, start string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if cmd.Name() == fleet || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return fromStore(cmd, scopeNames(ttp.ScopeKind(cmd.Name()), start))
}

func rollupColumns(d display, distinct bool) []column[ttp.TechniqueRollupRow] {
	type row = ttp.TechniqueRollupRow
	columns := []column[row]{
		textColumn("TECHNIQUE", rowTechnique),
		textColumn("TACTIC", func(r row) string { return d.tactics(r.Tactics) }),
		countColumn("COUNT", func(r row) int64 { return r.Count }),
		dayColumn(d, "FIRST SEEN", func(r row) time.Time { return r.FirstSeen }),
		dayColumn(d, "LAST SEEN", func(r row) time.Time { return r.LastSeen }),
		confidenceColumn("CONF", func(r row) float64 { return r.ConfidenceMax }),
		textColumn("NAMES FROM", func(r row) string { return r.NamesFrom }),
		optionalColumn("IDENTITIES", func(r row) int64 { return r.IdentityCount }), // of a campaign
	}
	if distinct {
		extra(columns[3:6]...) // the times and the confidence
		columns = append(columns[:len(columns)-1],
			countColumn("SOURCES", func(r row) int64 { return r.Distinct.Sources }),
			countColumn("ATTACKERS", func(r row) int64 { return r.Distinct.Attackers }),
			countColumn("IDENTITIES", func(r row) int64 { return r.Distinct.Identities }))
	}
	return columns
}
