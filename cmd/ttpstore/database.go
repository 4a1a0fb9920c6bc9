package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack/builtin"
	"github.com/decnet/ttpstore/ttp"
)

// withStore opens the database given by --db or the environment and calls use with it.
func withStore(cmd *cobra.Command, use func(context.Context, *ttp.Store) error, opts ...ttp.Option) (err error) {
	url := chosenDatabase(cmd)
	store, err := ttp.Open(cmd.Context(), url, append(opts, ttp.WithCatalogue(builtin.Catalogue()))...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if isMissing(url) && !makesDatabase(cmd) {
		return fmt.Errorf("the database %s does not exist: check --db or $%s, or create it with `ttpstore import FILE`", url, dbEnvironment)
	}
	return use(cmd.Context(), store)
}

// withOptionalStore is withStore, but does nothing if no database is given and the default one does not exist.
func withOptionalStore(cmd *cobra.Command, use func(context.Context, *ttp.Store) error) error {
	if !cmd.Flag("db").Changed && chosenDatabase(cmd) == defaultDB && isMissing(defaultDB) {
		return nil
	}
	return withStore(cmd, use)
}

// chosenDatabase returns the URL of --db, of the environment, or the default.
func chosenDatabase(cmd *cobra.Command) string {
	db := cmd.Flag("db")
	if env := os.Getenv(dbEnvironment); env != "" && !db.Changed {
		return env
	}
	return db.Value.String()
}

// isMissing reports whether url names a SQLite file that does not exist. Other URLs are not checked.
func isMissing(url string) bool {
	path, ok := strings.CutPrefix(url, "sqlite://")
	if !ok || path == ":memory:" {
		return false
	}
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// makesDatabase reports whether the command may create a missing database.
func makesDatabase(cmd *cobra.Command) bool {
	return cmd.Name() == "import" || cmd.Parent().Name() == "migrate"
}

// plainURL matches URLs that need no quoting in a shell.
var plainURL = regexp.MustCompile(`^sqlite://[\w%+=:,./-]+$`)

// migrateDown matches the method that ttp's errors suggest for a migration down.
var migrateDown = regexp.MustCompile(`call Store\.MigrateDown\((\d+)\)`)

// commandsFor replaces the methods that ttp's errors suggest with commands.
func commandsFor(text string) string {
	text = migrateDown.ReplaceAllString(text, "run `ttpstore migrate down $1`")
	return strings.NewReplacer("call Store.Migrate", "run `ttpstore migrate up`",
		"call Store.ImportPredecessor with the URL of this one", `run "ttpstore import --from" with the URL of this one`).Replace(text)
}

// advise adds the given --db flag to the commands suggested in text, so that they refer to the same database.
// A URL that may hold a password is replaced by dots.
func advise(cmd *cobra.Command, text string) string {
	text = commandsFor(text)
	db := cmd.Flag("db")
	if !db.Changed {
		return text
	}
	url := db.Value.String()
	if !plainURL.MatchString(url) {
		url = "..."
	}
	return strings.ReplaceAll(text, "`ttpstore ", "`ttpstore --db "+url+" ")
}
