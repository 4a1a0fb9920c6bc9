package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// fromEnvironment names the variable that replaces --from, for URLs with a password: arguments of a process are visible.
const fromEnvironment = "TTPSTORE_FROM"

// fromHelp is the section of import's help on --from.
const fromHelp = `

--from, or $TTPSTORE_FROM if neither --from nor FILE is given, imports from the
database of DECNET's own tag storage instead, which is a SQLite file or a MySQL
server. The source is read in one snapshot and not changed. The import can be
repeated: it adds new rows and updates assignments and merges to those of the
source. Refused rows, and rows imported without an invalid field, are listed on
standard error. At the end, the import compares the number of tags of each
attacker, session and identity, and of the fleet, with the source. If any number
differs, the exit status is 1.`

// addFrom adds --from, which replaces the argument FILE. The result is set once the arguments are checked.
func addFrom(cmd *cobra.Command) *string {
	from := new(string)
	cmd.Flags().Func("from",
		"import from DECNET's own tag storage at this `URL`, in the format of --db; overrides $"+fromEnvironment, setText(from))
	must(cmd.RegisterFlagCompletionFunc("from", cobra.FixedCompletions(
		[]string{"sqlite://", "mysql://"}, cobra.ShellCompDirectiveNoSpace|cobra.ShellCompDirectiveNoFileComp)))
	args := cmd.Args
	cmd.Args = func(cmd *cobra.Command, values []string) error {
		if *from == "" && len(values) == 0 {
			*from = os.Getenv(fromEnvironment)
		}
		if *from == "" {
			return args(cmd, values)
		}
		for _, name := range []string{"batch", "skip-invalid"} {
			if cmd.Flag(name).Changed {
				return fmt.Errorf("--from and --%s are mutually exclusive", name)
			}
		}
		return arguments()(cmd, values)
	}
	return from
}

func runImportFrom(cmd *cobra.Command, url string, opts importOptions) error {
	return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
		report, err := importFrom(ctx, cmd, store, url, opts.dryRun)
		if errors.Is(err, ttp.ErrSchemaMissing) && !opts.dryRun { // the source exists
			if err = prepareSchema(ctx, cmd, store, false); err == nil {
				report, err = importFrom(ctx, cmd, store, url, false)
			}
		}
		if err == nil || report.Campaigns.Read+report.Identities.Read+report.Attackers.Read+report.Tags.Read > 0 {
			err = errors.Join(err, printPredecessorReport(cmd, report, opts, err == nil && !opts.dryRun))
		}
		if err != nil {
			return err
		}
		if report.Different > 0 {
			return fmt.Errorf("import: the number of tags differs from the source in %s", count(report.Different, "scope"))
		}
		return nil
	}, ttp.WithConfidenceFloor(float64(opts.floor)))
}

func importFrom(ctx context.Context, cmd *cobra.Command, store *ttp.Store, url string, dryRun bool) (ttp.PredecessorReport, error) {
	bar := newBar(cmd.ErrOrStderr(), "rows", 0)
	defer bar.clear()
	return store.ImportPredecessor(ctx, url, ttp.PredecessorOptions{
		DryRun:   dryRun,
		Progress: func(n int) { bar.add(int64(n)) },
		OnNote: func(n ttp.PredecessorNote) {
			bar.clear()
			notef(cmd.ErrOrStderr(), "%s\n", n)
		},
	})
}

func printPredecessorReport(cmd *cobra.Command, r ttp.PredecessorReport, opts importOptions, compared bool) error {
	if opts.dryRun {
		notef(cmd.ErrOrStderr(), "dry run: nothing was written\n")
	}
	return printObject(cmd, opts.out, r, func(display) [][2]string { return predecessorFields(r, compared) })
}

func predecessorFields(r ttp.PredecessorReport, compared bool) [][2]string {
	var fields [][2]string
	for _, table := range []struct {
		name string
		rows ttp.PredecessorRows
	}{{"campaigns", r.Campaigns}, {"identities", r.Identities}, {"attackers", r.Attackers}} {
		fields = append(fields, [2]string{table.name, fmt.Sprintf("%d read: %d inserted, %d updated, %d unchanged",
			table.rows.Read, table.rows.Inserted, table.rows.Updated, table.rows.Unchanged)})
	}
	fields = append(fields, [2]string{"tags", fmt.Sprintf("%d read: %d inserted, %d duplicate, %d below floor, %d tombstoned, %d refused",
		r.Tags.Read, r.Tags.Inserted, r.Tags.Duplicate, r.Tags.BelowFloor, r.Tags.Tombstoned, r.Tags.Refused)})
	for _, part := range []struct {
		name   string
		counts map[string]int
	}{{"normalized", r.Normalized}, {"kept without", r.KeptWithout}, {"refused", r.Refused}, {"odd", r.Odd}} {
		for _, key := range slices.Sorted(maps.Keys(part.counts)) {
			fields = append(fields, [2]string{part.name, strconv.Itoa(part.counts[key]) + "  " + key})
		}
	}
	if compared {
		compare := func(kind string, counts ttp.PredecessorComparison) {
			fields = append(fields, [2]string{"compared", fmt.Sprintf("%s: %d equal, %d different",
				kind, counts.Compared-counts.Different, counts.Different)})
		}
		compare("fleet", r.ComparedBy.Fleet)
		compare("attackers", r.ComparedBy.Attackers)
		compare("sessions", r.ComparedBy.Sessions)
		compare("identities", r.ComparedBy.Identities)
		compare("all scopes", ttp.PredecessorComparison{Compared: r.Compared, Different: r.Different})
	}
	for _, d := range r.Differences {
		fields = append(fields, [2]string{"different", fmt.Sprintf("%s: %d in the source, %d here", d.Scope, d.Source, d.Stored)})
	}
	return fields
}
