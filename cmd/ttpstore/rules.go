package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newRulesCommand() *cobra.Command {
	var asJSON *bool
	var filter *filterFlags
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "Count the tags of each version of each rule",
		Long: `Count the tags, the techniques with their sub-techniques, and the distinct sources, attackers and identities
of each version of each rule. The command reads every matching tag.`,
		Example: `  ttpstore rules --since 7d
  ttpstore rules --rule R1001 --json`,
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				rules, err := store.ListRules(ctx, filter.filter())
				if err != nil {
					return err
				}
				return printRows(cmd, *asJSON, []column[ttp.RuleStats]{
					textColumn("RULE", func(r ttp.RuleStats) string { return r.RuleID }),
					countColumn("VERSION", func(r ttp.RuleStats) int64 { return int64(r.RuleVersion) }),
					countColumn("COUNT", func(r ttp.RuleStats) int64 { return r.Count }),
					countColumn("TECHNIQUES", func(r ttp.RuleStats) int64 { return r.Techniques }),
					countColumn("SOURCES", func(r ttp.RuleStats) int64 { return r.Sources }),
					countColumn("ATTACKERS", func(r ttp.RuleStats) int64 { return r.Attackers }),
					countColumn("IDENTITIES", func(r ttp.RuleStats) int64 { return r.Identities }),
					timeColumn("FIRST SEEN", func(r ttp.RuleStats) time.Time { return r.FirstSeen }),
					timeColumn("LAST SEEN", func(r ttp.RuleStats) time.Time { return r.LastSeen }),
				}, rules)
			})
		},
	}
	asJSON = addJSON(cmd)
	filter = addFilter(cmd)
	return cmd
}
