package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/decnet/ttpstore/ttp"
)

// writes measures inserts into new databases for each round and subject.
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
		if err := errors.Join(j.inserts(ctx, ofHoneypot, tags, nil), j.imports(ctx)); err != nil {
			return err
		}
	}
	return j.race(ctx)
}

// database is a new, open database with tables and indexes.
type database struct {
	store
	place place
	drop  func(place) error
}

func (j *jobs) openNew(ctx context.Context, s subject) (_ *database, err error) {
	p, err := j.engine.create(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.engine.drop(p))
		}
	}()
	if err := s.schema.tables(ctx, p); err != nil {
		return nil, err
	}
	if err := s.schema.index(ctx, p); err != nil {
		return nil, err
	}
	opened, err := s.open(ctx, p)
	return &database{opened, p, j.engine.drop}, err
}

// discard closes the database and drops it.
func (d *database) discard() error { return errors.Join(d.close(), d.drop(d.place)) }

// onNew calls do with a store on a new database, after inserting one tag to open the connection.
func (j *jobs) onNew(ctx context.Context, s subject, do func(store) error) (err error) {
	d, err := j.openNew(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.discard()) }()
	first := tagSource()()
	first.SourceID = "the first"
	if err := insertCalls(ctx, d, []ttp.Tag{first}, 1, 1); err != nil {
		return err
	}
	return do(d)
}

// insertCalls inserts tags call by call and checks the number of inserted ones.
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
		return fmt.Errorf("inserted %d tags, want %d", written, want)
	}
	return nil
}

// inserts measures a first write, its replay, and a call of which half are duplicates.
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

// imports measures ttpstore's import of the honeypot records, which also reads and checks their lines. It writes batches of
// the default size, as the command does.
func (j *jobs) imports(ctx context.Context) error {
	s := ttpstoreSubject()
	for range j.rounds {
		err := j.onNew(ctx, s, func(opened store) (err error) {
			file, err := os.Open(j.records)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, file.Close()) }()
			var report ttp.ImportReport
			t, err := once(func() (err error) {
				report, err = opened.(*database).store.(ttpstore).Import(ctx, file, ttp.ImportOptions{})
				return err
			})
			j.add(s, importAll+ofHoneypot, report.Inserted, seconds, t)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// goAllocations counts allocations of Go, not of C.
func goAllocations() float64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.Mallocs)
}

// race measures one writer, and several writers that share the same calls.
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

// writeAtOnce distributes the calls among concurrent writers. It returns the number of calls that the slowest writer had
// completed when the fastest had completed all of its own.
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
