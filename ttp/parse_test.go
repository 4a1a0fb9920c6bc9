package ttp_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"net/url"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/decnet/ttpstore/ttp"
)

func TestWindows(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"7d": ttp.Week, "2w": 2 * ttp.Week, "24h": ttp.Day, "90m": 90 * time.Minute, "1h30m": 90 * time.Minute, "0s": 0,
		"106751d": 106751 * ttp.Day,
	} {
		if got, err := ttp.ParseWindow(text); err != nil || got != want {
			t.Errorf("ParseWindow(%q) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "7", "d", "-1d", "-1h", "1.5d", "106752d", "99999999999999999999w", "7 d", "1y"} {
		_, err := ttp.ParseWindow(text)
		wantProblems(t, text, err, ttp.Problem{Field: "window", Reason: "must be a duration such as 24h, 7d or 2w, at most 106751d"})
	}
	for d, want := range map[time.Duration]string{
		ttp.Week: "1w", 3 * ttp.Day: "3d", 36 * time.Hour: "36h", 15 * time.Minute: "15m", 90 * time.Minute: "1h30m",
		10 * time.Second: "10s", time.Microsecond: "1µs", 0: "0s", 10 * time.Hour: "10h",
	} {
		if got := ttp.FormatWindow(d); got != want {
			t.Errorf("FormatWindow(%v) = %q, want %q", d, got, want)
		}
		if back, err := ttp.ParseWindow(want); err != nil || back != d {
			t.Errorf("ParseWindow(%q) = %v, %v", want, back, err)
		}
	}
}

// FuzzParseWindow checks windows of days and weeks against their product, and the others against [time.ParseDuration].
func FuzzParseWindow(f *testing.F) {
	for _, text := range []string{"7d", "106751d", "15250w", "0s", "1h30m", "-1h", "1.5d", "99999999999999999999w", "1µs"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ttp.ParseWindow(text)
		want, valid := windowOf(text)
		if !valid {
			if got != 0 {
				t.Errorf("ParseWindow(%q) = %v with an error", text, got)
			}
			wantProblems(t, text, err,
				ttp.Problem{Field: "window", Reason: "must be a duration such as 24h, 7d or 2w, at most 106751d"})
			return
		}
		if err != nil || got != want {
			t.Fatalf("ParseWindow(%q) = %v, %v, want %v", text, got, err, want)
		}
		if back, err := ttp.ParseWindow(ttp.FormatWindow(got)); err != nil || back != got {
			t.Errorf("ParseWindow(%q) = %v, %v, want %v", ttp.FormatWindow(got), back, err, got)
		}
	})
}

var wholeUnits = regexp.MustCompile(`^([0-9]+)([dw])$`)

func windowOf(text string) (time.Duration, bool) {
	parts := wholeUnits.FindStringSubmatch(text)
	if parts == nil {
		d, err := time.ParseDuration(text)
		return d, err == nil && d >= 0
	}
	n, _ := new(big.Int).SetString(parts[1], 10)
	n.Mul(n, big.NewInt(int64(map[string]time.Duration{"d": ttp.Day, "w": ttp.Week}[parts[2]])))
	return time.Duration(n.Int64()), n.IsInt64()
}

const timeRule = "must be a time such as 2026-03-15T17:06:27Z, a date such as 2026-03-15, " +
	"or a duration before now such as 24h, 7d or 2w, at most 106751d"

func TestParseFilter(t *testing.T) {
	version := 0
	want := ttp.Filter{
		Since: time.Date(2026, 3, 15, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, 3, 15, 17, 6, 27, 0, time.UTC),
		MinConfidence: 0.5, Release: "18.1", Domain: "enterprise", Tactic: "TA0006", Technique: "T1110",
		TechniqueMatch: ttp.WithSubTechniques, RuleID: "R1", RuleVersion: &version, SourceKind: "command", DeckyID: "d",
	}
	got, err := ttp.ParseFilter(url.Values{
		"since": {"2026-03-15"}, "until": {"2026-03-15T18:06:27+01:00"}, "min_confidence": {"0.5"}, "release": {"18.1"},
		"domain": {"enterprise"}, "tactic": {"TA0006"}, "technique": {"T1110"}, "technique_match": {"with-sub-techniques"},
		"rule_id": {"R1"}, "rule_version": {"0"}, "source_kind": {"command"}, "decky_id": {"d"},
	})
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := ttp.ParseFilter(nil); err != nil || got != (ttp.Filter{}) {
		t.Errorf("no parameters: %v, %v", got, err)
	}
	ago, err := ttp.ParseFilter(url.Values{"since": {"7d"}})
	if age := time.Since(ago.Since); err != nil || age < ttp.Week || age > ttp.Week+time.Minute {
		t.Errorf("7d is %v ago, %v", age, err)
	}
	_, err = ttp.ParseFilter(url.Values{
		"rule": {"R1"}, "domain": {""}, "tactic": {"TA0006", "TA0007"}, "since": {"yesterday"}, "min_confidence": {"x"}, "rule_version": {"1.0"},
	})
	wantProblems(t, "wrong values", err,
		ttp.Problem{Field: "domain", Reason: "must not be empty"},
		ttp.Problem{Field: "min_confidence", Reason: "must be a number from 0 to 1"},
		ttp.Problem{Field: "rule", Reason: "is not a parameter of a filter"},
		ttp.Problem{Field: "rule_version", Reason: "must be a whole number"},
		ttp.Problem{Field: "since", Reason: timeRule},
		ttp.Problem{Field: "tactic", Reason: "must be given once"})
	_, err = ttp.ParseFilter(url.Values{"since": {"0001-01-01T00:00:00Z"}, "until": {"0001-01-01"}}) // would mean "not set"
	wantProblems(t, "zero times", err, ttp.Problem{Field: "since", Reason: timeRule}, ttp.Problem{Field: "until", Reason: timeRule})
	_, err = ttp.ParseFilter(url.Values{"tactic": {"discovery"}})
	wantProblems(t, "a name", err, ttp.Problem{Field: "tactic", Reason: `must be "TA" and four digits`})
}

