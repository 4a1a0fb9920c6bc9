package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/decnet/ttpstore/ttp"
)

// fleetFillTags is larger than fillTags: an index of ten million random ids has as many pages as that, and
// each call would write nearly all that it touches.
const fleetFillTags = 100_000

// fleet measures one rollup of a store that is too large to have one for each subject. It lies in the
// folder's file of that size, in which an earlier run may have left it, whole or in part: to write its tags
// again changes nothing, as long as tagSource makes the same.
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
		progress("%s: fill the store of the fleet with %d tags", j.engine.name, n)
		if err := fillTables(ctx, subject, p, n, fleetFillTags); err != nil { // ANALYZE would read it all
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
