package main

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newPhasesCommand() *cobra.Command {
	var id uuid.UUID
	var asJSON *bool
	var filter *filterFlags
	cmd := &cobra.Command{
		Use:   "phases ID",
		Short: "List when each decky saw each tactic of an identity",
		Long: `List when each decky saw each tactic of an identity and the identities merged into it, in order of time and
without repetitions. Tags without a decky are left out.`,
		Example: `  ttpstore phases e1292c78-2e52-5857-ae79-bbc6fe89e0c2
  ttpstore phases e1292c78-2e52-5857-ae79-bbc6fe89e0c2 --decky decky-ssh-01 --json`,
		Args:              takeID(&id),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				phases, err := store.ListPhases(ctx, id, filter.filter())
				if err != nil {
					return err
				}
				return printRows(cmd, *asJSON, []column[ttp.Phase]{
					textColumn("DECKY", func(p ttp.Phase) string { return p.DeckyID }),
					textColumn("TACTIC", func(p ttp.Phase) string { return p.Tactic }),
					timeColumn("OBSERVED AT", func(p ttp.Phase) time.Time { return p.ObservedAt }),
				}, phases)
			})
		},
	}
	asJSON = addJSON(cmd)
	filter = addFilter(cmd)
	return cmd
}
