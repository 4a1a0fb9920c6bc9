package ttp

import (
	"cmp"
	"context"
	"encoding/json"
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

var countsByTime = scopeQueries[bucketCount]{fleet: countByTime, session: countSessionByTime, members: countMembersByTime}

// Bucket widths for [Store.Timeline].
const (
	Day  = 24 * time.Hour
	Week = 7 * Day // begins on Monday, as in ISO 8601
)

// MaxBuckets is the maximum number of buckets of a [Timeline].
const MaxBuckets = 10_000

// SeriesBy selects the series of a [Timeline].
type SeriesBy string

// The series of a timeline.
const (
	ByTechnique SeriesBy = "technique" // one per technique and sub-technique
	ByTactic    SeriesBy = "tactic"    // one per tactic
)

// Timeline holds the numbers of tags in consecutive buckets of time.
type Timeline struct {
	Start  time.Time        // of the first bucket, in UTC; zero without buckets
	Bucket time.Duration    // width of a bucket
	Counts []int64          // of all tags, by bucket
	Series []TimelineSeries // by descending Count, then by ID
}

type timelineJSON struct {
	Start  time.Time        `json:"start,omitzero"`
	Bucket window           `json:"bucket"`
	Counts []int64          `json:"counts"`
	Series []TimelineSeries `json:"series"`
}

// MarshalJSON returns {"start":"2026-03-15T00:00:00Z","bucket":"1d","counts":[...],"series":[...]}, with the bucket
// in the format of [FormatWindow], and without start if there are no buckets.
func (t Timeline) MarshalJSON() ([]byte, error) {
	return json.Marshal(timelineJSON{t.Start, window(t.Bucket), t.Counts, t.Series})
}

// UnmarshalJSON parses the format of MarshalJSON.
func (t *Timeline) UnmarshalJSON(text []byte) error {
	var read timelineJSON
	err := json.Unmarshal(text, &read)
	*t = Timeline{read.Start, time.Duration(read.Bucket), read.Counts, read.Series}
	return err
}

// TimelineSeries is the part of a [Timeline] for one technique, sub-technique or tactic.
type TimelineSeries struct {
	TechniqueID    string  `json:"technique_id,omitempty"`
	SubTechniqueID string  `json:"sub_technique_id,omitempty"`
	Tactic         string  `json:"tactic,omitempty"`
	Names                  // in the newest release of the series' tags
	Count          int64   `json:"count"`
	Counts         []int64 `json:"counts"` // by bucket
}

// Timeline counts the scope's tags that match f in buckets of UTC time. The bucket width is [Week], [Day] or any
// duration of whole microseconds that divides a day. The buckets cover the window of f; without Since they start at
// the first tag, and without Until they end at the last one, so that a timeline without tags may have no buckets.
// More than [MaxBuckets] buckets fail with [ErrInvalidQuery].
func (s *Store) Timeline(ctx context.Context, scope Scope, f Filter, bucket time.Duration, by SeriesBy) (Timeline, error) {
	const op = "timeline"
	var c checker
	scope.check(&c)
	filter := f.filterArgs(&c)
	if bucket != Week && (bucket < time.Microsecond || bucket%time.Microsecond != 0 || Day%bucket != 0) {
		c.refuse("bucket", "must be a week, or whole microseconds that divide a day")
	}
	if by != ByTechnique && by != ByTactic {
		c.refuse("by", "must be "+string(ByTechnique)+" or "+string(ByTactic))
	}
	if err := c.queryError(); err != nil {
		return Timeline{}, s.refuse(ctx, op, err)
	}
	names, err := s.names(ctx, op)
	if err != nil {
		return Timeline{}, err
	}
	t := timeline{origin: time.Time{}.UnixMicro(), width: bucket.Microseconds(), by: by, names: names}
	t.span(filter)
	if err := t.check(); err != nil {
		return Timeline{}, s.refuse(ctx, op, err)
	}
	return inScope(ctx, s, op, scope, false, filter, func(ctx context.Context, q queries, m members, a args) (Timeline, error) {
		a.Origin, a.Width = t.origin, t.width
		counts, err := countsByTime.read(ctx, q, m, a)
		if err != nil {
			return Timeline{}, err
		}
		return t.fill(counts)
	})
}

// timeline numbers buckets from origin, a Monday at midnight no later than any tag.
type timeline struct {
	origin, width int64 // microseconds
	by            SeriesBy
	names         *catalogue
	first, last   int64 // bucket numbers
	openFirst     bool  // start at the first bucket with tags
	openLast      bool  // end at the last bucket with tags
}

// span sets the buckets of the filter's window.
func (t *timeline) span(filter filterArgs) {
	filter = filter.orEverything()
	t.openFirst, t.openLast = filter.Since == everything.Since, filter.Before == everything.Before
	t.first, t.last = (filter.Since-t.origin)/t.width, (filter.Before-1-t.origin)/t.width
}

func (t *timeline) check() error {
	if t.openFirst || t.openLast || t.last-t.first < MaxBuckets {
		return nil
	}
	var c checker
	c.refuse("bucket", "makes more than "+strconv.Itoa(MaxBuckets)+" buckets: choose a wider bucket or a narrower window")
	return c.queryError()
}

// bucketCount is the number of tags of a group in a bucket.
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
	series, newest := map[int64]*TimelineSeries{}, map[int64]groupKey{}
	for _, c := range counts {
		key, one := t.series(c.key)
		if series[key] == nil {
			one.Counts = make([]int64, len(out.Counts))
			series[key] = &one
		}
		newest[key] = t.names.newer(newest[key], c.key%tacticUnit, one.Tactic, one.TechniqueID, one.SubTechniqueID)
		out.Counts[c.bucket-t.first] += c.tags
		series[key].Counts[c.bucket-t.first] += c.tags
		series[key].Count += c.tags
	}
	for key, one := range series {
		one.Names = t.names.names(newest[key].release(), one.Tactic, one.TechniqueID, one.SubTechniqueID)
		out.Series = append(out.Series, *one)
	}
	slices.SortFunc(out.Series, func(a, b TimelineSeries) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.TechniqueID, b.TechniqueID),
			strings.Compare(a.SubTechniqueID, b.SubTechniqueID), strings.Compare(a.Tactic, b.Tactic))
	})
	return out, nil
}

// series returns the key and the empty series of a group.
func (t timeline) series(key groupKey) (int64, TimelineSeries) {
	if t.by == ByTactic {
		return int64(key / tacticUnit % 10_000), TimelineSeries{Tactic: key.tactic()}
	}
	technique, sub := key.technique().ids()
	return int64(key.technique()), TimelineSeries{TechniqueID: technique, SubTechniqueID: sub}
}
