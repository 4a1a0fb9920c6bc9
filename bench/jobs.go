package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// The names of the jobs in the report.
const (
	freshInsert  = "fresh insert"
	replay       = "replay"
	halfInsert   = "half-duplicate insert"
	filledInsert = "fresh insert into a filled store"
	allocations  = "fresh insert: Go allocations"
	oneWriter    = "1 writer"
	manyWriters  = "concurrent writers"
	slowestShare = "concurrent writers: calls of the slowest writer when the fastest finishes"
	rollupOf     = "rollup: "
	deepPage     = "page of 100 in the middle of the list"
	exportAll    = "export"
	importAll    = "import"

	ofHoneypot = " (honeypot records)"
)

// The groups of jobs.
const (
	writesJobs = "writes"
	smallJobs  = "small"
	readsJobs  = "reads"
	filledJobs = "filled"
	loadJobs   = "load"
	growthJobs = "growth"
)

var jobNames = []string{writesJobs, smallJobs, readsJobs, filledJobs, loadJobs, growthJobs}

// jobs runs the jobs of an engine. Each call is measured in rounds in which the subjects alternate, so that changing load
// on the machine does not look like a difference between them.
type jobs struct {
	config
	engine *engine
	report *report
}

func (j *jobs) run(ctx context.Context) error {
	for _, job := range []struct {
		names []string
		run   func(context.Context) error
	}{
		{[]string{writesJobs}, j.writes},
		{[]string{smallJobs}, j.small},
		{[]string{readsJobs, filledJobs}, j.filledStores},
		{[]string{loadJobs}, j.load},
		{[]string{growthJobs}, j.grow},
	} {
		if !slices.ContainsFunc(job.names, j.chose) {
			continue
		}
		if err := job.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", job.names[0], err)
		}
	}
	return nil
}

func (j *jobs) chose(name string) bool { return slices.Contains(j.chosen, name) }

// shortest is the minimum duration of a measurement. Shorter calls are repeated.
const shortest = 20 * time.Millisecond

// timed returns the duration of a call in seconds.
func timed(call func() error) (float64, error) {
	begin := time.Now()
	for n := 1; ; n++ {
		if err := call(); err != nil {
			return 0, err
		}
		if elapsed := time.Since(begin); elapsed >= shortest {
			return elapsed.Seconds() / float64(n), nil
		}
	}
}

// once is like timed, but does not repeat the call.
func once(call func() error) (float64, error) {
	runtime.GC() // of the previous subject
	begin := time.Now()
	err := call()
	return time.Since(begin).Seconds(), err
}

// each calls measure for the subjects in turn, starting with another one in each round.
func (j *jobs) each(ctx context.Context, do func(round int, s subject) error) error {
	n := len(j.engine.subjects)
	for round := range j.rounds {
		for i := range n {
			s := j.engine.subjects[(i+round)%n]
			if err := errors.Join(ctx.Err(), do(round, s)); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	return nil
}

func (j *jobs) add(s subject, job string, tags int, unit unit, value float64) {
	j.report.add(sample{row{mainTable, j.engine.name, job, tags, unit}, s.name, value})
}
