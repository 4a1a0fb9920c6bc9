package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newBackupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Back up a SQLite database to a file",
		Long: `Write a consistent copy of a SQLite database to a new file. Other programs can
read and write the database in the meantime. The copy is a complete database,
readable by its owner only; "ttpstore restore" restores it. An existing file is
not replaced. Back up a MySQL server with its own tools.`,
		Example:           `  ttpstore backup ttp-$(date +%F).db`,
		Args:              namedFile,
		ValidArgsFunction: completeDatabase,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				if err := store.Backup(ctx, args[0]); err != nil {
					return err
				}
				notef(cmd.ErrOrStderr(), "backed up to %s\n", args[0])
				return nil
			})
		},
	}
}

func newRestoreCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Restore a SQLite database from a backup",
		Long: `Create the database of --db from a file written by "ttpstore backup". The
database must not exist. To replace one, stop all programs that use it, and move
it away together with its side files (-wal and -shm). The schema is restored
unchanged: if it is older than this program, run "ttpstore migrate up".`,
		Example:           `  ttpstore --db sqlite://ttp.db restore ttp-2026-03-15.db`,
		Args:              namedFile,
		ValidArgsFunction: completeDatabase,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			path, ok := strings.CutPrefix(chosenDatabase(cmd), "sqlite://")
			if !ok || path == ":memory:" {
				return errors.New("restore: the database must be a SQLite file: set --db sqlite://PATH")
			}
			if isMissing("sqlite://" + args[0]) {
				return errors.New("restore: the backup " + args[0] + " does not exist")
			}
			if !isMissing("sqlite://" + path) {
				return errors.New("restore: " + path + " exists: move it away")
			}
			for _, side := range []string{"-wal", "-shm", "-journal"} {
				if !isMissing("sqlite://" + path + side) {
					return errors.New("restore: " + path + side + " belongs to another database: move it away")
				}
			}
			backup, err := ttp.Open(cmd.Context(), "sqlite://"+args[0])
			if err != nil {
				return restoreError(args[0], err)
			}
			defer func() { err = errors.Join(err, backup.Close()) }()
			if err := backup.Backup(cmd.Context(), path); err != nil {
				return restoreError(args[0], err)
			}
			notef(cmd.ErrOrStderr(), "restored %s\n", path)
			return nil
		},
	}
}

// restoreError returns an error of package ttp with the name of the backup instead of the operation. The advice to
// migrate would be about the database of --db.
func restoreError(backup string, err error) error {
	cause := errors.Unwrap(err)
	if errors.Is(err, ttp.ErrSchemaMissing) {
		cause = ttp.ErrSchemaMissing
	}
	return fmt.Errorf("restore: %s: %w", backup, cause)
}

// namedFile accepts one argument, but not the "-" of other commands: a database is no stream.
func namedFile(cmd *cobra.Command, args []string) error {
	err := arguments("FILE")(cmd, args)
	if err == nil && args[0] == "-" {
		err = errors.New("the argument FILE must name a file: a database can be neither piped nor printed")
	}
	return err
}

// completeDatabase completes the names of database files.
func completeDatabase(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []cobra.Completion{"db"}, cobra.ShellCompDirectiveFilterFileExt
}
