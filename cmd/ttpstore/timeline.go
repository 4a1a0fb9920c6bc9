package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

type timelineOptions struct {
	scope    [1]scopeArg
	against  scopeArg
	compared bool // with against
	previous bool
	bucket   time.Duration
	by       ttp.SeriesBy
	top      number
	out      *output
	filter   *filterFlags
}

func newTimelineCommand() *cobra.Command {
	o := timelineOptions{bucket: ttp.Day, by: ttp.ByTechnique, top: number{10, 0, math.MaxInt}}
	series := choice[ttp.SeriesBy]{&o.by, []ttp.SeriesBy{ttp.ByTechnique, ttp.ByTactic}}
	cmd := &cobra.Command{
		Use:   "timeline SCOPE",
		Short: "Count the tags of a scope over time",
		Long: `Count the tags of a scope in time buckets, including empty ones. Buckets are
aligned to UTC.

` + scopeHelp + `

Tables have a bar for each bucket, followed by a sparkline for each technique,
sub-technique or tactic, scaled to its own maximum. If there are more buckets
than columns, a sparkline shows the maximum of neighbouring buckets. A long run
of empty buckets is one line. The other formats have all counts.

--against adds the counts of another scope, and --previous those of the
preceding window of the same length.`,
		Example: `  ttpstore timeline fleet --since 7d --bucket 1h
  ttpstore timeline identity e1292c78 --by tactic
  ttpstore timeline identity 192.0.2.17 --against fleet
  ttpstore timeline fleet --since 7d --previous
  ttpstore timeline fleet --bucket 1w --technique T1110 --sub-techniques --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			err := takeScopes(o.scope[:])(cmd, args)
			if err == nil && o.previous && o.filter.Since.IsZero() {
				err = errors.New("--previous requires --since")
			}
			return err
		},
		ValidArgsFunction: completeScopes(1),
		RunE:              func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	flags := cmd.Flags()
	flags.Func("bucket", "bucket `duration`: 1w or a divisor of a day such as 15m or 1h (default 1d)", func(s string) (err error) {
		if o.bucket, err = ttp.ParseWindow(s); err != nil {
			return errors.New("must be a duration such as 15m, 1h, 1d or 1w, at most " + longestDuration)
		}
		return nil
	})
	flags.Var(series, "by", "draw a sparkline for each `technique|tactic`")
	flags.Var(&o.top, "top", "draw at most this `number` of sparklines, most frequent first, 0 for all")
	flags.Func("against", "compare with this `scope`, such as fleet or \"campaign Copper Heron\"", func(s string) error {
		o.compared = true
		return setAnyScope(&o.against)(s)
	})
	flags.BoolVar(&o.previous, "previous", false, "compare with the window of the same length before --since")
	must(cmd.RegisterFlagCompletionFunc("bucket",
		cobra.FixedCompletions([]string{"15m", "1h", "1d", "1w"}, cobra.ShellCompDirectiveNoFileComp)))
	must(cmd.RegisterFlagCompletionFunc("by", series.complete))
	for _, name := range []string{"top", "against"} {
		must(cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions))
	}
	o.out = addOutput(cmd)
	o.filter = addFilter(cmd)
	exclusive(cmd, "against", "previous")
	return cmd
}

func (o *timelineOptions) run(cmd *cobra.Command) error {
	args := o.scope[:]
	if o.compared {
		args = append(args, o.against)
	}
	return withScopes(cmd, args, func(ctx context.Context, store *ttp.Store, scopes []ttp.Scope) error {
		filter := o.filter.filter()
		here, err := store.Timeline(ctx, scopes[0], filter, o.bucket, o.by)
		if err != nil {
			return err
		}
		if !o.compared && !o.previous {
			return o.print(ctx, cmd, store, scopes[0], timelinePair{here: here}, here)
		}
		pair := timelinePair{here: here, compared: true, name: "PREVIOUS"}
		if o.compared {
			pair.name = "AGAINST"
			pair.there, err = store.Timeline(ctx, scopes[1], filter, o.bucket, o.by)
		} else {
			before := previousWindow(filter, time.Now())
			pair.shift = filter.Since.Sub(before.Since)
			pair.there, err = store.Timeline(ctx, scopes[0], before, o.bucket, o.by)
		}
		if err != nil {
			return err
		}
		return o.print(ctx, cmd, store, scopes[0], pair, struct {
			Timeline ttp.Timeline `json:"timeline"`
			Against  ttp.Timeline `json:"against"`
		}{here, pair.there})
	})
}

// previousWindow returns the filter with the preceding window of the same length.
func previousWindow(f ttp.Filter, now time.Time) ttp.Filter {
	until := f.Until
	if until.IsZero() {
		until = now
	}
	f.Since, f.Until = f.Since.Add(-until.Sub(f.Since)), f.Since
	return f
}

func (o *timelineOptions) print(
	ctx context.Context, cmd *cobra.Command, store *ttp.Store, scope ttp.Scope, pair timelinePair, document any,
) error {
	shown := pair.here.Series
	if o.top.value > 0 {
		shown = shown[:min(o.top.value, len(shown))]
	}
	err := printDocument(cmd, o.out, document, pair.buckets(), func(d display) string {
		if len(pair.here.Series)+len(pair.there.Series) == 0 {
			return ""
		}
		return drawTimeline(d, pair, shown)
	})
	switch {
	case err != nil:
		return err
	case len(pair.here.Series) == 0:
		return noteEmpty(ctx, cmd, store, scope, o.filter.filter())
	case len(shown) < len(pair.here.Series) && o.out.format(cmd) == tableFormat:
		notef(cmd.ErrOrStderr(), "showing %d of %d sparklines; use --top 0 for all\n", len(shown), len(pair.here.Series))
	}
	return nil
}

// timelinePair is a timeline and, optionally, another one to compare it with.
type timelinePair struct {
	here, there ttp.Timeline
	compared    bool
	name        string        // of the other one
	shift       time.Duration // between the other one and this one
}

// timeBucket is a bucket of a timeline as a row.
type timeBucket struct {
	Start   time.Time `json:"start"`
	Count   int64     `json:"count"`
	Against *int64    `json:"against_count,omitempty"`
}

// buckets merges the buckets of both timelines by their start.
func (p timelinePair) buckets() []timeBucket {
	byStart := map[time.Time]*timeBucket{}
	add := func(t ttp.Timeline, shift time.Duration, count func(*timeBucket, int64)) {
		for i, n := range t.Counts {
			start := t.Start.Add(time.Duration(i)*t.Bucket + shift)
			start = start.Add(-shift % t.Bucket)
			if byStart[start] == nil {
				byStart[start] = &timeBucket{Start: start}
				if p.compared {
					byStart[start].Against = new(int64)
				}
			}
			count(byStart[start], n)
		}
	}
	add(p.here, 0, func(b *timeBucket, n int64) { b.Count += n })
	add(p.there, p.shift, func(b *timeBucket, n int64) { *b.Against += n })
	out := []timeBucket{}
	for _, b := range byStart {
		out = append(out, *b)
	}
	slices.SortFunc(out, func(a, b timeBucket) int { return a.Start.Compare(b.Start) })
	return out
}

// drawTimeline draws a bar for each bucket and a line for each series.
func drawTimeline(d display, pair timelinePair, series []ttp.TimelineSeries) string {
	layout := "2006-01-02 15:04:05.000000"
	switch width := pair.here.Bucket; {
	case width%ttp.Day == 0:
		layout = time.DateOnly
	case width%time.Minute == 0:
		layout = "2006-01-02 15:04"
	case width%time.Second == 0:
		layout = time.DateTime
	}
	buckets := pair.buckets()
	highest := int64(1)
	for _, b := range buckets {
		highest = max(highest, b.Count)
		if b.Against != nil {
			highest = max(highest, *b.Against)
		}
	}
	room := max(10, d.width-len(layout)-len(fmt.Sprint(highest))-2*gap-len("COUNT"))
	columns := []column[drawnBucket]{
		{name: "START", uncut: true, text: drawn("…", func(b timeBucket) string { return b.Start.Format(layout) })},
		bucketCount("COUNT", func(b timeBucket) int64 { return b.Count }),
	}
	drawBar := func(b drawnBucket) string { return cmp.Or(b.note(), bar(b.Count, highest, room)) }
	if pair.compared {
		room = max(10, (room-gap*2-len(pair.name))/2)
		columns = append(columns, drawnColumn("", drawBar),
			bucketCount(pair.name, func(b timeBucket) int64 { return *b.Against }),
			drawnColumn(" ", drawn("", func(b timeBucket) string { return bar(*b.Against, highest, room) })))
	} else {
		columns = append(columns, drawnColumn("", drawBar))
	}
	lines := []column[ttp.TimelineSeries]{
		textColumn("TECHNIQUE", func(s ttp.TimelineSeries) string {
			return technique(s.TechniqueID, s.SubTechniqueID, s.TechniqueName, s.SubTechniqueName)
		}),
		textColumn("TACTIC", func(s ttp.TimelineSeries) string { return strings.TrimSpace(s.Tactic + " " + s.TacticName) }),
		countColumn("COUNT", func(s ttp.TimelineSeries) int64 { return s.Count }),
		drawnColumn("", func(s ttp.TimelineSeries) string { return sparkline(s.Counts, max(10, d.width/2-10)) }),
	}
	text := renderTable(d, columns, withoutGaps(buckets))
	if len(series) > 0 {
		text += "\n" + renderTable(d, lines, series)
	}
	return text
}

func drawnColumn[T any](name string, draw func(T) string) column[T] {
	return column[T]{name: name, uncut: true, text: draw}
}

// bar draws n relative to the highest count in eighths of a column, rounded up so that only 0 is invisible.
func bar(n, highest int64, room int) string {
	eighths := eighths(n, highest, room)
	return strings.Repeat("█", eighths/8) + []string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}[eighths%8]
}

// sparkline draws one column per bucket or, if there is not enough room, the maximum of neighbouring buckets.
func sparkline(counts []int64, room int) string {
	highest, parts := slices.Max(counts), min(len(counts), room)
	var line strings.Builder
	for i := range parts {
		part := counts[i*len(counts)/parts : (i+1)*len(counts)/parts]
		line.WriteRune([]rune(" ▁▂▃▄▅▆▇█")[eighths(slices.Max(part), highest, 1)])
	}
	return line.String()
}

// eighths returns the width of a bar of n in eighths of a column, rounded up; a bar of whole fills all columns.
func eighths(n, whole int64, columns int) int {
	return int((n*8*int64(columns) + whole - 1) / whole)
}
