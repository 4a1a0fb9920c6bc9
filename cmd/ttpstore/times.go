package main

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // for --tz on machines without time zones

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/internal/rfc3339"
	"github.com/decnet/ttpstore/ttp"
)

// timeHelp lists the forms of a time.
const timeHelp = "a time such as 2026-03-15T17:06:27Z or \"2026-03-15 17:06\", a date such as 2026-03-15 or 2026-03, " +
	"today, yesterday, \"last week\" or \"last month\", or a duration before now such as 24h, 7d, 2w or 3y, at most " + longestDuration

// timeText is a flag value: a time, which depends on the time zone of another flag.
type timeText string

func (t *timeText) String() string { return string(*t) }

// Type implements [pflag.Value].
func (t *timeText) Type() string { return "time" }

// Set implements [pflag.Value].
func (t *timeText) Set(s string) error {
	*t = timeText(s)
	_, err := parseTime(s, time.Now(), time.UTC)
	return err
}

// resolveTimes sets the window of the filter before the command runs.
func resolveTimes(cmd *cobra.Command, f *filterFlags) {
	args := cmd.Args
	cmd.Args = func(cmd *cobra.Command, values []string) (err error) {
		now, zone := time.Now(), timeZone(cmd)
		for _, bound := range []struct {
			text timeText
			time *time.Time
		}{{f.since, &f.Since}, {f.until, &f.Until}} {
			if bound.text == "" {
				continue
			}
			if *bound.time, err = parseTime(string(bound.text), now, zone); err != nil {
				return err
			}
		}
		return args(cmd, values)
	}
}

// parseTime parses a time, a date, a word or a duration before now. A period means its start.
func parseTime(s string, now time.Time, zone *time.Location) (time.Time, error) {
	if t, err := rfc3339.Parse(s); err == nil && !t.IsZero() { // the zero time means "not set"
		return t.UTC(), nil
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly, "2006-01"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil && len(s) == len(layout) && t.Year() > 1 {
			return t.UTC(), nil
		}
	}
	if t, ok := startOf(strings.ToLower(s), now.In(zone)); ok {
		return t.UTC(), nil
	}
	ago, err := parseDuration(s)
	if err != nil {
		return time.Time{}, errors.New("must be " + timeHelp)
	}
	return now.UTC().Add(-ago), nil
}

// startOf returns the start of the day, the ISO week or the month that a word means.
func startOf(word string, now time.Time) (time.Time, bool) {
	year, month, day := now.Date()
	week := day - (int(now.Weekday())+6)%7 // Monday's
	switch word {
	case "today":
	case "yesterday":
		day--
	case "this week":
		day = week
	case "last week":
		day = week - 7
	case "this month":
		day = 1
	case "last month":
		month, day = month-1, 1
	default:
		return time.Time{}, false
	}
	return time.Date(year, month, day, 0, 0, 0, 0, now.Location()), true
}

// longestDuration is the longest [time.Duration] in whole days.
const longestDuration = "106751d"

// parseDuration parses whole days, weeks and years of 365 days, and the durations of [time.ParseDuration], but no
// negative ones.
func parseDuration(s string) (time.Duration, error) {
	for suffix, unit := range map[string]time.Duration{"d": ttp.Day, "w": ttp.Week, "y": 365 * ttp.Day} {
		if digits, ok := strings.CutSuffix(s, suffix); ok {
			n, err := strconv.ParseUint(digits, 10, 63)
			if err == nil && n > uint64(math.MaxInt64/unit) {
				err = strconv.ErrRange
			}
			return time.Duration(n) * unit, err
		}
	}
	d, err := time.ParseDuration(s)
	if err == nil && d < 0 {
		err = strconv.ErrRange
	}
	return d, err
}

// zoneName is a flag value: a time zone.
type zoneName string

func (z *zoneName) String() string { return string(*z) }

// Type implements [pflag.Value].
func (z *zoneName) Type() string { return "zone" }

// Set implements [pflag.Value].
func (z *zoneName) Set(s string) error {
	if _, err := time.LoadLocation(s); err != nil || s == "" {
		return errors.New(`must be a time zone such as UTC, Europe/Berlin or Local`)
	}
	*z = zoneName(s)
	return nil
}

// timeZone returns the zone of --tz.
func timeZone(cmd *cobra.Command) *time.Location {
	zone, err := time.LoadLocation(cmd.Flag("tz").Value.String())
	must(err) // Set has checked it
	return zone
}
