package report

import (
	"io"
	"time"

	"github.com/decnet/ttpstore/matrix"
)

// Page holds the content of a report. Times are shown in UTC.
type Page struct {
	Subject      string    // what the report is about, such as "fleet" or "attacker 192.0.2.1"
	Filters      []Filter  // the filters other than the window
	Since, Until time.Time // the window; a zero time leaves that side open
	Made         time.Time // when the report was made; not shown if zero
	// Matrices are the matrices of the releases, see [matrix.ByRelease] and [matrix.Arrange].
	Matrices []matrix.Matrix
	Timeline Timeline
	Actors   []Actor // the busiest first
	Before   *Before // nil omits the new techniques
}

// Filter is a filter by its name and value, such as "Minimum confidence" and "0.6".
type Filter struct{ Name, Value string }

// Timeline counts tags in consecutive buckets of equal width, including empty ones.
type Timeline struct {
	Start  time.Time // of the first bucket
	Bucket time.Duration
	Counts []int64
}

// Actor is an identity, attacker, session or campaign with its tags.
type Actor struct {
	Kind, ID, Name string // Name may be empty
	Count          int64  // of tags
	FirstSeen      time.Time
	LastSeen       time.Time
}

// Before holds the cells of the window before the report's. A technique of the report is new if they do not contain it
// under the same tactic, in any release.
type Before struct {
	Since, Until time.Time
	Cells        []matrix.Cell
}

// Write writes the report.
func Write(w io.Writer, p Page) error { return page.Execute(w, newView(p)) }
