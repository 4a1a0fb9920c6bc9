package rfc3339

import (
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for s, want := range map[string]time.Time{
		"2026-03-15T17:06:27Z":             time.Date(2026, 3, 15, 17, 6, 27, 0, time.UTC),
		"2026-03-15T00:00:00.5Z":           time.Date(2026, 3, 15, 0, 0, 0, 5e8, time.UTC),
		"2024-02-29T23:59:59.123456789Z":   time.Date(2024, 2, 29, 23, 59, 59, 123456789, time.UTC),
		"2026-03-15T17:06:27+05:30":        time.Date(2026, 3, 15, 11, 36, 27, 0, time.UTC),
		"2026-03-15T17:06:27.000001-23:59": time.Date(2026, 3, 16, 17, 5, 27, 1000, time.UTC),
		"2026-03-15T17:06:27-00:00":        time.Date(2026, 3, 15, 17, 6, 27, 0, time.UTC),
	} {
		if got, err := Parse(s); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %v, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"", "2026-03-15", "2026-03-15T17:06Z", "2026-03-15T17:06:27", "2026-03-15 17:06:27Z", "2026-03-15t17:06:27z",
		"2026-03-15T0:00:00Z", "2026-03-15T00:00:00,5Z", "2026-03-15T00:00:00.Z", "2026-03-15T00:00:00+24:00", "2026-03-15T00:00:00-24:00",
		"2026-03-15T00:00:00+00:60", "2026-03-15T00:00:00+0000", "2026-02-29T00:00:00Z", "2026-03-15T24:00:00Z", "2026-03-15T23:59:60Z",
		" 2026-03-15T17:06:27Z", "2026-03-15T17:06:27Z ", "12026-03-15T17:06:27Z",
	} {
		if got, err := Parse(s); err == nil {
			t.Errorf("%q: got %v, want an error", s, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("2026-03-15T0:00:00Z")
	f.Add("2026-03-15T00:00:00,5Z")
	f.Add("2026-03-15T00:00:00.123456789+24:00")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Parse(s)
		if err != nil {
			return
		}
		if again, err := Parse(got.Format(time.RFC3339Nano)); err != nil || !again.Equal(got) {
			t.Errorf("%q: got %v, which is formatted and parsed as %v, %v", s, got, again, err)
		}
	})
}
