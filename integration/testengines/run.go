package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/decnet/ttpstore/integration"
)

// errNoImage means that the only image of an engine cannot be pulled, as a registry may be out of reach. It does not fail
// the command.
var errNoImage = errors.New("the image cannot be pulled")

// run is the result of a suite.
type run struct {
	engine  integration.Engine
	version string
	results map[string]string // pass, fail, skip, pause, or "" if running, by tests without subtests
	noRight []string          // skipped tests that need a right on this machine
	noImage bool              // see errNoImage
	took    time.Duration
	err     error
}

func (r run) count(result string) int {
	n := 0
	for _, got := range r.results {
		if got == result {
			n++
		}
	}
	return n
}

// test runs the suite and prints the output of failed tests.
func (s suite) test(ctx context.Context) run {
	begin := time.Now()
	fmt.Fprintf(os.Stderr, "testengines: %s\n", s.engine.Name)
	r := run{engine: s.engine}
	// The timeout is below the lifetime of a container.
	cmd := exec.CommandContext(ctx, "go", "test", "-json", "-count=1", "-timeout=2h", s.pattern)
	cmd.Dir, cmd.Stderr = s.folder, os.Stderr
	cmd.Env = append(os.Environ(), integration.EngineEnv+"="+s.engine.Name)
	// An interrupt lets the tests remove their container.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		err = errors.Join(r.read(out), cmd.Wait())
	}
	if s.engine.Name == sqlite.Name && err == nil {
		r.version, err = sqliteVersion(ctx)
	}
	r.took = time.Since(begin)
	r.err = r.check(err)
	return r
}

// event is a line of go test -json: see go doc test2json.
type event struct{ Action, Test, Output string }

// read reads the events of a run.
func (r *run) read(events io.Reader) error {
	r.results = map[string]string{}
	printed := map[string][]string{}
	decoder := json.NewDecoder(events)
	for {
		var e event
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		switch e.Action {
		case "run":
			delete(r.results, path.Dir(e.Test)) // has a subtest
			r.results[e.Test] = ""
		case "pause", "cont":
			r.results[e.Test] = strings.TrimPrefix(e.Action, "cont")
		case "output":
			printed[e.Test] = append(printed[e.Test], e.Output)
			r.noImage = r.noImage || strings.HasPrefix(e.Output, integration.NoImagePrefix)
			if version, ok := strings.CutPrefix(e.Output, integration.VersionPrefix); ok {
				r.version, _, _ = strings.Cut(version, " ")
			}
		case "build-output":
			fmt.Print(e.Output)
		case "pass", "skip", "fail":
			text := strings.Join(printed[e.Test], "")
			if e.Action == "skip" && strings.Contains(text, integration.NoRight) {
				r.noRight = append(r.noRight, e.Test)
			}
			if _, leaf := r.results[e.Test]; leaf {
				r.results[e.Test] = e.Action
			}
			if e.Action == "fail" {
				fmt.Print(text)
			}
			delete(printed, e.Test)
		}
	}
}

// check returns the problems of a run other than failed tests.
func (r *run) check(err error) error {
	if r.noImage {
		return errNoImage
	}
	skipped := map[string]bool{}
	for _, test := range slices.Sorted(maps.Keys(r.results)) {
		function, _, _ := strings.Cut(test, "/")
		switch r.results[test] {
		case "skip":
			skipped[function], skipped[path.Base(test)] = true, true
			if !slices.Contains(r.noRight, test) && r.engine.Except[function] == "" && r.engine.Except[path.Base(test)] == "" {
				err = errors.Join(err, fmt.Errorf("%s was skipped without an exception", test))
			}
		case "fail":
			err = errors.Join(err, fmt.Errorf("%s failed", test))
		case "":
			err = errors.Join(err, fmt.Errorf("%s did not end", test))
		}
	}
	if err != nil {
		return err // a run that ended early has not skipped all exceptions
	}
	for name := range r.engine.Except {
		if !skipped[name] {
			err = errors.Join(err, fmt.Errorf("the exception %s matches no skipped test", name))
		}
	}
	return err
}
