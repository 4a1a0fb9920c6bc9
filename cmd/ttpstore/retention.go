package main

import (
	"context"
	"errors"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newRetentionCommand() *cobra.Command {
	var keep time.Duration
	var flags *removalFlags
	cmd := &cobra.Command{
		Use:   "retention --keep DURATION",
		Short: "Remove tags older than a given age",
		Long: `Remove the tags that are older than --keep, by the time of observation.
Campaigns, identities and attackers are kept.

` + removalHelp,
		Example: `  ttpstore retention --keep 90d --dry-run
  ttpstore retention --keep 3y --yes --json`,
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     cobra.NoFileCompletions,
		Args: func(cmd *cobra.Command, args []string) error {
			err := arguments()(cmd, args)
			if err == nil && keep == 0 {
				err = errors.New("missing flag --keep")
			}
			return err
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.run(cmd, func(ctx context.Context, store *ttp.Store) (removal, error) {
				expired := ttp.Filter{Until: time.Now().Add(-keep).UTC()}
				err := noteExpired(ctx, cmd, store, expired)
				return removal{
					remove: func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
						return store.ExpireTags(ctx, keep, opts...)
					},
					filter: expired,
				}, err
			})
		},
	}
	const usage = "keep tags observed within this `duration` before now, such as 24h, 90d or 3y; required"
	cmd.Flags().Func("keep", usage, func(s string) (err error) {
		if keep, err = parseDuration(s); err != nil || keep == 0 {
			return errors.New("must be a positive duration such as 24h, 90d or 3y, at most " + longestDuration)
		}
		return nil
	})
	must(cmd.RegisterFlagCompletionFunc("keep",
		cobra.FixedCompletions([]string{"90d", "26w", "1y"}, cobra.ShellCompDirectiveNoFileComp)))
	flags = addRemoval(cmd)
	return cmd
}

// noteExpired reports on standard error the cutoff time and how many of all tags are older.
func noteExpired(ctx context.Context, cmd *cobra.Command, store *ttp.Store, expired ttp.Filter) error {
	all, err := store.CountTags(ctx, ttp.Fleet(), ttp.Filter{})
	if err != nil {
		return err
	}
	n, err := store.CountTags(ctx, ttp.Fleet(), expired)
	if err != nil {
		return err
	}
	part := ""
	if n == all && n > 0 {
		part = " (all)"
	}
	notef(cmd.ErrOrStderr(), "observed before %s: %s of %s%s\n",
		expired.Until.Format(time.RFC3339), humanize.Comma(n), count(all, "tag"), part)
	return nil
}
