package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// ruleOrder is an order of the rules.
type ruleOrder string

const (
	ruleByID         ruleOrder = "id"
	ruleByCount      ruleOrder = "count"
	ruleByConfidence ruleOrder = "confidence"
	ruleByLast       ruleOrder = "last"
)

func newRulesCommand() *cobra.Command {
	var out *output
	var filter *filterFlags
	order := ruleByID
	orders := choice[ruleOrder]{&order, []ruleOrder{ruleByID, ruleByCount, ruleByConfidence, ruleByLast}}
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "List the rules with statistics of their tags",
		Long: `For each version of a rule, list the number of tags, the numbers of distinct
techniques and sub-techniques, sources, attackers and identities, the lowest,
mean and highest confidence, and the times of the first and last tag. The
command reads every matching tag.

--sort count lists the most tags first, --sort confidence the lowest mean
confidence, and --sort last the most recent tag.`,
		Example: `  ttpstore rules --since 7d --sort count
  ttpstore rules --rule R1001 --json`,
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				rules, err := store.ListRules(ctx, filter.filter())
				if err != nil {
					return err
				}
				sortRules(rules, order)
				return printFound(ctx, cmd, store, out, ruleColumns(out.display(cmd)), stream(rules), ttp.Fleet(), filter.filter())
			})
		},
	}
	cmd.Flags().Var(orders, "sort", "sort by `id|count|confidence|last`")
	must(cmd.RegisterFlagCompletionFunc("sort", orders.complete))
	out = addOutput(cmd)
	filter = addFilter(cmd)
	return cmd
}

// sortRules sorts rules. Those of equal rank keep their order by id and version.
func sortRules(rules []ttp.RuleStats, order ruleOrder) {
	slices.SortStableFunc(rules, func(a, b ttp.RuleStats) int {
		switch order {
		case ruleByCount:
			return cmp.Compare(b.Count, a.Count)
		case ruleByConfidence:
			return cmp.Compare(a.ConfidenceMean, b.ConfidenceMean)
		case ruleByLast:
			return b.LastSeen.Compare(a.LastSeen)
		}
		return 0
	})
}

func ruleColumns(d display) []column[ttp.RuleStats] {
	type row = ttp.RuleStats
	return slices.Concat([]column[row]{
		textColumn("RULE", func(r row) string { return r.RuleID }),
		countColumn("VERSION", func(r row) int { return r.RuleVersion }),
		countColumn("COUNT", func(r row) int64 { return r.Count }),
		confidenceColumn("MIN", func(r row) float64 { return r.ConfidenceMin }),
		confidenceColumn("MEAN", func(r row) float64 { return r.ConfidenceMean }),
		confidenceColumn("MAX", func(r row) float64 { return r.ConfidenceMax }),
		countColumn("TECHNIQUES", func(r row) int64 { return r.Techniques }),
		countColumn("ATTACKERS", func(r row) int64 { return r.Attackers }),
		dayColumn(d, "LAST SEEN", func(r row) time.Time { return r.LastSeen }),
	}, extra(
		countColumn("SOURCES", func(r row) int64 { return r.Sources }),
		countColumn("IDENTITIES", func(r row) int64 { return r.Identities }),
		dayColumn(d, "FIRST SEEN", func(r row) time.Time { return r.FirstSeen }),
	))
}
