// Command bench runs the same jobs by ttpstore and by what a Go team would otherwise use, on the same
// machine in the same run, and prints one table of ratios. See RESULTS.md for what it last said.
//
// It needs cgo and a C compiler, since two of the others are C SQLite, and for MySQL a server: the one
// that TTPSTORE_TEST_MYSQL_DSN names, or a container.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// config says what to measure.
type config struct {
	sizes   []int // of the stores that are read
	fleet   int   // of the store whose fleet rollup alone is measured, 0 for none
	rounds  int
	engines []string
	dir     string
	out     string // the report's file, "" for none
	raw     string // the samples' file, "" for none
	records string // honeypot records in the import format
	short   bool
	flags   string // as given, but for places

	callTags    int // tags in a measured call
	writers     int
	writerCalls int // calls of each writer
	writerTags  int // tags in each of them
	mostRecords int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	c, err := parse(args)
	if err != nil {
		return err
	}
	if c.dir == "" {
		// Not the system's folder for temporary files, which may be memory.
		if c.dir, err = os.MkdirTemp(".", "data-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(c.dir)) }()
	} else if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return err
	}
	r := newReport(c)
	for _, name := range c.engines {
		if err = measureEngine(ctx, c, r, name); err != nil {
			err = fmt.Errorf("%s: %w", name, err)
			r.failed = err
			break
		}
	}
	return errors.Join(err, r.write(stdout)) // what was measured by then is shown all the same
}

func parse(args []string) (config, error) {
	var c config
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	sizes := flags.String("tags", "10000,100000,1000000", "the `sizes` of the stores that are read")
	flags.IntVar(&c.fleet, "fleet", 10_000_000, "the size of the SQLite store for the fleet rollup, 0 for none; 10 million tags take about 9 GB")
	flags.IntVar(&c.rounds, "rounds", 5, "how often each call is measured")
	engines := flags.String("engines", "sqlite,mysql", "what to measure on")
	flags.IntVar(&c.writerCalls, "writercalls", 10, "how many calls of 1,000 tags each of 8 concurrent writers makes")
	flags.StringVar(&c.dir, "dir", "", "a `folder` for databases; one that is given keeps the fleet's store for the next run")
	flags.StringVar(&c.out, "o", "RESULTS.md", "the report's `file`, in Markdown; empty for none")
	flags.StringVar(&c.raw, "raw", "", "a `file` for the samples, as benchstat reads them; samples.txt in -dir by default")
	flags.StringVar(&c.records, "records", "../../shared/data/cowrie-2018-tags.jsonl.gz", "a `file` of honeypot records to write, too")
	flags.BoolVar(&c.short, "short", false, "only check that everything runs; no file is written unless -o names one")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) {
		given[f.Name] = true
		if !slices.Contains([]string{"dir", "o", "raw", "records"}, f.Name) {
			c.flags += fmt.Sprintf(" -%s=%s", f.Name, f.Value)
		}
	})
	if c.raw == "" && c.dir != "" {
		c.raw = filepath.Join(c.dir, "samples.txt")
	}
	c.engines = strings.Split(*engines, ",")
	c.callTags, c.writers, c.writerTags, c.mostRecords = 10_000, 8, 1000, 1_000_000
	if c.short {
		c.callTags, c.writerTags, c.mostRecords = 500, 50, 500
		for name, small := range map[string]func(){
			"tags": func() { *sizes = "1000" }, "fleet": func() { c.fleet = 2000 },
			"rounds": func() { c.rounds = 1 }, "writercalls": func() { c.writerCalls = 2 }, "o": func() { c.out = "" },
		} {
			if !given[name] {
				small()
			}
		}
	}
	for text := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1000 {
			return c, fmt.Errorf("-tags: want numbers of at least 1000, not %q", text)
		}
		c.sizes = append(c.sizes, n)
	}
	if c.rounds < 1 || c.writerCalls < 1 {
		return c, errors.New("-rounds, -writercalls: want at least 1")
	}
	for _, name := range c.engines {
		if !slices.Contains([]string{sqliteEngine, mysqlEngine}, name) {
			return c, fmt.Errorf("-engines: there is no %q", name)
		}
	}
	return c, nil
}

// measureEngine runs all jobs on one engine.
func measureEngine(ctx context.Context, c config, r *report, name string) (err error) {
	e, err := newEngine(ctx, c, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.stop()) }()
	r.versions = append(r.versions, e.versions...)
	j := &jobs{c, e, r}
	if err := j.writes(ctx); err != nil {
		return err
	}
	for _, n := range c.sizes {
		if err := j.reads(ctx, n); err != nil {
			return fmt.Errorf("%d tags: %w", n, err)
		}
	}
	if name == sqliteEngine && c.fleet > 0 {
		return j.fleet(ctx)
	}
	return nil
}

var started = time.Now()

// progress tells on stderr what takes its time.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%7s  %s\n", time.Since(started).Round(time.Second), fmt.Sprintf(format, args...))
}
