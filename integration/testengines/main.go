// Command testengines runs the tests on every engine, or on those in its arguments, and prints a table of the results. It
// fails if a test fails.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/decnet/ttpstore/integration"
	_ "github.com/decnet/ttpstore/ttp"
)

var sqlite = integration.Engine{Name: "sqlite"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	chosen, err := choose(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "testengines:", err)
		os.Exit(2)
	}
	var runs []run
	failed := false
	for _, s := range chosen {
		r := s.test(ctx)
		failed = failed || (r.err != nil && !errors.Is(r.err, errNoImage))
		runs = append(runs, r)
	}
	printTable(runs)
	if failed || ctx.Err() != nil {
		os.Exit(1)
	}
}

// suite is an engine and its tests.
type suite struct {
	engine          integration.Engine
	folder, pattern string // of the tests
}

// suites returns the suites of all engines. The tests of SQLite are in the root module.
func suites() []suite {
	all := []suite{{sqlite, "..", "./ttp"}}
	for _, engine := range integration.Engines {
		all = append(all, suite{engine, ".", "."})
	}
	return all
}

func choose(names []string) ([]suite, error) {
	all := suites()
	if len(names) == 0 {
		return all, nil
	}
	var chosen []suite
	for _, name := range names {
		i := slices.IndexFunc(all, func(s suite) bool { return s.engine.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no engine is named %q", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// sqliteVersion returns the version of the SQLite library that ttp links.
func sqliteVersion(ctx context.Context) (version string, err error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return "", err
	}
	err = db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version)
	return version, errors.Join(err, db.Close())
}

func printTable(runs []run) {
	fmt.Println()
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "engine\tversion\tcases\tpassed\texceptions\ttime\t")
	for _, r := range runs {
		problem := ""
		switch {
		case errors.Is(r.err, errNoImage):
			problem = errNoImage.Error()
		case r.err != nil:
			problem = "failed"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%s\t%s\n",
			r.engine.Name, r.version, len(r.results), r.count("pass"), r.count("skip"), r.took.Round(time.Second), problem)
	}
	_ = table.Flush()
	for _, r := range runs {
		for _, name := range slices.Sorted(maps.Keys(r.engine.Except)) {
			fmt.Printf("\n%s skips %s: %s\n", r.engine.Name, name, r.engine.Except[name])
		}
		for _, name := range r.noRight {
			fmt.Printf("\n%s skips %s: the user lacks a right that it needs\n", r.engine.Name, name)
		}
	}
	// The reasons are last, since a CI service may show only the end of a log.
	for _, r := range runs {
		if r.err != nil && !errors.Is(r.err, errNoImage) {
			fmt.Printf("\n%s failed:\n%v\n", r.engine.Name, r.err)
		}
	}
}
