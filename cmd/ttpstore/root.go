package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth is the width of the help in columns.
const helpWidth = 80

const (
	defaultDB     = "sqlite://ttpstore.db"
	dbEnvironment = "TTPSTORE_DB"
)

func newRootCommand(stdin io.Reader, stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "ttpstore",
		Short: "Store MITRE ATT&CK technique tags and report on them",
		Long: `ttpstore stores the MITRE ATT&CK technique tags of a honeypot or deception
platform and reports them by attacker, identity, campaign, session or for the
whole fleet. Reports include rollups by technique, lists of tags, timelines and
comparisons.

The database is a SQLite file by default, or a MySQL or MariaDB server. Set its
URL with --db or $TTPSTORE_DB:

    sqlite://PATH
    ` + exampleURL + `

Results go to standard output; notes, progress and errors go to standard error.
On a terminal, results are tables fitted to its width; in a pipe or a file, they
are tab-separated and complete. The exit status is 0 on success, 1 on failure
and 2 on a usage error.`,
		Example: `  ttpstore import tags.jsonl.gz
  ttpstore top --since 7d
  ttpstore rollup campaign "Copper Heron" -o csv
  ttpstore who identity --technique T1110 --sub-techniques --since "last week"
  TTPSTORE_DB='mysql://ttp:secret@tcp(db:3306)/ttp' ttpstore migrate status`,
		Version:       version(),
		SilenceErrors: true, // run prints errors, on one line
		SilenceUsage:  true,
	}
	root.SetIn(stdin)
	root.SetOut(stdout) // before InitDefaultCompletionCmd, which captures it
	root.SetErr(stderr)
	// $TTPSTORE_DB is not the default value, since --help would print it with its password.
	root.PersistentFlags().String("db", defaultDB, "database `URL`; overrides $"+dbEnvironment)
	must(root.RegisterFlagCompletionFunc("db", cobra.FixedCompletions(
		[]string{"sqlite://", "mysql://"}, cobra.ShellCompDirectiveNoSpace|cobra.ShellCompDirectiveNoFileComp)))
	zone := zoneName("UTC")
	root.PersistentFlags().Var(&zone, "tz", "time `zone` of dates in flags and of times in tables, such as Europe/Berlin")
	must(root.RegisterFlagCompletionFunc("tz", cobra.FixedCompletions(
		[]string{"UTC", "Local"}, cobra.ShellCompDirectiveNoFileComp)))
	addColor(root)
	root.AddCommand(newMigrateCommand(), newImportCommand(), newExportCommand(), newRollupCommand(),
		newTopCommand(), newTagsCommand(), newTagCommand(), newSessionCommand(),
		newTimelineCommand(), newWhoCommand(), newNewCommand(), newCompareCommand(),
		newRulesCommand(), newCoverageCommand(), newPhasesCommand(), newScopeCommand(), newPurgeCommand(), newRollbackCommand(),
		newRetentionCommand(), newTombstoneCommand(), newVerifyCommand(), newAttackCommand(), newNavigatorCommand(),
		newSTIXCommand(), newReportCommand(), newBackupCommand(), newRestoreCommand(), newVersionCommand(), newDocsCommand())
	cobra.AddTemplateFunc("wrapped", func(flags *pflag.FlagSet) string { return flags.FlagUsagesWrapped(helpWidth) })
	root.SetUsageTemplate(strings.NewReplacer(".LocalFlags.FlagUsages", "wrapped .LocalFlags",
		".InheritedFlags.FlagUsages", "wrapped .InheritedFlags", "for more information about a command", "for details",
	).Replace(root.UsageTemplate()))
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	makeGroups(root)
	return root
}

// makeGroups makes commands with subcommands print their help, and fail for an unknown subcommand, for which
// cobra would print help and exit with 0.
func makeGroups(cmd *cobra.Command) {
	if cmd.Name() == "help" {
		cmd.Args = func(help *cobra.Command, args []string) error {
			topic, rest, err := help.Root().Find(args)
			if err != nil || len(rest) == 0 {
				return err
			}
			return unknownCommand(topic, rest[0])
		}
	}
	if !cmd.HasSubCommands() {
		return
	}
	cmd.DisableFlagsInUseLine = true
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return unknownCommand(cmd, args[0])
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		// In `ttpstore imprt --batch 9` the command is wrong, not the flag.
		if rest := cmd.Flags().Args(); cmd.HasSubCommands() && len(rest) > 0 {
			return unknownCommand(cmd, rest[0])
		}
		if repeated, ok := errors.AsType[repeatedFlagError](err); ok {
			return repeated // without the value
		}
		return suggestFlag(cmd, err)
	})
	for _, sub := range cmd.Commands() {
		makeGroups(sub)
	}
}

func unknownCommand(cmd *cobra.Command, name string) error {
	cmd.SuggestionsMinimumDistance = max(1, min(2, len(name)/3)) // every word of three letters is within distance 3 of "new"
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		return fmt.Errorf("unknown command %q, did you mean %q?", name, near[0])
	}
	return fmt.Errorf("unknown command %q", name)
}

// arguments returns a validator that requires one argument for each name.
func arguments(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return fmt.Errorf("missing argument %s", strings.Join(names[len(args):], " "))
		case len(args) > len(names):
			return fmt.Errorf("unexpected argument %q", args[len(names)])
		}
		return nil
	}
}

func parseID(name, arg string) (uuid.UUID, error) {
	id, err := uuid.Parse(arg)
	if err != nil {
		return uuid.Nil, fmt.Errorf("the argument %s must be a UUID, not %q", name, arg)
	}
	return id, nil
}

// checkID returns an error unless arg is an id or the beginning of one.
func checkID(name, arg string) error {
	if _, err := uuid.Parse(arg); err != nil && !idBeginning.MatchString(arg) {
		return fmt.Errorf("the argument %s must be an id or at least the first %d digits of one, not %q", name, shortID, arg)
	}
	return nil
}

// takeID returns a validator that accepts an id or the beginning of one as the only argument.
func takeID(id *string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		err := arguments("ID")(cmd, args)
		if err == nil {
			*id, err = args[0], checkID("ID", args[0])
		}
		return err
	}
}

// interruptible returns a reader that fails when ctx is done, even while a read of a pipe or terminal blocks.
func interruptible(ctx context.Context, r io.Reader) io.ReadCloser {
	pr, pw := io.Pipe()
	go func() {
		_, err := io.Copy(pw, r)
		_ = pw.CloseWithError(err) // always nil
	}()
	context.AfterFunc(ctx, func() { _ = pw.CloseWithError(ctx.Err()) })
	return pr
}

// must panics on an error that only a bug in this program can cause.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
