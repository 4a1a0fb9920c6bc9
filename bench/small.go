package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/decnet/ttpstore/ttp"
)

// smallCall is a kind of small call: the tags per call and the concurrent writers.
type smallCall struct {
	writers, tags int
	oneTechnique  bool
}

func (c smallCall) String() string {
	techniques := "many techniques"
	if c.oneTechnique {
		techniques = "one technique"
	}
	return fmt.Sprintf("%s x %s, %s", counted(c.writers, "writer"), counted(c.tags, "tag"), techniques)
}

func (c smallCall) row(engine string, unit unit) row {
	return row{smallTable, engine, c.String(), c.tags, unit}
}

// small measures small calls, which are typical of services.
func (j *jobs) small(ctx context.Context) error {
	for _, c := range j.smallCalls() {
		if err := j.measureSmall(ctx, c); err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
	}
	return nil
}

// smallCalls returns all measured kinds.
func (c config) smallCalls() []smallCall {
	var out []smallCall
	for _, oneTechnique := range []bool{true, false} {
		for _, tags := range c.smallTags {
			for _, writers := range c.smallWriters {
				out = append(out, smallCall{writers, tags, oneTechnique})
			}
		}
	}
	return out
}

// smallDatabase is the database of a subject, with tags that are not stored in it.
type smallDatabase struct {
	*database
	fresh *freshTags
}

// measureSmall measures one kind of calls on new databases: fast subjects insert more tags, which must not slow down their
// later calls.
func (j *jobs) measureSmall(ctx context.Context, c smallCall) (err error) {
	progress("%s: %s", j.engine.name, c)
	databases := map[string]smallDatabase{}
	defer func() {
		for _, d := range databases {
			err = errors.Join(err, d.discard())
		}
	}()
	next := tagSource()
	if c.oneTechnique {
		next = ofOneTechnique(next)
	}
	filled := take(next, j.smallFill)
	pool := take(next, freshPool)
	for _, s := range j.engine.subjects {
		d, err := j.openNew(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		databases[s.name] = smallDatabase{d, &freshTags{tags: pool}}
		if err := j.warmUp(ctx, c, databases[s.name], filled); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return j.each(ctx, func(_ int, s subject) error { return j.smallRound(ctx, c, s, databases[s.name]) })
}

// warmUp fills the database and opens the connections.
func (j *jobs) warmUp(ctx context.Context, c smallCall, d smallDatabase, filled []ttp.Tag) error {
	if err := insertCalls(ctx, d, filled, len(filled), len(filled)); err != nil {
		return err
	}
	_, _, err := repeatFor(ctx, j.smallTime/4, c.writers, func(ctx context.Context) error {
		return insertCalls(ctx, d, d.fresh.take(c.tags), c.tags, c.tags)
	})
	return err
}

func (j *jobs) smallRound(ctx context.Context, c smallCall, s subject, d smallDatabase) error {
	runtime.GC() // of the previous subject
	before, err := j.workOn(ctx, d.place)
	if err != nil {
		return err
	}
	l := newLatencies()
	_, elapsed, err := repeatFor(ctx, j.smallTime, c.writers, func(ctx context.Context) error {
		tags := d.fresh.take(c.tags)
		return l.timed(func() error { return insertCalls(ctx, d, tags, c.tags, c.tags) })
	})
	if err != nil {
		return err
	}
	after, err := j.workOn(ctx, d.place)
	if err != nil {
		return err
	}
	calls := float64(l.calls())
	add := func(unit unit, value float64) {
		j.report.add(sample{c.row(j.engine.name, unit), s.name, value})
	}
	add(secondsPerTag, elapsed.Seconds()/calls/float64(c.tags))
	add(p50, l.seconds(50))
	add(p99, l.seconds(99))
	if j.engine.work != nil {
		work := after.since(before)
		add(roundTrips, float64(work.roundTrips)/calls)
		add(serverTime, work.busy.Seconds()/calls)
		add(lockTime, work.locked.Seconds()/calls)
	}
	return nil
}

func (j *jobs) workOn(ctx context.Context, p place) (serverWork, error) {
	if j.engine.work == nil {
		return serverWork{}, nil
	}
	return j.engine.work(ctx, p)
}
