package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

// What is measured, by the names that the report has for it.
const (
	freshInsert  = "fresh insert"
	replay       = "replay"
	halfInsert   = "half-duplicate insert"
	allocations  = "fresh insert: Go allocations"
	oneWriter    = "1 writer"
	manyWriters  = "concurrent writers"
	slowestShare = "concurrent writers: calls of the slowest when the first is through"
	rollupOf     = "rollup: "
	deepPage     = "page of 100 in the middle of the list"
	exportAll    = "export"

	ofHoneypot = " (honeypot records)"
)

// jobs are what all subjects of an engine have to do. Each call is measured in rounds in which the subjects
// take turns: a load of the machine's that comes and goes must not look like a difference between them.
type jobs struct {
	config
	engine *engine
	report *report
}

// shortest is how long a measurement lasts at least; a shorter call is repeated.
const shortest = 20 * time.Millisecond

// timed returns the seconds that a call takes.
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

// once is timed for a call that cannot be repeated.
func once(call func() error) (float64, error) {
	runtime.GC() // nobody pays for the garbage of the subject before
	begin := time.Now()
	err := call()
	return time.Since(begin).Seconds(), err
}

// each lets the subjects take turns; another one begins each round.
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

func (j *jobs) add(s subject, job string, tags int, unit string, value float64) {
	j.report.add(sample{row{j.engine.name, job, tags, unit}, s.name, value})
}

// writes measures on databases that are new for each round and subject.
func (j *jobs) writes(ctx context.Context) error {
	next := tagSource()
	if err := j.inserts(ctx, "", take(next, j.callTags), take(next, j.callTags)); err != nil {
		return err
	}
	tags, err := honeypotTags(ctx, j.records, j.mostRecords)
	if err != nil {
		return fmt.Errorf("%s: %w", j.records, err)
	}
	j.report.noteRecords(len(tags))
	if len(tags) > 0 {
		if err := j.inserts(ctx, ofHoneypot, tags, nil); err != nil {
			return err
		}
	}
	return j.race(ctx)
}

// onNew gives do a store on a new database, in which one tag has opened the connection.
func (j *jobs) onNew(ctx context.Context, s subject, do func(store) error) (err error) {
	p, err := j.engine.create(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.engine.drop(p)) }()
	if err := s.schema.tables(ctx, p); err != nil {
		return err
	}
	if err := s.schema.index(ctx, p); err != nil {
		return err
	}
	opened, err := s.open(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.close()) }()
	first := tagSource()()
	first.SourceID = "the first"
	if err := insertCalls(ctx, opened, []ttp.Tag{first}, 1, 1); err != nil {
		return err
	}
	return do(opened)
}

// insertCalls writes tags call by call, and fails unless as many were new as there should be.
func insertCalls(ctx context.Context, s store, tags []ttp.Tag, callTags, want int) error {
	written := 0
	for call := range slices.Chunk(tags, callTags) {
		n, err := s.insert(ctx, call)
		if err != nil {
			return err
		}
		written += n
	}
	if written != want {
		return fmt.Errorf("%d tags were new, not %d", written, want)
	}
	return nil
}

// inserts measures a first write, its replay and, of as many others, a call that is half of each.
func (j *jobs) inserts(ctx context.Context, of string, tags, others []ttp.Tag) error {
	progress("%s: insert %d tags%s", j.engine.name, len(tags), of)
	n := len(tags)
	return j.each(ctx, func(_ int, s subject) error {
		return j.onNew(ctx, s, func(opened store) error {
			before := goAllocations()
			t, err := once(func() error { return insertCalls(ctx, opened, tags, j.callTags, n) })
			if err != nil {
				return err
			}
			j.add(s, freshInsert+of, n, seconds, t)
			if of == "" {
				j.add(s, allocations, n, perTag, (goAllocations()-before)/float64(n))
			}
			if t, err = timed(func() error { return insertCalls(ctx, opened, tags, j.callTags, 0) }); err != nil {
				return err
			}
			j.add(s, replay+of, n, seconds, t)
			if others == nil {
				return nil
			}
			half := slices.Concat(tags[:n/2], others[:n/2])
			if t, err = once(func() error { return insertCalls(ctx, opened, half, j.callTags, n/2) }); err != nil {
				return err
			}
			j.add(s, halfInsert, n, seconds, t)
			return nil
		})
	})
}

