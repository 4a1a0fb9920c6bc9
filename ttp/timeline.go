package ttp

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	countByTime        = many((*sqlitegen.Queries).CountByTime, (*mysqlgen.Queries).CountByTime, toBucketCount, toBucketCount)
	countMembersByTime = many((*sqlitegen.Queries).CountMembersByTime, (*mysqlgen.Queries).CountMembersByTime, toBucketCount, toBucketCount)
	countSessionByTime = many((*sqlitegen.Queries).CountSessionByTime, (*mysqlgen.Queries).CountSessionByTime, toBucketCount, toBucketCount)
)

var countsByTime = scopeQueries[bucketCount]{countByTime, countSessionByTime, countMembersByTime}

// Widths of a timeline's buckets beside those that divide a day.
const (
	Day  = 24 * time.Hour
	Week = 7 * Day // begins on Monday, as in ISO 8601
)

// MaxBuckets is the highest number of buckets of a [Timeline].
const MaxBuckets = 10_000

// SeriesBy says what a [Timeline] has one series for.
type SeriesBy string

// What a timeline can have series for.
const (
	ByTechnique SeriesBy = "technique" // each technique and sub-technique
	ByTactic    SeriesBy = "tactic"
)

// Timeline counts tags in buckets of time, those without tags as 0.
type Timeline struct {
	Start  time.Time        `json:"start"`  // of the first bucket, in UTC; means nothing without buckets
	Bucket time.Duration    `json:"bucket"` // the width of each, in nanoseconds
	Counts []int64          `json:"counts"` // of all tags, by bucket
	Series []TimelineSeries `json:"series"` // by Count, the highest first, then by id
}

// TimelineSeries is the part of a [Timeline] that shows one technique, sub-technique or tactic.
type TimelineSeries struct {
	TechniqueID    string  `json:"technique_id,omitempty"`
	SubTechniqueID string  `json:"sub_technique_id,omitempty"`
	Tactic         string  `json:"tactic,omitempty"`
	Count          int64   `json:"count"`
	Counts         []int64 `json:"counts"` // by bucket
}

// Timeline counts the scope's tags that match the filter in buckets of UTC time. The bucket is [Week],
// [Day] or any duration of whole microseconds that divides a day. The first bucket holds Since, the last what is
// just before Until; a side that the filter leaves open ends with the tags, so that without tags there
// may be no bucket. More than [MaxBuckets] are refused with [ErrInvalidQuery].
func (s *Store) Timeline(ctx context.Context, scope Scope, f Filter, bucket time.Duration, by SeriesBy) (Timeline, error) {
	const op = "timeline"
	var c checker
	b := f.filterArgs(&c)
	if bucket != Week && (bucket < time.Microsecond || bucket%time.Microsecond != 0 || Day%bucket != 0) {
		c.refuse("bucket", "must be a week, or whole microseconds that divide a day")
	}
	if by != ByTechnique && by != ByTactic {
		c.refuse("by", "must be "+string(ByTechnique)+" or "+string(ByTactic))
	}
	if err := c.queryError(); err != nil {
		return Timeline{}, s.fail(ctx, op, err)
	}
	t := timeline{origin: time.Time{}.UnixMicro(), width: bucket.Microseconds(), by: by}
	t.span(b)
	if err := t.check(); err != nil {
		return Timeline{}, s.fail(ctx, op, err)
	}
	return inScope(ctx, s, op, scope, b, func(ctx context.Context, q queries, m members, a args) (Timeline, error) {
		a.Origin, a.Width = t.origin, t.width
		counts, err := countsByTime.read(ctx, q, m, a)
		if err != nil {
			return Timeline{}, err
		}
		return t.fill(counts)
	})
}

// timeline counts buckets from the origin, a Monday at midnight no later than any tag.
type timeline struct {
	origin, width int64 // microseconds
	by            SeriesBy
	first, last   int64 // buckets
	openFirst     bool  // the first bucket is the first with tags
	openLast      bool
}

// span sets the buckets that the window gives.
func (t *timeline) span(b filterArgs) {
	b = b.orEverything()
	t.openFirst, t.openLast = b.Since == everything.Since, b.Before == everything.Before
	t.first, t.last = (b.Since-t.origin)/t.width, (b.Before-1-t.origin)/t.width
}

func (t *timeline) check() error {
	if t.openFirst || t.openLast || t.last-t.first < MaxBuckets {
		return nil
	}
	var c checker
	c.refuse("bucket", "makes more than "+strconv.Itoa(MaxBuckets)+" buckets: choose a wider one, or a narrower window")
	return c.queryError()
}

// bucketCount is the number of tags of one group in one bucket.
type bucketCount struct {
	bucket int64
	key    groupKey
	tags   int64
}

type bucketRow interface {
	sqlitegen.CountByTimeRow | mysqlgen.CountByTimeRow |
		sqlitegen.CountMembersByTimeRow | mysqlgen.CountMembersByTimeRow |
		sqlitegen.CountSessionByTimeRow | mysqlgen.CountSessionByTimeRow
}

func toBucketCount[R bucketRow](row R) bucketCount {
	r := sqlitegen.CountByTimeRow(row)
	return bucketCount{r.Bucket, groupKey(r.TechniqueKey), r.Tags}
}

func (t timeline) fill(counts []bucketCount) (Timeline, error) {
	out := Timeline{Bucket: time.Duration(t.width) * time.Microsecond, Counts: []int64{}, Series: []TimelineSeries{}}
	if len(counts) == 0 && (t.openFirst || t.openLast) {
		return out, nil
	}
	byBucket := func(a, b bucketCount) int { return cmp.Compare(a.bucket, b.bucket) }
	if t.openFirst {
		t.first = slices.MinFunc(counts, byBucket).bucket
	}
	if t.openLast {
		t.last = slices.MaxFunc(counts, byBucket).bucket
	}
	t.openFirst, t.openLast = false, false
	if err := t.check(); err != nil {
		return Timeline{}, err
	}
	out.Start = toTime(t.origin + t.first*t.width)
	out.Counts = make([]int64, t.last-t.first+1)
	series := map[int64]*TimelineSeries{}
	for _, c := range counts {
		key, one := t.series(c.key)
		if series[key] == nil {
			one.Counts = make([]int64, len(out.Counts))
			series[key] = &one
		}
		out.Counts[c.bucket-t.first] += c.tags
		series[key].Counts[c.bucket-t.first] += c.tags
		series[key].Count += c.tags
	}
	for _, one := range series {
		out.Series = append(out.Series, *one)
	}
	slices.SortFunc(out.Series, func(a, b TimelineSeries) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.TechniqueID, b.TechniqueID),
			strings.Compare(a.SubTechniqueID, b.SubTechniqueID), strings.Compare(a.Tactic, b.Tactic))
	})
	return out, nil
}

// series returns the series that a group counts for, and its key.
func (t timeline) series(key groupKey) (int64, TimelineSeries) {
	if t.by == ByTactic {
		return int64(key / tacticUnit % 10_000), TimelineSeries{Tactic: key.tactic()}
	}
	technique, sub := key.technique().ids()
	return int64(key.technique()), TimelineSeries{TechniqueID: technique, SubTechniqueID: sub}
}
