package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	loadWriters = 8
	loadReaders = 4 // as many connections as a SQLite store reads with
	loadTags    = 10
	loadInsert  = "insert of 10 tags"
)

// loadResult is how one engine's store did with readers and writers.
type loadResult struct {
	engine          string
	logName         string
	alone, together []loadCall
	tookAlone       time.Duration
	took            time.Duration
	writes          []int // of each writer, together with the readers
	sizes           []loadSize
}

// loadCall is how often a call was made, and how long it took.
type loadCall struct {
	name string
	*latencies
}

// loadSize is what grows with time.
type loadSize struct {
	at     time.Duration
	tags   int64
	memory float64 // of this process, in bytes
	log    float64 // of the engine, in bytes
}

// load measures writers alone, readers alone, and both together.
func (j *jobs) load(ctx context.Context) (err error) {
	s := ttpstoreSubject()
	p, err := j.engine.create(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.engine.drop(p)) }()
	if err := j.fill(ctx, s, p, j.loadFill); err != nil {
		return err
	}
	opened, err := openTTPStore(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.close()) }()
	next := tagSource()
	for range j.loadFill { // already stored
		next()
	}
	l := &loader{j: j, place: p, store: opened.(ttpstore), fresh: newFreshTags(next)}
	return l.run(ctx)
}

// loader reads from a store and writes to it.
type loader struct {
	j     *jobs
	place place
	store ttpstore
	fresh *freshTags
}

func (l *loader) run(ctx context.Context) error {
	engine, alone := l.j.engine, l.j.loadTime/5
	r := loadResult{engine: engine.name, logName: engine.logName, tookAlone: alone, took: l.j.loadTime}
	progress("%s: %d writers alone, %s", engine.name, loadWriters, alone)
	write, insert := l.writes()
	if _, _, err := repeatFor(ctx, alone, loadWriters, write); err != nil {
		return err
	}
	progress("%s: %d readers alone, %s", engine.name, loadReaders, alone)
	read, asked := l.reads()
	if _, _, err := repeatFor(ctx, alone, loadReaders, read); err != nil {
		return err
	}
	r.alone = append([]loadCall{insert}, asked...)

	progress("%s: %d writers and %d readers together, %s", engine.name, loadWriters, loadReaders, l.j.loadTime)
	write, insert = l.writes()
	read, asked = l.reads()
	r.together = append([]loadCall{insert}, asked...)
	debug.FreeOSMemory() // so that the memory of the jobs before does not hide what this one takes
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		r.writes, _, err = repeatFor(ctx, l.j.loadTime, loadWriters, write)
		return err
	})
	group.Go(func() error {
		_, _, err := repeatFor(ctx, l.j.loadTime, loadReaders, read)
		return err
	})
	group.Go(func() (err error) {
		r.sizes, err = l.sample(ctx)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	l.j.report.loads = append(l.j.report.loads, r)
	return nil
}

func (l *loader) writes() (func(context.Context) error, loadCall) {
	insert := loadCall{loadInsert, newLatencies()}
	return func(ctx context.Context) error {
		tags := l.fresh.take(loadTags)
		return insert.timed(func() error { return insertCalls(ctx, l.store, tags, loadTags, loadTags) })
	}, insert
}

// reads lets readers ask all questions in turn.
func (l *loader) reads() (func(context.Context) error, []loadCall) {
	questions := []question{
		l.store.askRollup("", scope{kind: "fleet"}),
		l.store.askPage(newestPage, time.Time{}), l.store.askPage(middlePage, timeOf(l.j.loadFill/2)),
	}
	for _, of := range averageScopes() {
		questions = append(questions, l.store.askRollup(average, of))
	}
	asked := make([]loadCall, len(questions))
	for i, q := range questions {
		asked[i] = loadCall{q.name, newLatencies()}
	}
	var turn atomic.Int64
	return func(ctx context.Context) error {
		i := int(turn.Add(1)) % len(questions)
		if err := asked[i].timed(func() error { return questions[i].ask(ctx) }); err != nil {
			return fmt.Errorf("%s: %w", questions[i].name, err)
		}
		return nil
	}, asked
}

// sample notes the sizes while the load lasts.
func (l *loader) sample(ctx context.Context) (sizes []loadSize, err error) {
	ticks := time.NewTicker(min(time.Second, l.j.loadTime/20))
	defer ticks.Stop()
	begin := time.Now()
	for at := time.Duration(0); at < l.j.loadTime; at = time.Since(begin) {
		log, err := l.j.engine.logSize(ctx, l.place)
		if err != nil {
			return nil, err
		}
		tags := int64(l.j.loadFill) + l.fresh.used.Load()
		sizes = append(sizes, loadSize{at, tags, residentMemory(), float64(log)})
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return sizes, nil
}

// residentMemory is what this process takes of the machine's memory, in bytes, NaN where the system does not say.
func residentMemory() float64 {
	kib, err := strconv.Atoi(strings.TrimSuffix(field("/proc/self/status", "VmRSS", ":"), " kB"))
	if err != nil {
		return math.NaN()
	}
	return float64(kib) * 1024
}

// growthOf is the greatest of the last third of values by the greatest before: what grows without bound, and from
// nothing, has 1.5.
func growthOf(values []float64) float64 {
	last := len(values) * 2 / 3
	if last == 0 {
		return math.NaN()
	}
	return slices.Max(values[last:]) / slices.Max(values[:last])
}
