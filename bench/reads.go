package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// reads measures on one database a schema, which is filled once, and at last adds to the largest.
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
	if n <= mostExported {
		if err := j.exports(ctx, stores, n); err != nil {
			return fmt.Errorf("export: %w", err)
		}
	}
	if n == slices.Max(j.sizes) {
		return j.insertsInto(ctx, stores, n) // last, since it adds to the stores
	}
	return nil
}

// mostExported is the largest store that is exported: one of a million tags takes all subjects minutes a round
// to say the same again.
const mostExported = 100_000

// fillTags is the number of tags in a call that fills.
const fillTags = 10_000

// fill writes n tags by one of the subjects of a schema.
func (j *jobs) fill(ctx context.Context, s subject, p place, n int) error {
	progress("%s: fill the schema of %s with %d tags", j.engine.name, s.name, n)
	if err := s.schema.tables(ctx, p); err != nil {
		return err
	}
	if err := fillTables(ctx, s, p, n, fillTags); err != nil {
		return err
	}
	return s.schema.index(ctx, p)
}

func fillTables(ctx context.Context, s subject, p place, n, callTags int) (err error) {
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
		call := min(callTags, n-written)
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

// insertsInto measures first writes into a store that holds n tags and those of the calls before. Each
// subject's first call is not measured: indexes that were made after the fill have no room yet.
func (j *jobs) insertsInto(ctx context.Context, stores map[string]store, n int) error {
	progress("%s: %d tags, insert %d more", j.engine.name, n, j.callTags)
	next := tagSource()
	take(next, n) // which are there
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
