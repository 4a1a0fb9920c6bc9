package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newNewCommand() *cobra.Command {
	var scope [1]scopeArg
	var out *output
	var filter *filterFlags
	var release *asOf
	cmd := &cobra.Command{
		Use:   "new SCOPE --since TIME",
		Short: "List the techniques first seen since a given time",
		Long: `List the techniques and sub-techniques of a scope that were first seen at or
after --since, earliest first. The other filter flags also apply to the tags
before --since.

` + scopeHelp,
		Example: `  ttpstore new fleet --since 24h
  ttpstore new campaign "Copper Heron" --since 7d --min-confidence 0.7`,
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     completeScopes(1),
		Args: func(cmd *cobra.Command, args []string) error {
			if err := takeScopes(scope[:])(cmd, args); err != nil {
				return err
			}
			if filter.Since.IsZero() {
				return errors.New("missing flag --since")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			matching := filter.filter()
			since := matching.Since
			matching.Since = time.Time{} // earlier tags decide whether a technique is new
			return withScope(cmd, scope[0], func(ctx context.Context, store *ttp.Store, scope ttp.Scope) error {
				rows, err := store.NewTechniques(ctx, scope, since, matching, release.options()...)
				if err != nil {
					return err
				}
				columns := append(rollupColumns(out.display(cmd), false), release.columns()...)
				return printList(cmd, out, columns, stream(rows), "no new techniques")
			})
		},
	}
	out = addOutput(cmd)
	filter, release = addFilter(cmd), addAsOf(cmd)
	cmd.Flag("since").Usage = "only techniques first seen at or after this `time`, such as 7d, \"last week\" or 2026-03-15; required"
	return cmd
}
