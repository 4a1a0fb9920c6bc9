package main

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

func TestParseTime(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 18, 23, 30, 0, 0, time.UTC) // a Wednesday, in Berlin Thursday
	for text, want := range map[string][2]string{         // in UTC and in Berlin
		"2026-03-15T17:06:27Z": {"2026-03-15T17:06:27Z", "2026-03-15T17:06:27Z"},
		"2018-06-01 12:00":     {"2018-06-01T12:00:00Z", "2018-06-01T10:00:00Z"},
		"2018-06-01 12:00:01":  {"2018-06-01T12:00:01Z", "2018-06-01T10:00:01Z"},
		"2018-06-01":           {"2018-06-01T00:00:00Z", "2018-05-31T22:00:00Z"},
		"2018-06":              {"2018-06-01T00:00:00Z", "2018-05-31T22:00:00Z"},
		"today":                {"2026-03-18T00:00:00Z", "2026-03-18T23:00:00Z"},
		"Yesterday":            {"2026-03-17T00:00:00Z", "2026-03-17T23:00:00Z"},
		"this week":            {"2026-03-16T00:00:00Z", "2026-03-15T23:00:00Z"},
		"last week":            {"2026-03-09T00:00:00Z", "2026-03-08T23:00:00Z"},
		"this month":           {"2026-03-01T00:00:00Z", "2026-02-28T23:00:00Z"},
		"last month":           {"2026-02-01T00:00:00Z", "2026-01-31T23:00:00Z"},
		"90m":                  {"2026-03-18T22:00:00Z", "2026-03-18T22:00:00Z"},
		"2w":                   {"2026-03-04T23:30:00Z", "2026-03-04T23:30:00Z"},
		"3y":                   {"2023-03-19T23:30:00Z", "2023-03-19T23:30:00Z"},
	} {
		for i, zone := range []*time.Location{time.UTC, berlin} {
			got, err := parseTime(text, now, zone)
			if err != nil || got.Format(time.RFC3339) != want[i] {
				t.Errorf("%s in %s: %s, %v, want %s", text, zone, got.Format(time.RFC3339), err, want[i])
			}
		}
	}
	sunday := time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC)
	if got, _ := parseTime("this week", sunday, time.UTC); !got.Equal(time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)) {
		t.Error("a week begins on Monday", got)
	}
	for _, text := range []string{"", "tomorrow", "2018-6", "2018-06-01 1:00", "2018-06-31", "0001-01", "week", "1.5y"} {
		if got, err := parseTime(text, now, time.UTC); err == nil {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// FuzzParseTime checks that times and dates format to their own text, and that other forms are before now.
func FuzzParseTime(f *testing.F) {
	for _, text := range []string{
		"2026-03-15T17:06:27Z", "2026-03-15T17:06:27.0000001+05:30", "2018-06-01 12:00", "2018-06-01 12:00:01",
		"2018-06-01", "2018-06", "today", "YESTERDAY", "this week", "last week", "this month", "last month", "90m", "2w", "3y",
		"292y", "293y", "4294967296y", "0001-01-01T00:00:00Z", "0001-01", "2018-06-31", "1.5y", "-1h", "+1y", "2018-06-01 1:00:00",
		"2018-06-01 12:00,5",
	} {
		f.Add(text)
	}
	now := time.Date(2026, 3, 18, 23, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseTime(text, now, time.UTC)
		if err != nil {
			if !got.IsZero() || err.Error() != "must be "+timeHelp {
				t.Errorf("%q: got %v, %v", text, got, err)
			}
			return
		}
		if want := meaningOf(text, now); !got.Equal(want) || got.Location() != time.UTC || got.IsZero() {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
		if got.Year() > 9999 {
			return // RFC 3339 cannot write it
		}
		if again, err := parseTime(got.Format(time.RFC3339Nano), now, time.UTC); err != nil || again != got {
			t.Errorf("%q: got %v, which is read as %v, %v", text, got, again, err)
		}
	})
}

// meaningOf returns the time that a valid text means, or the zero time.
func meaningOf(text string, now time.Time) time.Time {
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly, "2006-01"} {
		if t, err := time.Parse(layout, text); err == nil && t.Format(layout) == text {
			return t
		}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t
	}
	if days, ok := map[string]int{
		"today": 18, "yesterday": 17, "this week": 16, "last week": 9, "this month": 1, "last month": 1 - 28, // of March
	}[strings.ToLower(text)]; ok {
		return time.Date(2026, 3, days, 0, 0, 0, 0, time.UTC)
	}
	if digits, ok := strings.CutSuffix(text, "y"); ok {
		years, err := strconv.Atoi(digits)
		if err != nil {
			return time.Time{}
		}
		return now.AddDate(0, 0, -365*years)
	}
	ago, err := ttp.ParseWindow(text)
	if err != nil {
		return time.Time{}
	}
	return now.Add(-ago)
}

func TestTimeZone(t *testing.T) {
	c := twoAttackers(t)
	for args, want := range map[string]string{
		"--since 2026-03-16":                                      "3\n",
		"--tz Asia/Tokyo --since 2026-03-16":                      "6\n",
		"--since 2026-03-17 --tz Asia/Tokyo":                      "1\n",
		"--since 2026-03-16 --until 2026-03-17 --tz America/Lima": "1\n",
	} {
		c.want(result{exitSuccess, want, ""}, "", append([]string{"tags", "fleet", "--count"}, shellWords(args)...)...)
	}
	c.want(result{exitSuccess, `OBSERVED             TECHNIQUE          TACTIC  CONF  RULE   ATTACKER   SESSION
2026-03-16 21:00:00  T1110 Brute Force  TA0006  0.60  R2 v3  192.0.2.7  s2
`, ""}, "", "tags", "fleet", "--technique=T1110", "--tz=Asia/Tokyo", "-o=table")
	c.wantWrong(`invalid argument "Mars" for "--tz" flag: must be a time zone such as UTC, Europe/Berlin or Local`, "top", "top", "--tz=Mars")
}
