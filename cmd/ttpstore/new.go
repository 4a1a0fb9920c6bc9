package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newNewCommand() *cobra.Command {
	var scope [1]ttp.Scope
	var asJSON *bool
	var filter *filterFlags
	var release *asOf
	cmd := &cobra.Command{
		Use:   "new SCOPE --since TIME",
		Short: "List techniques new to a scope",
		Long: `List the techniques and sub-techniques whose first tag in a scope is at or after --since, earliest first.
` + scopeHelp + `

The other filter flags also apply to the tags before --since.`,
		Example: `  ttpstore new fleet --since 24h
  ttpstore new campaign 27b9630e-70f3-513e-b7aa-1f4f8ca1f251 --since 7d --min-confidence 0.7`,
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
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				rows, err := store.NewTechniques(ctx, scope[0], since, matching, release.options()...)
				if err != nil {
					return err
				}
				if *asJSON {
					return printJSON(cmd, rows)
				}
				return newRollup(ttp.FleetScope, rows).print(cmd, tableFormat, "no new techniques")
			})
		},
	}
	filter, release = addFilter(cmd), addAsOf(cmd)
	cmd.Flag("since").Usage = "only techniques first seen at or after this `time`: RFC 3339, a date, " +
		"or a duration before now such as 24h, 7d or 2w; required"
	asJSON = addJSON(cmd)
	return cmd
}
