package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/decnet/ttpstore/ttp"
)

func TestTimeline(t *testing.T) {
	c := twoAttackers(t)
	t.Setenv("COLUMNS", "80")
	c.want(result{exitSuccess, `START             COUNT
2026-03-15 12:00      3  ██████████████████████████████████████████████████████
2026-03-16 00:00      1  ██████████████████
2026-03-16 12:00      1  ██████████████████
2026-03-17 00:00      1  ██████████████████

TACTIC                    COUNT
TA0006 Credential Access      3  █ ▄
`, "showing 1 of 3 sparklines; use --top 0 for all\n"}, "", "timeline", "fleet", "--by=tactic", "--bucket=12h", "--top=1", "-o=table")
	c.want(result{exitSuccess, `START       COUNT
2026-03-09      0
2026-03-16      1  ████████████████████████████████████████████████████████████
2026-03-23      0

TECHNIQUE                           COUNT
T1082 System Information Discovery      1   █
`, ""}, "", "timeline", "session", "s1", "--bucket=1w", "--technique=T1082", "--since=2026-03-09", "--until=2026-03-23T00:00:01Z", "-o=table")
	if got := c.runWith("", "timeline", "session", "s1", "--bucket=500ms", "--technique=T1082", "-o=table"); !strings.HasPrefix(got.stdout,
		"START                       COUNT\n2026-03-16 00:00:00.000000      1  ███") {
		t.Errorf("%+v", got)
	}
	c.want(result{exitSuccess, "start\tcount\tagainst_count\n2026-03-15T00:00:00Z\t3\t\n2026-03-16T00:00:00Z\t1\t\n", ""},
		"", "timeline", "session", "s1")
	c.want(result{exitSuccess, "", "no tag has session none\n"}, "", "timeline", "session", "none")
	c.want(result{exitSuccess, "", "no tags match: fleet has 6 tags\n"}, "", "timeline", "fleet", "--since=2026-01-01", "--until=2026-01-09", "-o=table")
}

func TestTimelineBesideAnother(t *testing.T) {
	c := twoAttackers(t)
	for args, want := range map[string]string{
		"session s1 --against fleet": `start,count,against_count
2026-03-15T00:00:00Z,3,3
2026-03-16T00:00:00Z,1,2
2026-03-17T00:00:00Z,0,1
`,
		"fleet --previous --since 2026-03-16 --until 2026-03-18": `start,count,against_count
2026-03-16T00:00:00Z,2,0
2026-03-17T00:00:00Z,1,3
`,
		`session s2 --against "session s1" --bucket 1w`: `start,count,against_count
2026-03-09T00:00:00Z,0,3
2026-03-16T00:00:00Z,2,1
`,
	} {
		c.want(result{exitSuccess, want, ""}, "", append([]string{"timeline", "-o=csv"}, shellWords(args)...)...)
	}
	c.wantWrong("--previous requires --since", "timeline", "timeline", "fleet", "--previous")
	c.wantWrong("--against and --previous are mutually exclusive", "timeline", "timeline", "fleet", "--previous", "--since=7d", "--against=fleet")
	c.wantWrong(`invalid argument "x" for "--against" flag: unknown scope "x", must be fleet, identity, attacker, campaign or session`,
		"timeline", "timeline", "fleet", "--against=x")
}

func TestTimelineAsJSON(t *testing.T) {
	c := twoAttackers(t)
	for _, test := range []struct {
		args string
		want ttp.Timeline
	}{
		{"fleet --by tactic --top 1", ttp.Timeline{
			Start: time.Date(2026, 3, 15, 0, 0, 0, 0, time.UTC), Bucket: ttp.Day, Counts: []int64{3, 2, 1},
			Series: []ttp.TimelineSeries{
				{Tactic: "TA0006", Names: ttp.Names{TacticName: "Credential Access"}, Count: 3, Counts: []int64{2, 1, 0}},
				{Tactic: "TA0007", Names: ttp.Names{TacticName: "Discovery"}, Count: 2, Counts: []int64{0, 1, 1}},
				{Tactic: "TA0001", Names: ttp.Names{TacticName: "Initial Access"}, Count: 1, Counts: []int64{1, 0, 0}},
			},
		}},
		{"session none --bucket 15m", ttp.Timeline{Bucket: 15 * time.Minute, Counts: []int64{}, Series: []ttp.TimelineSeries{}}},
	} {
		got := c.runWith("", append([]string{"timeline", "--json"}, strings.Fields(test.args)...)...)
		var timeline ttp.Timeline
		if err := json.Unmarshal([]byte(got.stdout), &timeline); err != nil || got.status != exitSuccess || (got.stderr != "") != strings.Contains(test.args, "none") {
			t.Errorf("%+v: %v", got, err)
		}
		if diff := cmp.Diff(test.want, timeline); diff != "" {
			t.Errorf("%s: %s", test.args, diff)
		}
	}
}

