package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

// filledStores measures reads of filled stores and inserts into these.
func (j *jobs) filledStores(ctx context.Context) error {
	var sizes []int
	if j.chose(readsJobs) {
		sizes = append(sizes, j.sizes...)
	}
	if j.chose(filledJobs) {
		sizes = append(sizes, j.filled...)
	}
	slices.Sort(sizes)
	for _, n := range slices.Compact(sizes) {
		err := j.filledStore(ctx, n)
		if errors.Is(err, errFillTime) {
			j.report.remark("%s: no store of %s tags, since filling one took longer than %s.", j.engine.name, thousands(n), j.fillTime)
			return nil
		}
		if err != nil {
			return fmt.Errorf("%d tags: %w", n, err)
		}
	}
	return nil
}

// filledStore fills one database per schema, which the subjects of the schema share.
func (j *jobs) filledStore(ctx context.Context, n int) (err error) {
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
	if j.chose(readsJobs) && slices.Contains(j.sizes, n) {
		if err := j.reads(ctx, stores, n); err != nil {
			return err
		}
	}
	if j.chose(filledJobs) && slices.Contains(j.filled, n) {
		return j.insertsInto(ctx, stores, n) // last, since it adds tags
	}
	return nil
}

// fill inserts n tags by a subject of each schema.
func (j *jobs) fill(ctx context.Context, s subject, p place, n int) (err error) {
	progress("%s: fill the schema of %s with %d tags", j.engine.name, s.name, n)
	if err := s.schema.tables(ctx, p); err != nil {
		return err
	}
	opened, err := s.open(ctx, p)
	if err != nil {
		return err
	}
	err = opened.link(ctx, newGraph())
	if err == nil {
		err = insertUpTo(ctx, opened, tagSource(), 0, n, j.fillDeadline())
	}
	if err = errors.Join(err, opened.close()); err != nil {
		return err
	}
	return s.schema.index(ctx, p)
}

var errFillTime = errors.New("filling the store takes too long")

// fillDeadline returns the end of the time limit, or zero without a limit.
func (j *jobs) fillDeadline() time.Time {
	if j.engine.name != mysqlEngine {
		return time.Time{}
	}
	return time.Now().Add(j.fillTime)
}

// insertUpTo inserts the next tags of a source, until n tags are written.
func insertUpTo(ctx context.Context, s store, next func() ttp.Tag, written, n int, deadline time.Time) error {
	for written < n {
		if !deadline.IsZero() && time.Now().After(deadline) {
			return errFillTime
		}
		call := min(fillTags(n), n-written)
		if err := insertCalls(ctx, s, take(next, call), call, call); err != nil {
			return err
		}
		if before := written; (before+call)/1_000_000 > before/1_000_000 {
			progress("%d of %d tags", before+call, n)
		}
		written += call
	}
	return nil
}

// fillTags is the number of tags per call when filling. Each call writes nearly all pages of an index of random IDs, so that
// larger calls fill faster.
func fillTags(n int) int {
	if n > 1_000_000 {
		return 100_000
	}
	return 10_000
}

// insertsInto measures first writes into a store of n tags and those of previous calls. The first call of each subject is
// not measured, since indexes that were created after the fill have no free space yet.
func (j *jobs) insertsInto(ctx context.Context, stores map[string]store, n int) error {
	progress("%s: %d tags, insert %d more", j.engine.name, n, j.callTags)
	next := tagSource()
	for range n { // already stored
		next()
	}
	insert := func(s subject) (float64, error) {
		tags := take(next, j.callTags)
		return once(func() error { return insertCalls(ctx, stores[s.name], tags, j.callTags, len(tags)) })
	}
	for _, s := range j.engine.subjects {
		if _, err := insert(s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return j.each(ctx, func(_ int, s subject) error {
		t, err := insert(s)
		j.add(s, filledInsert, n, seconds, t)
		return err
	})
}