// goAllocations leaves out what C allocates.
func goAllocations() float64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.Mallocs)
}

// race measures one writer and then several that share the same calls.
func (j *jobs) race(ctx context.Context) error {
	tags := take(tagSource(), j.writers*j.writerCalls*j.writerTags)
	progress("%s: %d tags by 1 and by %d writers", j.engine.name, len(tags), j.writers)
	return j.each(ctx, func(_ int, s subject) error {
		err := j.onNew(ctx, s, func(opened store) error {
			t, err := once(func() error { return insertCalls(ctx, opened, tags, j.writerTags, len(tags)) })
			j.add(s, oneWriter, len(tags), seconds, t)
			return err
		})
		if err != nil {
			return err
		}
		return j.onNew(ctx, s, func(opened store) error {
			var share int64
			t, err := once(func() (err error) {
				share, err = writeAtOnce(ctx, opened, tags, j.writers, j.writerTags)
				return err
			})
			j.add(s, manyWriters, len(tags), seconds, t)
			j.add(s, slowestShare, len(tags), calls, float64(share))
			return err
		})
	})
}

// writeAtOnce deals the calls out to writers, and returns how many calls the slowest of them had done when
// the first had done all of its own.
func writeAtOnce(ctx context.Context, s store, tags []ttp.Tag, writers, callTags int) (share int64, err error) {
	done := make([]atomic.Int64, writers)
	errs := make([]error, writers)
	var first sync.Once
	var all sync.WaitGroup
	part := len(tags) / writers
	for i := range writers {
		all.Go(func() {
			for call := range slices.Chunk(tags[i*part:(i+1)*part], callTags) {
				if errs[i] = insertCalls(ctx, s, call, callTags, len(call)); errs[i] != nil {
					return
				}
				done[i].Add(1)
			}
			first.Do(func() {
				share = done[i].Load()
				for k := range done {
					share = min(share, done[k].Load())
				}
			})
		})
	}
	all.Wait()
	return share, errors.Join(errs...)
}

// reads measures on one database a schema, which is filled once.
func (j *jobs) reads(ctx context.Context, n int) (err error) {
	places := map[string]place{}
	defer func() {
		for _, p := range places {
			err = errors.Join(err, j.engine.drop(p))
		}
	}()
	stores := map[string]store{}
	defer func() { // before the databases are dropped
		for _, s := range stores {
			err = errors.Join(err, s.close())
		}
	}()
	for _, s := range j.engine.subjects {
		p, filled := places[s.schema.name]
		if !filled {
			if p, err = j.engine.create(ctx); err != nil {
				return err
			}
			places[s.schema.name] = p
			if err := j.fill(ctx, s, p, n); err != nil {
				return fmt.Errorf("fill for %s: %w", s.name, err)
			}
		}
		if stores[s.name], err = s.open(ctx, p); err != nil {
			return err
		}
	}
	for _, of := range scopes() {
		if err := j.rollups(ctx, stores, of, n); err != nil {
			return fmt.Errorf("rollup by %s: %w", of.kind, err)
		}
	}
	if err := j.pages(ctx, stores, n); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return j.exports(ctx, stores, n)
}

// fill writes n tags by one of the subjects of a schema, in calls of 10,000.
func (j *jobs) fill(ctx context.Context, s subject, p place, n int) (err error) {
	progress("%s: fill the schema of %s with %d tags", j.engine.name, s.name, n)
	if err := s.schema.tables(ctx, p); err != nil {
		return err
	}
	if err := fillTables(ctx, s, p, n); err != nil {
		return err
	}
	return s.schema.index(ctx, p)
}

