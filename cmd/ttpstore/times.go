package main

import (
	"errors"
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

// timeText is a flag value: a time, parsed later in the time zone of another flag.
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

// bound connects a flag of a time window with the field of a filter.
type bound struct {
	text *timeText
	time *time.Time
}

// resolveTimes parses the given bounds before the command runs.
func resolveTimes(cmd *cobra.Command, bounds ...bound) {
	args := cmd.Args
	cmd.Args = func(cmd *cobra.Command, values []string) (err error) {
		now, zone := time.Now(), timeZone(cmd)
		for _, b := range bounds {
			if *b.text == "" {
				continue
			}
			if *b.time, err = parseTime(string(*b.text), now, zone); err != nil {
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

// startOf returns the start of the day, ISO week or month that a word refers to.
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

// parseDuration parses durations like [ttp.ParseWindow], and years of 365 days.
func parseDuration(s string) (time.Duration, error) {
	if digits, ok := strings.CutSuffix(s, "y"); ok {
		years, err := strconv.ParseUint(digits, 10, 32)
		if err != nil {
			return 0, err
		}
		s = strconv.FormatUint(365*years, 10) + "d"
	}
	return ttp.ParseWindow(s)
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
