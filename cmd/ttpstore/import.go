package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// maxProblems limits the number of problems that an import prints.
const maxProblems = 10

type importOptions struct {
	batch       number
	floor       confidence
	skipInvalid bool
	dryRun      bool
	out         *output
}

func newImportCommand() *cobra.Command {
	var from *string
	opts := importOptions{batch: number{ttp.DefaultImportBatch, 1, math.MaxInt}, floor: ttp.DefaultConfidenceFloor}
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Import tags and scopes from JSON Lines or DECNET's own storage",
		Long: `Import campaigns, identities, attackers and tags from a JSON Lines file, or from
standard input for -. Gzip compression is detected, and a missing schema is
created. Imports are idempotent: importing a file again changes nothing.

Each batch of lines is written in one transaction. An invalid line stops the
import: its problems are printed, its batch is not written, and the exit status
is 1. Earlier batches stay written. --skip-invalid skips invalid lines instead.` + fromHelp,
		Example: `  ttpstore import tags.jsonl.gz
  zcat tags.jsonl.gz | ttpstore import - --json
  ttpstore import --dry-run --skip-invalid tags.jsonl
  ttpstore import --from sqlite:///var/lib/decnet/decnet.db --dry-run`,
		Args:              arguments("FILE"),
		ValidArgsFunction: completeFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			if *from != "" {
				return runImportFrom(cmd, *from, opts)
			}
			return runImport(cmd, args[0], opts)
		},
	}
	flags := cmd.Flags()
	flags.Var(&opts.batch, "batch", "write at most this number of `lines` per transaction")
	flags.Var(&opts.floor, "floor", "write floor: skip tags below this `confidence`, from 0 to 1")
	flags.BoolVar(&opts.skipInvalid, "skip-invalid", false, "skip invalid lines instead of stopping at them")
	flags.BoolVar(&opts.dryRun, "dry-run", false, "print the counts without writing anything")
	from = addFrom(cmd)
	opts.out = addOutput(cmd)
	for _, name := range []string{"batch", "floor"} {
		must(cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions))
	}
	return cmd
}

// completeFile completes the names of import and export files.
func completeFile(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []cobra.Completion{"jsonl", "gz"}, cobra.ShellCompDirectiveFilterFileExt
}

func runImport(cmd *cobra.Command, name string, opts importOptions) error {
	file, size, err := openInput(cmd, name)
	if err != nil {
		return err
	}
	in, start := peek(file)
	defer func() { _ = in.Close() }()
	return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
		if err := prepareSchema(ctx, cmd, store, opts.dryRun); err != nil {
			return err
		}
		report, err := importRecords(ctx, cmd, store, in, size, opts)
		problems := printProblems(cmd.ErrOrStderr(), err)
		if err := printImportReport(cmd, report, opts); err != nil {
			return err
		}
		if problems > 0 || report.Invalid > 0 && report.Read == 0 {
			if what := mistaken(start); what != "" {
				notef(cmd.ErrOrStderr(), "%s\n", advise(cmd, what))
			}
		}
		if problems > 0 {
			return fmt.Errorf("import: stopped at %s; the batch was not written: fix the lines or skip them with --skip-invalid",
				count(problems, "problem"))
		}
		return err
	}, ttp.WithConfidenceFloor(float64(opts.floor)))
}

// openInput returns the input and its size, or -1 if the size is unknown.
func openInput(cmd *cobra.Command, name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return interruptible(cmd.Context(), cmd.InOrStdin()), -1, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	switch {
	case err == nil && info.IsDir():
		err = fmt.Errorf("%s is a directory", name)
	case err == nil && info.Mode().IsRegular():
		return file, info.Size(), nil
	case err == nil:
		return struct {
			io.Reader
			io.Closer
		}{interruptible(cmd.Context(), file), file}, -1, nil
	}
	return nil, 0, errors.Join(err, file.Close())
}

// prepareSchema creates a missing schema, so that an import works on a new database.
func prepareSchema(ctx context.Context, cmd *cobra.Command, store *ttp.Store, dryRun bool) error {
	err := store.CheckSchema(ctx)
	if !errors.Is(err, ttp.ErrSchemaMissing) || dryRun {
		return err
	}
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	notef(cmd.ErrOrStderr(), "created the missing schema\n")
	return nil
}

func importRecords(ctx context.Context, cmd *cobra.Command, store *ttp.Store, in io.Reader, size int64, opts importOptions,
) (ttp.ImportReport, error) {
	unit := "" // bytes of the file
	if size < 0 {
		size, unit = 0, "lines"
	}
	bar := newBar(cmd.ErrOrStderr(), unit, size)
	defer bar.clear()
	skipped := 0
	options := ttp.ImportOptions{
		Batch:       opts.batch.value,
		SkipInvalid: opts.skipInvalid,
		DryRun:      opts.dryRun,
		OnInvalid: func(p ttp.Problem) {
			if skipped++; skipped <= maxProblems {
				bar.clear()
				printProblem(cmd.ErrOrStderr(), p)
			}
		},
	}
	defer func() { noteMore(cmd.ErrOrStderr(), skipped) }()
	if unit == "" {
		in = bar.reader(in)
	} else {
		options.Progress = func(r ttp.ImportReport) { bar.set(int64(r.Lines)) }
	}
	return store.Import(ctx, in, options)
}

// printProblems prints the problems of an [ttp.InvalidError] and returns their number, 0 for other errors.
func printProblems(stderr io.Writer, err error) int {
	invalid, ok := errors.AsType[*ttp.InvalidError](err)
	if !ok {
		return 0
	}
	for i, p := range invalid.Problems {
		if i < maxProblems {
			printProblem(stderr, p)
		}
	}
	noteMore(stderr, len(invalid.Problems))
	return len(invalid.Problems)
}

// noteMore says how many problems were not printed.
func noteMore(stderr io.Writer, problems int) {
	if problems > maxProblems {
		notef(stderr, "... and %s\n", count(problems-maxProblems, "more problem"))
	}
}

func printProblem(stderr io.Writer, p ttp.Problem) {
	notef(stderr, "%s\n", p)
}

func printImportReport(cmd *cobra.Command, r ttp.ImportReport, opts importOptions) error {
	if opts.dryRun {
		notef(cmd.ErrOrStderr(), "dry run: nothing was written\n")
	}
	return printObject(cmd, opts.out, r, func(display) [][2]string {
		width := len(humanize.Comma(int64(r.Lines))) // the highest count
		var fields [][2]string
		for _, c := range []struct {
			name  string
			count int
		}{
			{"lines", r.Lines}, {"campaigns", r.Campaigns}, {"identities", r.Identities}, {"attackers", r.Attackers},
			{"read", r.Read}, {"inserted", r.Inserted}, {"duplicate", r.Duplicate}, {"below floor", r.BelowFloor},
			{"tombstoned", r.Tombstoned}, {"invalid", r.Invalid},
		} {
			fields = append(fields, [2]string{c.name, fmt.Sprintf("%*s", width, humanize.Comma(int64(c.count)))})
		}
		return fields
	})
}