// FuzzParseFilter checks that a filter has every parameter, or that the error names the wrong ones.
func FuzzParseFilter(f *testing.F) {
	for _, query := range []string{
		"since=2026-03-15&until=2026-03-15T18:06:27.0000001%2B01:00&min_confidence=0.5&release=18.1&domain=enterprise",
		"tactic=TA0006&technique=T1110&technique_match=with-sub-techniques&rule_id=R1&rule_version=0&source_kind=command",
		"decky_id=d&technique=T1110.001&technique_match=parent&min_confidence=-0",
		"since=0001-01-01T00:00:00-01:00&rule_version=%2B1&rule_id=R",
		"tactic=TA0006&tactic=TA0007", "domain=", "rule=R1", "since=yesterday", "release=v18.1&domain=ics",
		"min_confidence=0x1p-2", "since=9999-12-31T23:59:59-23:59", "min_confidence=NaN", "rule_id=%FF",
		"decky_id=%E2%80%8B", "technique_match=parent",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		filter, err := ttp.ParseFilter(values)
		if err != nil {
			for _, p := range invalidQuery(t, err).Problems {
				if !namesParameter(values, p.Field) || p.Reason == "" {
					t.Errorf("%q: got the problem %q", query, p)
				}
			}
			return
		}
		back, err := ttp.ParseFilter(parameters(values, filter))
		if diff := cmp.Diff(filter, back); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", query, err, diff)
		}
	})
}

// namesParameter reports whether a problem's field is a given parameter, or one that a given one needs.
func namesParameter(values url.Values, field string) bool {
	if field == "domain, release" {
		return values.Has("domain") && values.Has("release")
	}
	needs := map[string]string{"technique": "technique_match", "rule_id": "rule_version"}
	return values.Has(field) || (needs[field] != "" && values.Has(needs[field]))
}

// parameters returns the values, with those of the filter's fields in place of those that were given.
func parameters(given url.Values, f ttp.Filter) url.Values {
	version := ""
	if f.RuleVersion != nil {
		version = strconv.Itoa(*f.RuleVersion)
	}
	fields := map[string]string{
		"since": f.Since.Format(time.RFC3339Nano), "until": f.Until.Format(time.RFC3339Nano),
		"min_confidence": strconv.FormatFloat(f.MinConfidence, 'g', -1, 64), "release": f.Release, "domain": f.Domain,
		"tactic": f.Tactic, "technique": f.Technique, "technique_match": string(f.TechniqueMatch),
		"rule_id": f.RuleID, "rule_version": version, "source_kind": f.SourceKind, "decky_id": f.DeckyID,
	}
	values := url.Values{}
	for name := range given {
		values.Set(name, fields[name])
	}
	return values
}

func wantProblems(t *testing.T, what string, err error, want ...ttp.Problem) {
	t.Helper()
	if diff := cmp.Diff(want, invalidQuery(t, err).Problems); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// invalidQuery returns the error of an invalid query, and fails for any other.
func invalidQuery(t *testing.T, err error) *ttp.InvalidError {
	t.Helper()
	var invalid *ttp.InvalidError
	if !errors.As(err, &invalid) || !errors.Is(err, ttp.ErrInvalidQuery) || len(invalid.Problems) == 0 {
		t.Fatalf("got %v, want an *InvalidError", err)
	}
	return invalid
}

func TestTimelineIsJSON(t *testing.T) {
	for want, line := range map[string]ttp.Timeline{
		`{"start":"2026-03-15T00:00:00Z","bucket":"1d","counts":[2],"series":[{"tactic":"TA0006","count":2,"counts":[2]}]}`: {
			Start: time.Date(2026, 3, 15, 0, 0, 0, 0, time.UTC), Bucket: ttp.Day, Counts: []int64{2},
			Series: []ttp.TimelineSeries{{Tactic: "TA0006", Count: 2, Counts: []int64{2}}},
		},
		`{"bucket":"1w","counts":[],"series":[]}`: {Bucket: ttp.Week, Counts: []int64{}, Series: []ttp.TimelineSeries{}},
	} {
		text, err := json.Marshal(line)
		if err != nil || string(text) != want {
			t.Errorf("got %s, %v", text, err)
		}
		var back ttp.Timeline
		if err := json.Unmarshal(text, &back); err != nil || !cmp.Equal(back, line) {
			t.Errorf("read back: %+v, %v", back, err)
		}
	}
	if err := json.Unmarshal([]byte(`{"bucket":"x"}`), new(ttp.Timeline)); !errors.Is(err, ttp.ErrInvalidQuery) {
		t.Errorf("a bucket that is none: got %v", err)
	}
}
