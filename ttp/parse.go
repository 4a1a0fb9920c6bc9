package ttp

import (
	"errors"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/decnet/ttpstore/internal/rfc3339"
)

const windowRule = "must be a duration such as 24h, 7d or 2w, at most 106751d"

// ParseWindow parses a length of time: whole days or weeks such as "7d" or "2w", or the format of
// [time.ParseDuration]. For any other text, and for a negative duration, it returns an [*InvalidError]
// ([ErrInvalidQuery]) with the field "window".
func ParseWindow(text string) (time.Duration, error) {
	d, err := parseWindow(text)
	if err != nil {
		var c checker
		c.refuse("window", windowRule)
		return 0, c.queryError()
	}
	return d, nil
}

func parseWindow(text string) (time.Duration, error) {
	for suffix, unit := range map[string]time.Duration{"d": Day, "w": Week} {
		if digits, ok := strings.CutSuffix(text, suffix); ok {
			n, err := strconv.ParseUint(digits, 10, 63)
			if err == nil && n > uint64(math.MaxInt64/unit) {
				err = strconv.ErrRange
			}
			return time.Duration(n) * unit, err
		}
	}
	d, err := time.ParseDuration(text)
	if err == nil && d < 0 {
		err = strconv.ErrRange
	}
	return d, err
}

// FormatWindow formats a length of time in the shortest form that [ParseWindow] reads, such as "1w", "36h" or "15m".
func FormatWindow(d time.Duration) string {
	switch {
	case d <= 0:
	case d%Week == 0:
		return strconv.FormatInt(int64(d/Week), 10) + "w"
	case d%Day == 0:
		return strconv.FormatInt(int64(d/Day), 10) + "d"
	}
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = strings.TrimSuffix(text, zero[1:])
		}
	}
	return text
}

// window is a duration in the format of FormatWindow.
type window time.Duration

func (w window) MarshalText() ([]byte, error) { return []byte(FormatWindow(time.Duration(w))), nil }

func (w *window) UnmarshalText(text []byte) error {
	d, err := ParseWindow(string(text))
	*w = window(d)
	return err
}

// ParseFilter parses a filter from the parameters of a URL, which have the names of the fields in JSON. The values of
// since and until are RFC 3339 times, dates, or durations before now such as "7d".
//
// It returns an [*InvalidError] ([ErrInvalidQuery]) for a parameter that is unknown, repeated, empty or invalid, so that
// a misspelt filter is not ignored: remove parameters of your own first.
func ParseFilter(values url.Values) (Filter, error) {
	var c checker
	var f Filter
	set := map[string]func(string) error{
		"since":           setTime(&f.Since),
		"until":           setTime(&f.Until),
		"min_confidence":  setNumber(&f.MinConfidence),
		"release":         setText(&f.Release),
		"domain":          setText(&f.Domain),
		"tactic":          setText(&f.Tactic),
		"technique":       setText(&f.Technique),
		"technique_match": setText((*string)(&f.TechniqueMatch)),
		"rule_id":         setText(&f.RuleID),
		"rule_version":    setWhole(&f.RuleVersion),
		"source_kind":     setText(&f.SourceKind),
		"decky_id":        setText(&f.DeckyID),
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		parse, known := set[name]
		switch given := values[name]; {
		case !known:
			c.refuse(name, "is not a parameter of a filter")
		case len(given) != 1:
			c.refuse(name, "must be given once")
		case given[0] == "":
			c.refuse(name, "must not be empty")
		default:
			if err := parse(given[0]); err != nil {
				c.refuse(name, err.Error())
			}
		}
	}
	if len(c.problems) == 0 {
		f.filterArgs(&c)
	}
	return f, c.queryError()
}

func setText(to *string) func(string) error {
	return func(text string) error { *to = text; return nil }
}

func setNumber(to *float64) func(string) error {
	return func(text string) (err error) {
		if *to, err = strconv.ParseFloat(text, 64); err != nil {
			return errors.New("must be a number from 0 to 1")
		}
		return nil
	}
}

func setWhole(to **int) func(string) error {
	return func(text string) error {
		n, err := strconv.Atoi(text)
		if *to = &n; err != nil {
			return errors.New("must be a whole number")
		}
		return nil
	}
}

func setTime(to *time.Time) func(string) error {
	return func(text string) error {
		for _, parse := range []func(string) (time.Time, error){rfc3339.Parse, parseDate} {
			if t, err := parse(text); err == nil && !t.IsZero() { // the zero time means "not set"
				*to = t.UTC()
				return nil
			}
		}
		ago, err := parseWindow(text)
		if err != nil {
			return errors.New("must be a time such as 2026-03-15T17:06:27Z, a date such as 2026-03-15, " +
				"or a duration before now such as 24h, 7d or 2w, at most 106751d")
		}
		*to = time.Now().UTC().Add(-ago)
		return nil
	}
}

func parseDate(text string) (time.Time, error) { return time.Parse(time.DateOnly, text) }