func fillTables(ctx context.Context, s subject, p place, n int) (err error) {
	opened, err := s.open(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.close()) }()
	if err := opened.link(ctx, newGraph()); err != nil {
		return err
	}
	next := tagSource()
	for written := 0; written < n; {
		call := min(10_000, n-written)
		if _, err := opened.insert(ctx, take(next, call)); err != nil {
			return err
		}
		if written += call; written%1_000_000 == 0 {
			progress("%s: %d of %d tags", s.name, written, n)
		}
	}
	return nil
}

// rollups fails unless all subjects answer alike.
func (j *jobs) rollups(ctx context.Context, stores map[string]store, of scope, n int) error {
	progress("%s: %d tags, rollup by %s", j.engine.name, n, of.kind)
	want, err := stores[ttpstoreName].rollup(ctx, of)
	if err != nil {
		return err
	}
	if want.tags == 0 {
		return errors.New("there are no tags")
	}
	for _, s := range j.engine.subjects { // which also warms up the caches
		got, err := stores[s.name].rollup(ctx, of)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if got != want {
			return fmt.Errorf("%s counts %+v, %s %+v", s.name, got, ttpstoreName, want)
		}
	}
	return j.each(ctx, func(_ int, s subject) error {
		t, err := timed(func() error {
			_, err := stores[s.name].rollup(ctx, of)
			return err
		})
		j.add(s, rollupOf+of.kind, n, seconds, t)
		return err
	})
}

func (j *jobs) pages(ctx context.Context, stores map[string]store, n int) error {
	progress("%s: %d tags, page in the middle", j.engine.name, n)
	read := map[string]func(context.Context) (int, error){}
	for name, s := range stores {
		var err error
		if read[name], err = s.page(ctx, n/2); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return j.each(ctx, func(_ int, s subject) error {
		t, err := timed(func() error {
			got, err := read[s.name](ctx)
			if err == nil && got != pageTags {
				err = fmt.Errorf("%d tags on the page", got)
			}
			return err
		})
		j.add(s, deepPage, n, seconds, t)
		return err
	})
}

func (j *jobs) exports(ctx context.Context, stores map[string]store, n int) error {
	progress("%s: %d tags, export", j.engine.name, n)
	return j.each(ctx, func(_ int, s subject) error {
		t, err := timed(func() error {
			got, err := stores[s.name].export(ctx, io.Discard)
			if err == nil && got != n {
				err = fmt.Errorf("%d tags exported, not %d", got, n)
			}
			return err
		})
		j.add(s, exportAll, n, seconds, t)
		return err
	})
}

// fleet measures one rollup of a store that is too large to have one for each subject. It lies in the
// folder's file of that size, in which an earlier run may have left it: to write its tags again changes
// nothing.
func (j *jobs) fleet(ctx context.Context) error {
	n := j.config.fleet
	p, subject := place{file: filepath.Join(j.dir, fmt.Sprintf("fleet-%d.db", n))}, ttpstoreSubject()
	if err := subject.schema.tables(ctx, p); err != nil {
		return err
	}
	stored, err := countTags(ctx, p)
	if err != nil {
		return err
	}
	if stored != int64(n) {
		if err := j.fill(ctx, subject, p, n); err != nil {
			return err
		}
	}
	opened, err := subject.open(ctx, p)
	if err != nil {
		return err
	}
	progress("%s: %d tags, rollup by fleet", j.engine.name, n)
	return errors.Join(j.fleetRollup(ctx, subject, opened, n), opened.close())
}

func countTags(ctx context.Context, p place) (n int64, err error) {
	s, err := ttp.Open(ctx, ttpstoreURL(p))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.CountTags(ctx, ttp.Fleet(), ttp.Filter{})
}

func (j *jobs) fleetRollup(ctx context.Context, s subject, opened store, n int) error {
	of := scope{kind: "fleet"}
	if got, err := opened.rollup(ctx, of); err != nil || got.tags != int64(n) {
		return errors.Join(err, fmt.Errorf("the rollup counts %d tags of %d", got.tags, n))
	}
	for range j.rounds {
		t, err := timed(func() error {
			_, err := opened.rollup(ctx, of)
			return err
		})
		if err != nil {
			return err
		}
		j.add(s, rollupOf+of.kind, n, seconds, t)
	}
	return nil
}
