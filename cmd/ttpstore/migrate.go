package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newMigrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Create, update and inspect the database schema",
		Example: `  ttpstore migrate up
  ttpstore migrate status --json`,
	}
	cmd.AddCommand(newMigrateUpCommand(), newMigrateStatusCommand(), newMigrateDownCommand(), newMigrateForceCommand(),
		newMigrateViewsCommand())
	return cmd
}

func newMigrateUpCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Migrate the schema to the latest version",
		Long: `Migrate the schema to the version that this program needs. A missing SQLite file
is created, and an interrupted migration is completed. A database with another
product's tables of the same names is refused and not changed.

The command is idempotent, and several processes can run it at the same time.
--print prints the SQL instead, for administrators who create the schema by
hand with sqlite3 -bail (3.43 or newer) or mysql.`,
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return changeSchema(cmd, func(ctx context.Context, store *ttp.Store) error { return store.Migrate(ctx) })
		},
	}
	addPrint(cmd)
	return cmd
}

func newMigrateStatusCommand() *cobra.Command {
	var out *output
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the schema version",
		Long: `Show the schema version of the database, the latest version known to this
program, and whether a migration was interrupted. The command changes nothing
and does not create a missing file. The exit status is 0 in every state.`,
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				return showSchema(ctx, cmd, store, out)
			})
		},
	}
	out = addOutput(cmd)
	return cmd
}

func newMigrateViewsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "views",
		Short: "Create views for other programs",
		Long: `Create or replace the views for programs such as sqlite3, Grafana and Metabase:
ttp_tag_view, ttp_attacker_view, ttp_identity_view and ttp_campaign_view. Ids
are text, times are in ISO 8601, and columns have the names of the JSON keys.`,
		Example: `  ttpstore migrate views
  sqlite3 ttpstore.db 'SELECT tactic, count(*) FROM ttp_tag_view GROUP BY 1'`,
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				names, err := store.CreateViews(ctx)
				if err == nil {
					notef(cmd.ErrOrStderr(), "created views %s\n", strings.Join(names, ", "))
				}
				return err
			})
		},
	}
}

func newMigrateDownCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "down VERSION",
		Short: "Migrate the schema to an earlier version; loses data",
		Long: `Migrate the schema down to an earlier version. Data that the earlier version
cannot store is lost; version 0 drops all tables. The command counts the tags
and asks for confirmation unless --yes is given.`,
		Example:           `  ttpstore migrate down 0 --yes`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args:              schemaVersionArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			version, err := parseSchemaVersion(args[0])
			if err != nil {
				return err
			}
			return changeSchema(cmd, func(ctx context.Context, store *ttp.Store) error {
				if !yes {
					if err := confirmDown(ctx, cmd, store, version); err != nil {
						return err
					}
				}
				return store.MigrateDown(ctx, version)
			})
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask for confirmation")
	return cmd
}

func newMigrateForceCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "force VERSION",
		Short: "Set the recorded schema version after a failed migration",
		Long: `Set the recorded schema version without running a migration. Use this only if
the schema is dirty and "ttpstore migrate up" cannot complete the failed
migration. Migrations can be repeated after a partial run: set the version
before the failed one, then run "ttpstore migrate up".`,
		Example: `  ttpstore migrate force 0
  ttpstore migrate up`,
		Args:              schemaVersionArgument,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			version, err := parseSchemaVersion(args[0])
			if err != nil {
				return err
			}
			return changeSchema(cmd, func(ctx context.Context, store *ttp.Store) error {
				return store.ForceSchemaVersion(ctx, version)
			})
		},
	}
}

func schemaVersionArgument(cmd *cobra.Command, args []string) error {
	if err := arguments("VERSION")(cmd, args); err != nil {
		return err
	}
	_, err := parseSchemaVersion(args[0])
	return err
}

func parseSchemaVersion(arg string) (int, error) {
	version, err := strconv.Atoi(arg)
	if err != nil || version < 0 {
		return 0, fmt.Errorf("the argument VERSION must be a whole number, at least 0, not %q", arg)
	}
	return version, nil
}

// changeSchema runs a change and prints the schema version before and after it.
func changeSchema(cmd *cobra.Command, change func(context.Context, *ttp.Store) error) error {
	return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
		before, err := store.SchemaStatus(ctx)
		if err != nil {
			return err
		}
		if err := change(ctx, store); err != nil {
			return err
		}
		after, err := store.SchemaStatus(ctx)
		if err != nil {
			return err
		}
		if before == after {
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "schema unchanged at version %d\n", after.Version)
		} else {
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "schema migrated from version %s to %d\n", schemaVersion(before), after.Version)
		}
		return err
	})
}

func schemaVersion(status ttp.SchemaStatus) string {
	if status.Dirty {
		return strconv.Itoa(status.Version) + " (dirty)"
	}
	return strconv.Itoa(status.Version)
}

// confirmDown asks for confirmation of a migration down. It returns an error without a terminal.
func confirmDown(ctx context.Context, cmd *cobra.Command, store *ttp.Store, version int) error {
	n, err := store.CountTags(ctx, ttp.Fleet(), ttp.Filter{})
	tags := count(n, "tag")
	switch {
	case errors.Is(err, ttp.ErrSchemaMissing):
		return nil // nothing to lose
	case errors.Is(err, ttp.ErrSchemaOld): // whose tags cannot be counted
		tags = "an unknown number of tags"
	case err != nil:
		return err
	}
	loss := "drops all tables and " + tags
	if version > 0 {
		loss = fmt.Sprintf("loses data that version %d cannot store, from a database of %s", version, tags)
	}
	if !isTerminal(cmd.InOrStdin()) {
		return fmt.Errorf("this %s: standard input is not a terminal, confirm with --yes", loss)
	}
	return confirm(ctx, cmd, fmt.Sprintf("This %s. Continue?", loss))
}

func showSchema(ctx context.Context, cmd *cobra.Command, store *ttp.Store, o *output) error {
	status, err := store.SchemaStatus(ctx)
	if err != nil {
		return err
	}
	return printObject(cmd, o, status, func(display) [][2]string {
		state := "up to date"
		if err := status.Err(); err != nil {
			state = advise(cmd, err.Error())
		}
		return [][2]string{
			{"version", strconv.Itoa(status.Version)}, {"latest", strconv.Itoa(status.Latest)},
			{"dirty", strconv.FormatBool(status.Dirty)}, {"state", state},
		}
	})
}
