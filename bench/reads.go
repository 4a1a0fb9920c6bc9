package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// reads measures the reads of stores with n tags.
func (j *jobs) reads(ctx context.Context, stores map[string]store, n int) error {
	for _, of := range scopes() {
		if err := j.rollups(ctx, stores, of, n); err != nil {
			return fmt.Errorf("rollup by %s: %w", of.kind, err)
		}
	}
	if err := j.pages(ctx, stores, n); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	if n > mostExported {
		return nil
	}
	if err := j.exports(ctx, stores, n); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

// mostExported is the size of the largest store that is exported. A million tags would take minutes per round.
const mostExported = 100_000

// rollups returns an error unless all subjects return the same rollup.
func (j *jobs) rollups(ctx context.Context, stores map[string]store, of scope, n int) error {
	progress("%s: %d tags, rollup by %s", j.engine.name, n, of.kind)
	want, err := stores[ttpstoreName].rollup(ctx, of)
	if err != nil {
		return err
	}
	if want.tags == 0 {
		return errors.New("got no tags")
	}
	for _, s := range j.engine.subjects { // which also warms up the caches
		got, err := stores[s.name].rollup(ctx, of)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if !got.same(want) {
			return fmt.Errorf("%s counted %+v, but %s %+v", s.name, got, ttpstoreName, want)
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
				err = fmt.Errorf("got %d tags on the page", got)
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
				err = fmt.Errorf("exported %d tags, want %d", got, n)
			}
			return err
		})
		j.add(s, exportAll, n, seconds, t)
		return err
	})
}
