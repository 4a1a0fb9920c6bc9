package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newWhoCommand() *cobra.Command {
	var kind ttp.ScopeKind
	var asJSON *bool
	var filter *filterFlags
	limit := number{20, 0, math.MaxInt}
	cmd := &cobra.Command{
		Use:   "who identity|attacker|campaign|session",
		Short: "List the scopes with the most tags",
		Long: `List the identities, attackers, campaigns or sessions with the most matching tags, most first. If --limit
leaves some out, a note on standard error gives the total.`,
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
				rows, err := store.Who(ctx, kind, filter.filter(), 0)
				if err != nil {
					return err
				}
				all := len(rows)
				if limit.value > 0 {
					rows = rows[:min(limit.value, all)]
				}
				err = printRows(cmd, *asJSON, []column[ttp.ScopeCount]{
					textColumn("KIND", func(c ttp.ScopeCount) string { return string(c.Kind) }),
					textColumn("ID", func(c ttp.ScopeCount) string { return c.ID() }),
					countColumn("COUNT", func(c ttp.ScopeCount) int64 { return c.Count }),
					timeColumn("FIRST SEEN", func(c ttp.ScopeCount) time.Time { return c.FirstSeen }),
					timeColumn("LAST SEEN", func(c ttp.ScopeCount) time.Time { return c.LastSeen }),
				}, rows)
				if err == nil && len(rows) < all {
					notef(cmd.ErrOrStderr(), "%d of %d shown; --limit 0 for all\n", len(rows), all)
				}
				return err
			})
		},
	}
	cmd.Flags().Var(&limit, "limit", "list at most this `number`, 0 for all")
	must(cmd.RegisterFlagCompletionFunc("limit", cobra.NoFileCompletions))
	asJSON = addJSON(cmd)
	filter = addFilter(cmd)
	return cmd
}
