// Command bench runs the same jobs with ttpstore and with other libraries in one run on one machine, and prints tables of
// ratios. It writes sqlite/RESULTS.md and mysql/RESULTS.md, whose first lines have the flags and the commit.
//
// It needs cgo and a C compiler for C SQLite, and for MySQL a server: that of the DSN in TTPSTORE_TEST_MYSQL_DSN, or a
// container.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

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
		// The system's directory for temporary files may be in memory.
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
	return errors.Join(err, r.write(stdout)) // also after an error
}

// measureEngine runs the selected jobs on one engine.
func measureEngine(ctx context.Context, c config, r *report, name string) (err error) {
	e, err := newEngine(ctx, c, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.stop()) }()
	r.versions = append(r.versions, e.versions...)
	return (&jobs{c, e, r}).run(ctx)
}

var started = time.Now()

// progress prints the current step to stderr.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%7s  %s\n", time.Since(started).Round(time.Second), fmt.Sprintf(format, args...))
}
