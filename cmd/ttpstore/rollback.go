package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newRollbackCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollback",
		Short: "Remove the tags of a rule or a batch",
		Example: `  ttpstore rollback rule R1001 --version 2 --since 7d --dry-run
  ttpstore rollback rule R1001 --tombstone --reason "matches our own scanner"
  ttpstore rollback batch 0199c2a4-7b1e-7c3a-9d55-2f0e8a6b1c4d --yes`,
	}
	cmd.AddCommand(newRollbackRuleCommand(), newRollbackBatchCommand())
	return cmd
}

func newRollbackRuleCommand() *cobra.Command {
	var flags *removalFlags
	var filter *filterFlags
	cmd := &cobra.Command{
		Use:   "rule ID",
		Short: "Remove the tags of a rule",
		Long: `Remove the tags of a rule, by default of all its versions. The filter flags
select among them. Without --since or --until, the command reads all tags.

` + removalHelp,
		Args: func(cmd *cobra.Command, args []string) error {
			err := arguments("ID")(cmd, args)
			if err == nil && args[0] == "" {
				err = errors.New("the argument ID must not be empty")
			}
			return err
		},
		ValidArgsFunction: completeOnly(seenRules),
		RunE: func(cmd *cobra.Command, args []string) error {
			rule := filter.filter()
			rule.RuleID = args[0]
			return flags.run(cmd, func(_ context.Context, store *ttp.Store) (removal, error) {
				return removal{
					remove: func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
						return store.RollbackRule(ctx, rule, opts...)
					},
					filter:  ttp.Filter{Since: rule.Since, Until: rule.Until},
					whyNone: func(ctx context.Context) (string, error) { return whyEmpty(ctx, store, ttp.Fleet(), rule) },
				}, nil
			})
		},
	}
	filter = addFilterWithoutRule(cmd)
	cmd.Flags().Func("version", "only tags of this `version` of the rule", filter.setRuleVersion)
	must(cmd.RegisterFlagCompletionFunc("version", cobra.NoFileCompletions))
	flags = addRemoval(cmd)
	return cmd
}

func newRollbackBatchCommand() *cobra.Command {
	var id uuid.UUID
	var flags *removalFlags
	cmd := &cobra.Command{
		Use:   "batch ID",
		Short: "Remove the tags of a batch",
		Long: `Remove the tags of a batch: those written by one call of a service, or by one
transaction of an import. "ttpstore tag" prints the id of a tag's batch, and
"ttpstore tags --json" prints it as "batch_uuid". The command reads all tags.

` + removalHelp,
		Args: func(cmd *cobra.Command, args []string) error {
			err := arguments("ID")(cmd, args)
			if err == nil {
				id, err = parseID("ID", args[0])
			}
			return err
		},
		ValidArgsFunction: completeOnly(recentBatches),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.run(cmd, func(_ context.Context, store *ttp.Store) (removal, error) {
				return removal{
					remove: func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
						return store.RollbackBatch(ctx, id, opts...)
					},
					whyNone: func(context.Context) (string, error) { return fmt.Sprintf("no tag has batch %s", id), nil },
				}, nil
			})
		},
	}
	flags = addRemoval(cmd)
	return cmd
}
