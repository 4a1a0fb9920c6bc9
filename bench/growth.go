package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

const (
	insertOne      = "insert of 1 tag"
	insertThousand = "insert of 1,000 tags"
	expireThousand = "retention: 1,000 of the oldest tenth of the tags"
	fleetRollup    = rollupOf + "fleet"
	databaseSize   = "database, bytes a tag"

	// growthInserts is the number of calls of one tag in a round, enough to include a checkpoint.
	growthInserts = 100
)

// grow measures a store of ttpstore at several sizes while it grows. It always holds the first tags of the source.
func (j *jobs) grow(ctx context.Context) (err error) {
	s := ttpstoreSubject()
	p, err := j.engine.create(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.engine.drop(p)) }()
	if err := s.schema.tables(ctx, p); err != nil {
		return err
	}
	g := &grower{jobs: j, subject: s, place: p, next: tagSource()}
	deadline := j.fillDeadline()
	for _, n := range j.growth {
		progress("%s: grow to %d tags", j.engine.name, n)
		err := g.opened(ctx, func(opened ttpstore) error {
			if g.written == 0 {
				if err := opened.link(ctx, newGraph()); err != nil {
					return err
				}
			}
			return insertUpTo(ctx, opened, g.take, g.written, n, deadline)
		})
		if errors.Is(err, errFillTime) {
			j.report.remark("%s: the growing store had %s of %s tags after %s.", j.engine.name, thousands(g.written), thousands(n), j.fillTime)
			return nil
		}
		if err != nil {
			return err
		}
		if err := g.measure(ctx, n); err != nil {
			return fmt.Errorf("%d tags: %w", n, err)
		}
	}
	return g.expire(ctx, j.growth[len(j.growth)-1])
}

// grower writes the tags of a source to one store.
type grower struct {
	*jobs
	subject subject
	place   place
	next    func() ttp.Tag
	written int
}

func (g *grower) take() ttp.Tag {
	g.written++
	return g.next()
}

// opened calls do with the store. Closing it runs ANALYZE on SQLite and truncates the WAL.
func (g *grower) opened(ctx context.Context, do func(ttpstore) error) (err error) {
	opened, err := openTTPStore(ctx, g.place)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.close()) }()
	return do(opened.(ttpstore))
}

func (g *grower) measure(ctx context.Context, n int) error {
	progress("%s: measure %d tags", g.engine.name, n)
	if err := g.subject.schema.index(ctx, g.place); err != nil {
		return err
	}
	size, err := g.engine.size(ctx, g.place)
	if err != nil {
		return err
	}
	g.add(databaseSize, n, bytesPerTag, float64(size)/float64(g.written))
	return g.opened(ctx, func(opened ttpstore) error {
		for _, q := range growthReads(opened, n) {
			if err := g.measureRead(ctx, q, n); err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
		}
		return g.inserts(ctx, opened, n) // last, since they add tags
	})
}

func growthReads(s ttpstore, n int) []namedRead {
	reads := []namedRead{
		s.readRollup("", scope{kind: "fleet"}), s.readPage(middlePage, timeOf(n/2)),
		s.readWho(whoAll, ttp.Filter{}), s.readWho(whoShows, ttp.Filter{Technique: "T1001"}),
	}
	for _, of := range averageScopes() {
		reads = append(reads, s.readRollup(average, of))
	}
	for _, of := range busiestScopes() {
		reads = append(reads, s.readRollup(busiest, of))
	}
	return reads
}

// measureRead measures a read, after a first one that fills the caches.
func (g *grower) measureRead(ctx context.Context, q namedRead, n int) error {
	if err := q.run(ctx); err != nil {
		return err
	}
	for range g.rounds {
		t, err := timed(func() error { return q.run(ctx) })
		if err != nil {
			return err
		}
		g.add(q.name, n, seconds, t)
	}
	return nil
}

// inserts alternates between the rounds of both calls, so that both include the same checkpoints.
func (g *grower) inserts(ctx context.Context, s store, n int) error {
	for range g.rounds {
		ones, thousand := take(g.take, growthInserts), take(g.take, 1000)
		t, err := once(func() error { return insertCalls(ctx, s, ones, 1, len(ones)) })
		if err != nil {
			return err
		}
		g.add(insertOne, n, seconds, t/growthInserts)
		if t, err = once(func() error { return insertCalls(ctx, s, thousand, 1000, 1000) }); err != nil {
			return err
		}
		g.add(insertThousand, n, seconds, t)
	}
	return nil
}

// expire removes the oldest tenth of n tags, in as many calls as there are rounds.
func (g *grower) expire(ctx context.Context, n int) error {
	progress("%s: remove the oldest of %d tags", g.engine.name, n)
	return g.opened(ctx, func(s ttpstore) error {
		for round := range g.rounds {
			var receipt ttp.Receipt
			oldest := timeOf(n * (round + 1) / (10 * g.rounds))
			t, err := once(func() (err error) {
				receipt, err = s.ExpireTags(ctx, time.Since(oldest))
				return err
			})
			if err != nil {
				return err
			}
			if receipt.Tags == 0 {
				return fmt.Errorf("no tag is older than %s", oldest)
			}
			g.add(expireThousand, n, seconds, t*1000/float64(receipt.Tags))
		}
		return nil
	})
}

func (g *grower) add(job string, n int, unit unit, value float64) {
	g.report.add(sample{row{growthTable, g.engine.name, job, n, unit}, ttpstoreName, value})
}
