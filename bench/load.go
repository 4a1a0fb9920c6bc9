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
	loadReaders = 4 // the number of read connections of a SQLite store
	loadTags    = 10
	loadInsert  = "insert of 10 tags"
)

// loadResult is the result of concurrent reads and writes on one engine.
type loadResult struct {
	engine          string
	logName         string
	alone, together []loadCall
	tookAlone       time.Duration
	took            time.Duration
	writes          []int // calls by writer, during the reads
	sizes           []loadSize
}

// loadCall holds the numbers and durations of a call.
type loadCall struct {
	name string
	*latencies
}

// loadSize holds the sizes at a time.
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
	engine, alone := l.j.engine, min(l.j.loadTime/5, 30*time.Second)
	r := loadResult{engine: engine.name, logName: engine.logName, tookAlone: alone, took: l.j.loadTime}
	progress("%s: %d writers alone, %s", engine.name, loadWriters, alone)
	write, insert := l.writes()
	if _, _, err := repeatFor(ctx, alone, loadWriters, write); err != nil {
		return err
	}
	progress("%s: %d readers alone, %s", engine.name, loadReaders, alone)
	read, calls := l.reads()
	if _, _, err := repeatFor(ctx, alone, loadReaders, read); err != nil {
		return err
	}
	r.alone = append([]loadCall{insert}, calls...)

	progress("%s: %d writers and %d readers together, %s", engine.name, loadWriters, loadReaders, l.j.loadTime)
	write, insert = l.writes()
	read, calls = l.reads()
	r.together = append([]loadCall{insert}, calls...)
	debug.FreeOSMemory() // of the previous jobs
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

// reads runs all reads in turn by each reader.
func (l *loader) reads() (func(context.Context) error, []loadCall) {
	reads := []namedRead{
		l.store.readRollup("", scope{kind: "fleet"}),
		l.store.readPage(newestPage, time.Time{}), l.store.readPage(middlePage, timeOf(l.j.loadFill/2)),
	}
	for _, of := range averageScopes() {
		reads = append(reads, l.store.readRollup(average, of))
	}
	calls := make([]loadCall, len(reads))
	for i, q := range reads {
		calls[i] = loadCall{q.name, newLatencies()}
	}
	var turn atomic.Int64
	return func(ctx context.Context) error {
		i := int(turn.Add(1)) % len(reads)
		if err := calls[i].timed(func() error { return reads[i].run(ctx) }); err != nil {
			return fmt.Errorf("%s: %w", reads[i].name, err)
		}
		return nil
	}, calls
}

// sample records the sizes during the load.
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

// residentMemory returns the resident memory of this process in bytes, or NaN if it is unknown.
func residentMemory() float64 {
	kib, err := strconv.Atoi(strings.TrimSuffix(field("/proc/self/status", "VmRSS", ":"), " kB"))
	if err != nil {
		return math.NaN()
	}
	return float64(kib) * 1024
}

// growthOf returns the maximum of the last third of values divided by the maximum of the others. It is 1.5 for linear growth
// from 0.
func growthOf(values []float64) float64 {
	last := len(values) * 2 / 3
	if last == 0 {
		return math.NaN()
	}
	return slices.Max(values[last:]) / slices.Max(values[:last])
}
