package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newTimelineCommand() *cobra.Command {
	var scope [1]ttp.Scope
	var asJSON *bool
	var filter *filterFlags
	bucket, by, top := ttp.Day, ttp.ByTechnique, number{10, 1, math.MaxInt}
	series := choice[ttp.SeriesBy]{&by, []ttp.SeriesBy{ttp.ByTechnique, ttp.ByTactic}}
	cmd := &cobra.Command{
		Use:   "timeline SCOPE",
		Short: "Count the tags of a scope over time",
		Long: `Count the tags of a scope in buckets of UTC time, including empty buckets.
` + scopeHelp + `

The output has a bar for each bucket, as wide as the terminal or 80 columns, followed by a sparkline for each
technique, sub-technique or tactic, scaled to its own highest bucket. A sparkline that is too narrow for all
buckets shows the maximum of neighbouring ones. The JSON output has all counts.`,
		Example: `  ttpstore timeline fleet --since 7d --bucket 1h
  ttpstore timeline identity e1292c78-2e52-5857-ae79-bbc6fe89e0c2 --by tactic
  ttpstore timeline fleet --bucket 1w --technique T1110 --sub-techniques --json`,
		Args:              takeScopes(scope[:]),
		ValidArgsFunction: completeScopes(1),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				timeline, err := store.Timeline(ctx, scope[0], filter.filter(), bucket, by)
				if err != nil {
					return err
				}
				if *asJSON {
					return printJSON(cmd, timeline)
				}
				return printTimeline(cmd, timeline, top.value)
			})
		},
	}
	flags := cmd.Flags()
	flags.Func("bucket", "bucket `duration`: 1w or a divisor of a day such as 15m or 1h (default 1d)", func(s string) (err error) {
		if bucket, err = ttp.ParseWindow(s); err != nil {
			return errors.New("must be a duration such as 15m, 1h, 1d or 1w, at most " + longestDuration)
		}
		return nil
	})
	flags.Var(series, "by", "draw a sparkline for each `technique|tactic`")
	flags.Var(&top, "top", "draw this `number` of sparklines, most frequent first")
	asJSON = addJSON(cmd)
	must(cmd.RegisterFlagCompletionFunc("bucket",
		cobra.FixedCompletions([]string{"15m", "1h", "1d", "1w"}, cobra.ShellCompDirectiveNoFileComp)))
	must(cmd.RegisterFlagCompletionFunc("by", series.complete))
	must(cmd.RegisterFlagCompletionFunc("top", cobra.NoFileCompletions))
	filter = addFilter(cmd)
	return cmd
}

func printTimeline(cmd *cobra.Command, t ttp.Timeline, top int) error {
	if len(t.Series) == 0 {
		notef(cmd.ErrOrStderr(), "no tags\n")
		return nil
	}
	shown := t.Series[:min(top, len(t.Series))]
	_, err := io.WriteString(cmd.OutOrStdout(), drawTimeline(t, shown, terminalWidth(cmd.OutOrStdout())))
	if err == nil && len(shown) < len(t.Series) {
		notef(cmd.ErrOrStderr(), "%d of %d lines shown, --top shows more\n", len(shown), len(t.Series))
	}
	return err
}

// drawTimeline draws a bar for each bucket and a line for each series.
func drawTimeline(t ttp.Timeline, series []ttp.TimelineSeries, width int) string {
	layout := "2006-01-02T15:04:05.000000Z"
	switch {
	case t.Bucket%ttp.Day == 0:
		layout = time.DateOnly
	case t.Bucket%time.Second == 0:
		layout = time.RFC3339
	}
	var total int64
	buckets := make([]int, len(t.Counts))
	for i, n := range t.Counts {
		buckets[i] = i
		total += n
	}
	// The width left by the other columns: no bucket start is shorter than a technique ID.
	room := max(10, width-len(t.Start.Format(layout))-max(len("COUNT"), len(strconv.FormatInt(total, 10)))-4)
	highest := slices.Max(t.Counts)
	return renderTable([]column[int]{
		textColumn("START", func(i int) string { return t.Start.Add(time.Duration(i) * t.Bucket).Format(layout) }),
		countColumn("COUNT", func(i int) int64 { return t.Counts[i] }),
		textColumn("", func(i int) string { return bar(t.Counts[i], highest, room) }),
	}, buckets) + "\n" + renderTable([]column[ttp.TimelineSeries]{
		textColumn("TECHNIQUE", func(s ttp.TimelineSeries) string { return cmp.Or(s.SubTechniqueID, s.TechniqueID) }),
		textColumn("TACTIC", func(s ttp.TimelineSeries) string { return s.Tactic }),
		countColumn("COUNT", func(s ttp.TimelineSeries) int64 { return s.Count }),
		textColumn("", func(s ttp.TimelineSeries) string { return sparkline(s.Counts, room) }),
	}, series)
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

// eighths returns how many eighths of a column n fills, rounded up, if whole fills all columns.
func eighths(n, whole int64, columns int) int {
	return int((n*8*int64(columns) + whole - 1) / whole)
}