func TestBars(t *testing.T) {
	for _, test := range []struct {
		n, highest int64
		room       int
		want       string
	}{
		{0, 9, 10, ""}, {1, 1_000_000, 10, "▏"}, {1, 2, 1, "▌"}, {7, 8, 1, "▉"}, {8, 8, 1, "█"}, {9, 16, 2, "█▏"}, {1, 3, 3, "█"},
	} {
		if got := bar(test.n, test.highest, test.room); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
	for _, test := range []struct {
		counts []int64
		room   int
		want   string
	}{
		{[]int64{0, 1, 2, 3, 4, 5, 6, 7, 8}, 20, " ▁▂▃▄▅▆▇█"},
		{[]int64{1, 1000, 0}, 3, "▁█ "},
		{[]int64{0, 8, 0, 0, 4, 0, 1}, 3, "█ ▄"}, // of 2, 2 and 3
	} {
		if got := sparkline(test.counts, test.room); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

// No line is wider than the terminal, for any number of buckets and any counts.
func TestTimelineFitsTheTerminal(t *testing.T) {
	timeline := ttp.Timeline{Start: time.Date(2026, 3, 15, 0, 0, 0, 0, time.UTC), Bucket: time.Hour}
	for i := range 400 {
		timeline.Counts = append(timeline.Counts, int64(i)*1_000_000)
	}
	timeline.Series = []ttp.TimelineSeries{{TechniqueID: "T1110", SubTechniqueID: "T1110.001", Count: 399 * 200 * 1_000_000, Counts: timeline.Counts}}
	for _, width := range []int{60, 80, 200} {
		longest := 0
		for line := range strings.Lines(drawTimeline(display{width: width}, timelinePair{here: timeline}, timeline.Series)) {
			longest = max(longest, len([]rune(strings.TrimSpace(line))))
		}
		if longest > width || longest < width-20 {
			t.Error(width, longest)
		}
	}
}

func TestWrongTimeline(t *testing.T) {
	c := twoAttackers(t)
	for _, test := range []struct{ args, message string }{
		{"--bucket day", `invalid argument "day" for "--bucket" flag: must be a duration such as 15m, 1h, 1d or 1w, at most 106751d`},
		{"--bucket -1h", `invalid argument "-1h" for "--bucket" flag: must be a duration such as 15m, 1h, 1d or 1w, at most 106751d`},
		{"--by rule", `invalid argument "rule" for "--by" flag: must be technique or tactic`},
		{"--top -1", `invalid argument "-1" for "--top" flag: must be a whole number, at least 0`},
		{"--bucket 7h", "timeline: invalid query: bucket: must be a week, or whole microseconds that divide a day"},
		{"--bucket 2w", "timeline: invalid query: bucket: must be a week, or whole microseconds that divide a day"},
		{"--bucket 0s", "timeline: invalid query: bucket: must be a week, or whole microseconds that divide a day"},
		{"--bucket 1s", "timeline: invalid query: bucket: makes more than " + strconv.Itoa(ttp.MaxBuckets) +
			" buckets: choose a wider bucket or a narrower window"},
	} {
		c.wantWrong(test.message, "timeline", append([]string{"timeline", "fleet"}, strings.Fields(test.args)...)...)
	}
}

// A long gap is one line of the table; a short one is drawn.
func TestTimelineGap(t *testing.T) {
	c := newCLI(t)
	tags := tagLine("a", "TA0006", "T1110", "0.6", "2023-01-01T12:00:00Z") + tagLine("b", "TA0006", "T1110", "0.6", "2026-01-01T12:00:00Z") +
		tagLine("c", "TA0006", "T1110", "0.6", "2026-01-03T12:00:00Z")
	if got := c.runWith(tags, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	got := strings.Split(c.runWith("", "timeline", "fleet", "-o=table", "--by=tactic").stdout, "\n")
	bar := strings.Repeat("█", 80-len("2023-01-01")-1-2*gap-len("COUNT"))
	want := []string{
		"START       COUNT", "2023-01-01      1  " + bar, "…                  1,095 empty buckets",
		"2026-01-01      1  " + bar, "2026-01-02      0", "2026-01-03      1  " + bar,
	}
	if diff := cmp.Diff(want, got[:len(want)]); diff != "" {
		t.Error(diff)
	}
	if n := len(c.rows("timeline", "fleet")); n != 1099 {
		t.Errorf("%d rows", n)
	}
}
