package main

import (
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// addPrint adds --print, which prints SQL instead of running the command.
func addPrint(cmd *cobra.Command) {
	shown := cmd.Flags().Bool("print", false, "print the SQL that creates the schema on the engine of --db, without opening a database")
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !*shown {
			return run(cmd, args)
		}
		scheme, _, found := strings.Cut(chosenDatabase(cmd), "://")
		dialect := ttp.Dialect(scheme)
		if !found || (dialect != ttp.SQLite && dialect != ttp.MySQL) { // other text may contain a password
			return errors.New("migrate: want a URL that begins with sqlite:// or mysql://")
		}
		text, err := ttp.MigrationSQL(dialect)
		if err == nil {
			_, err = io.WriteString(cmd.OutOrStdout(), text)
		}
		return err
	}
}
