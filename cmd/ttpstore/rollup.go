package main

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// rollupQuery asks for one scope's rows.
type rollupQuery func(ctx context.Context, store *ttp.Store, id string) (rollup, error)

func newRollupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollup",
		Short: "Sum up the tags of a scope by technique",
		Long: `Sum up the tags of an identity, an attacker, a campaign, a session or the whole fleet by technique and
sub-technique, the most frequent first. An id that nothing is stored for has no tags, which is no error.`,
		Example: `  ttpstore rollup fleet
  ttpstore rollup session 761201169d5f --format json
  ttpstore rollup campaign 27b9630e-70f3-513e-b7aa-1f4f8ca1f251 --format csv`,
	}
	format := tableFormat
	cmd.PersistentFlags().Var(&format, "format", "print `table|json|csv`")
	must(cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formatNames(), cobra.ShellCompDirectiveNoFileComp)))
	cmd.AddCommand(
		newScopeCommand(&format, "identity ID", "The tags of an identity and of those merged into it", byUUID((*ttp.Store).ListTechniquesByIdentity)),
		newScopeCommand(&format, "attacker ID", "The tags that name an attacker", byUUID((*ttp.Store).ListTechniquesByAttacker)),
		newScopeCommand(&format, "campaign ID", "The tags of all identities of a campaign, and how many show each", byCampaign),
		newScopeCommand(&format, "session ID", "The tags of one login session", bySession),
		newScopeCommand(&format, "fleet", "All tags", byFleet),
	)
	return cmd
}

func newScopeCommand(format *format, use, short string, query rollupQuery) *cobra.Command {
	scope, argument, _ := strings.Cut(use, " ")
	return &cobra.Command{
		Use:               use,
		Short:             short,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args: func(cmd *cobra.Command, args []string) error {
			if argument == "" {
				return arguments()(cmd, args)
			}
			if err := arguments(argument)(cmd, args); err != nil {
				return err
			}
			return checkScopeID(scope, args[0])
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				rows, err := query(ctx, store, strings.Join(args, ""))
				if err != nil {
					return err
				}
				return rows.print(cmd.OutOrStdout(), cmd.ErrOrStderr(), *format)
			})
		},
	}
}

// checkScopeID refuses an id that no scope of the kind can have.
func checkScopeID(scope, id string) error {
	if scope == "session" {
		if id == "" {
			return errors.New("the argument ID must not be empty")
		}
		return nil
	}
	_, err := parseID(id)
	return err
}

func byUUID(list func(*ttp.Store, context.Context, uuid.UUID, ...ttp.RollupOption) ([]ttp.TechniqueRollupRow, error)) rollupQuery {
	return func(ctx context.Context, store *ttp.Store, arg string) (rollup, error) {
		id, err := parseID(arg)
		if err != nil {
			return rollup{}, err
		}
		rows, err := list(store, ctx, id)
		return techniqueRollup(rows), err
	}
}

func byCampaign(ctx context.Context, store *ttp.Store, arg string) (rollup, error) {
	id, err := parseID(arg)
	if err != nil {
		return rollup{}, err
	}
	rows, err := store.ListTechniquesByCampaign(ctx, id)
	return campaignRollup(rows), err
}

func bySession(ctx context.Context, store *ttp.Store, id string) (rollup, error) {
	rows, err := store.ListTechniquesBySession(ctx, id)
	return techniqueRollup(rows), err
}

func byFleet(ctx context.Context, store *ttp.Store, _ string) (rollup, error) {
	rows, err := store.ListDistinctTechniques(ctx)
	return techniqueRollup(rows), err
}
