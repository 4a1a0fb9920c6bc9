package conformance

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

var timelineCases = []testCase{
	{name: "TimelineFillsGaps", run: timelineFillsGaps},
	{name: "TimelineEndsWithItsWindow", run: timelineEndsWithItsWindow},
	{name: "PhasesDifferInDeckyTacticOrTime", run: phasesDifferInDeckyTacticOrTime},
	{name: "WeeksBeginOnMonday", run: weeksBeginOnMonday},
	{name: "TimelineOfTooManyBucketsIsRefused", run: timelineOfTooManyBucketsIsRefused},
}

func on(clock string, changes ...func(*ttp.Tag)) ttp.Tag {
	when, err := time.Parse(time.DateTime, clock)
	if err != nil {
		panic(err)
	}
	return newTag(clock+fmt.Sprint(len(changes)), append(changes, func(tag *ttp.Tag) { tag.ObservedAt = when })...)
}

func day(date string) time.Time {
	when, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	return when
}

func technique(technique, sub, tactic string) func(*ttp.Tag) {
	return func(tag *ttp.Tag) { tag.TechniqueID, tag.SubTechniqueID, tag.Tactic = technique, sub, tactic }
}

// The last days of 1969 have negative times.
func timelineFillsGaps(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s,
		on("1969-12-30 00:00:00", technique("T1110", "T1110.001", "TA0006")),
		on("1969-12-30 23:59:59", technique("T1078", "", "TA0001")),
		on("1970-01-02 12:00:00", technique("T1110", "T1110.001", "TA0006")),
		on("1970-01-02 13:00:00", technique("T1110", "", "TA0006")),
	)
	want := ttp.Timeline{
		Start: day("1969-12-30"), Bucket: ttp.Day, Counts: []int64{2, 0, 0, 2},
		Series: []ttp.TimelineSeries{
			{TechniqueID: "T1110", SubTechniqueID: "T1110.001", Count: 2, Counts: []int64{1, 0, 0, 1}},
			{TechniqueID: "T1078", Count: 1, Counts: []int64{1, 0, 0, 0}},
			{TechniqueID: "T1110", Count: 1, Counts: []int64{0, 0, 0, 1}},
		},
	}
	line := must[ttp.Timeline](t)
	for _, scope := range []ttp.Scope{ttp.Fleet(), ttp.OfAttacker(id("attacker"))} {
		equal(t, fmt.Sprint("by technique, ", scope), line(s.Timeline(ctx, scope, ttp.Filter{}, ttp.Day, ttp.ByTechnique)), want)
	}
	want.Series = []ttp.TimelineSeries{
		{Tactic: "TA0006", Count: 3, Counts: []int64{1, 0, 0, 2}},
		{Tactic: "TA0001", Count: 1, Counts: []int64{1, 0, 0, 0}},
	}
	equal(t, "by tactic", line(s.Timeline(ctx, ttp.Fleet(), ttp.Filter{}, ttp.Day, ttp.ByTactic)), want)
	equal(t, "unknown session", line(s.Timeline(ctx, ttp.OfSession("none"), ttp.Filter{}, ttp.Day, ttp.ByTactic)),
		ttp.Timeline{Bucket: ttp.Day, Counts: []int64{}, Series: []ttp.TimelineSeries{}})
}

func timelineEndsWithItsWindow(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, on("2026-03-01 10:00:00"), on("2026-03-01 10:20:00"), on("2026-03-01 11:00:00"))
	counts := func(since, until time.Time, bucket time.Duration) (time.Time, []int64) {
		line := must[ttp.Timeline](t)(s.Timeline(ctx, ttp.Fleet(), ttp.Filter{Since: since, Until: until}, bucket, ttp.ByTactic))
		return line.Start, line.Counts
	}
	noon := day("2026-03-01").Add(12 * time.Hour)
	for _, c := range []struct {
		since, until time.Time
		bucket       time.Duration
		start        time.Time
		counts       []int64
	}{
		{noon.Add(-2 * time.Hour), noon.Add(-time.Hour), 15 * time.Minute, noon.Add(-2 * time.Hour), []int64{1, 1, 0, 0}},
		{noon.Add(-2*time.Hour + 1), noon.Add(-time.Hour + 1), time.Hour, noon.Add(-2 * time.Hour), []int64{1, 1}},
		{noon, noon.Add(3 * time.Hour), time.Hour, noon, []int64{0, 0, 0}}, // buckets without tags
		{noon.Add(-3 * time.Hour), time.Time{}, time.Hour, noon.Add(-3 * time.Hour), []int64{0, 2, 1}},
		{time.Time{}, noon, time.Hour, noon.Add(-2 * time.Hour), []int64{2, 1}},
	} {
		start, got := counts(c.since, c.until, c.bucket)
		equal(t, fmt.Sprint("start from ", c.since, " until ", c.until), start, c.start)
		equal(t, fmt.Sprint("counts from ", c.since, " until ", c.until), got, c.counts)
	}
}

func phasesDifferInDeckyTacticOrTime(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	phase := func(decky, tactic string, count int64, microseconds int) ttp.Phase {
		return ttp.Phase{DeckyID: decky, Tactic: tactic, ObservedAt: at(microseconds), Count: count}
	}
	want := []ttp.Phase{
		phase("d1", "TA0001", 1, 0), phase("d1", "TA0006", 2, 0), phase("d2", "TA0006", 1, 0), phase("d1", "TA0006", 1, 1),
	}
	for i, p := range append(want, phase("d1", "TA0006", 0, 0), phase("", "TA0006", 0, 0)) {
		insert(t, s, newTag(fmt.Sprint(i), named("a", "i", "T1110"), func(tag *ttp.Tag) {
			tag.DeckyID, tag.Tactic, tag.ObservedAt = p.DeckyID, p.Tactic, p.ObservedAt
			tag.AttackRelease = fmt.Sprintf("enterprise-v%d.0", 10+i)
		}))
	}
	equal(t, "phases", must[[]ttp.Phase](t)(s.ListPhases(ctx, id("i"), ttp.Filter{})), want)
}

func weeksBeginOnMonday(t *testing.T, db *database) {
	s := db.store(t)
	insert(t, s, on("2026-03-01 23:59:59"), on("2026-03-02 00:00:00"), on("2026-03-15 12:00:00")) // Sunday, Monday, Sunday
	line := must[ttp.Timeline](t)(s.Timeline(context.Background(), ttp.Fleet(), ttp.Filter{}, ttp.Week, ttp.ByTactic))
	equal(t, "start", line.Start, day("2026-02-23"))
	equal(t, "counts", line.Counts, []int64{1, 1, 1})
}

func timelineOfTooManyBucketsIsRefused(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, on("2026-03-01 00:00:00"), on("2026-03-01 02:46:39"), on("2026-03-01 02:46:40"))
	start := day("2026-03-01")
	want := []ttp.Problem{{Field: "bucket", Reason: "makes more than 10000 buckets: choose a wider bucket or a narrower window"}}
	end := start.Add(10_001 * time.Second)
	for _, f := range []ttp.Filter{{}, {Since: start}, {Until: end}, {Since: start, Until: end}} {
		_, err := s.Timeline(ctx, ttp.Fleet(), f, time.Second, ttp.ByTactic)
		equal(t, fmt.Sprint("filter ", f), problemsOf(t, err), want)
	}
	line := must[ttp.Timeline](t)(s.Timeline(ctx, ttp.Fleet(), ttp.Filter{Until: start.Add(10_000 * time.Second)}, time.Second, ttp.ByTactic))
	equal(t, "buckets", len(line.Counts), 10_000)
}
