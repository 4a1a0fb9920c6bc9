package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newWhoCommand() *cobra.Command {
	var kind ttp.ScopeKind
	var asJSON *bool
	var filter *filterFlags
	limit := number{20, 1, ttp.MaxPage}
	cmd := &cobra.Command{
		Use:   "who identity|attacker|campaign|session",
		Short: "List who shows the most tags",
		Long: `List the identities, attackers, campaigns or sessions with the most tags that match the flags, those with
the most first.`,
		Example: `  ttpstore who identity --technique T1110 --sub-techniques
  ttpstore who session --since 24h --tactic TA0010 --limit 5`,
		Args: func(_ *cobra.Command, args []string) error {
			rest, err := takeKind(&kind, scopeKinds(), args)
			if err == nil && len(rest) > 0 {
				err = fmt.Errorf("unexpected argument %q", rest[0])
			}
			return err
		},
		ValidArgsFunction: completeKind(scopeKinds()),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				rows, err := store.Who(ctx, kind, filter.filter(), limit.value)
				if err != nil {
					return err
				}
				return printRows(cmd, *asJSON, []column[ttp.ScopeCount]{
					textColumn("KIND", func(c ttp.ScopeCount) string { return string(c.Kind) }),
					textColumn("ID", func(c ttp.ScopeCount) string { return c.ID() }),
					countColumn("COUNT", func(c ttp.ScopeCount) int64 { return c.Count }),
					timeColumn("FIRST SEEN", func(c ttp.ScopeCount) time.Time { return c.FirstSeen }),
					timeColumn("LAST SEEN", func(c ttp.ScopeCount) time.Time { return c.LastSeen }),
				}, rows)
			})
		},
	}
	cmd.Flags().Var(&limit, "limit", "list at most this `number`")
	must(cmd.RegisterFlagCompletionFunc("limit", cobra.NoFileCompletions))
	asJSON = addJSON(cmd)
	filter = addFilter(cmd)
	return cmd
}
