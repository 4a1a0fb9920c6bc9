package main

import (
	"bytes"
	_ "embed" // for the notes
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

// Units of samples.
const (
	seconds = "s"
	perTag  = "allocs/tag"
	calls   = "calls"
)

// row is a line of the report.
type row struct {
	engine string
	job    string
	tags   int
	unit   string
}

// sample is what one round says of one subject.
type sample struct {
	row
	subject string
	value   float64
}

// notes are what was learnt from profiles, with figures of other runs.
//
//go:embed notes.md
var notes string

// report gathers samples and writes them down.
type report struct {
	config   config
	versions []string
	records  string
	failed   error // what ended the run early
	rows     []row // in the order in which they were measured
	samples  map[row]map[string][]float64
	raw      bytes.Buffer
}

func newReport(c config) *report {
	return &report{config: c, samples: map[row]map[string][]float64{}, records: "No honeypot records were there to write."}
}

func (r *report) add(s sample) {
	if r.samples[s.row] == nil {
		r.samples[s.row] = map[string][]float64{}
		r.rows = append(r.rows, s.row)
	}
	r.samples[s.row][s.subject] = append(r.samples[s.row][s.subject], s.value)
	value, unit := s.value, s.unit
	if unit == seconds {
		value, unit = value*1e9, "ns/op"
	}
	name := strings.NewReplacer(" ", "_", ":", "").Replace(s.job)
	fmt.Fprintf(&r.raw, "BenchmarkJob/engine=%s/job=%s/tags=%d/subject=%s 1 %.6g %s\n",
		s.engine, name, s.tags, strings.ReplaceAll(s.subject, " ", "_"), value, unit)
}

func (r *report) noteRecords(n int) {
	if n > 0 {
		r.records = fmt.Sprintf("The honeypot records are %d tags of a real Cowrie honeypot of 2018.", n)
	}
}

func (r *report) write(stdout io.Writer) error {
	text := r.markdown()
	_, err := stdout.Write(text)
	if r.config.out != "" {
		err = errors.Join(err, os.WriteFile(r.config.out, text, 0o644))
	}
	if r.config.raw != "" {
		err = errors.Join(err, os.WriteFile(r.config.raw, r.raw.Bytes(), 0o644))
	}
	return err
}

// columns are the subjects beside ttpstore.
var columns = []string{handwrittenName, cSQLiteName, gormName, bunName}

func (r *report) markdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# ttpstore beside what else one would use\n\n")
	fmt.Fprintf(&b, "Written by `go run .%s` in `bench/` on %s; do not edit.\n\n", r.config.flags, time.Now().UTC().Format("2006-01-02"))
	if r.config.short {
		fmt.Fprintf(&b, "**A short run: it only shows that everything runs.**\n\n")
	}
	if r.failed != nil {
		fmt.Fprintf(&b, "**The run ended early: %s**\n\n", strings.ReplaceAll(r.failed.Error(), "\n", " "))
	}
	for _, line := range append(machine(), r.versions...) {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	fmt.Fprintf(&b, "- %s; %s a call of the inserts; %d writers with %s of %s each\n\n", counted(r.config.rounds, "round"),
		counted(r.config.callTags, "tag"), r.config.writers, counted(r.config.writerCalls, "call"), counted(r.config.writerTags, "tag"))
	fmt.Fprintf(&b, "%s\n\n", legend(r.records))
	fmt.Fprintf(&b, "| engine | job | tags | ttpstore | %s | target | met |\n", strings.Join(columns, " | "))
	fmt.Fprintf(&b, "|---|---|--:|--:|%s---|---|\n", strings.Repeat("--:|", len(columns)))
	for _, w := range r.rows {
		r.writeRow(&b, w)
	}
	fmt.Fprintf(&b, "\n%s", notes)
	return b.Bytes()
}

func legend(records string) string {
	return `The columns beside ttpstore are ratios, the other's time by ttpstore's in the same round: above 1,
ttpstore is faster. Each is the median of the rounds, with their least and greatest in brackets; a time has
its greatest distance from the median. The subjects take turns in each round. All on SQLite have the
same pragmas and one connection that writes.

- handwritten: a database/sql loop over ttpstore's own schema, by the same driver; it neither validates nor
  says which tags were new. C SQLite: the same by mattn/go-sqlite3.
- GORM (whose SQLite driver is C SQLite) and bun (whose is modernc.org/sqlite): the schema with thirteen
  indexes of the system that ttpstore replaces, without its foreign keys. Their rollups ask for less: neither
  tactics nor releases.
- Inserts begin on an empty store; a replay and a half-duplicate insert follow on the fresh one. Only the
  fresh insert into a filled store finds there what its row says and the calls before; the subjects that
  share a schema write to one database, so that each finds its page cache cold.
- Tags come nearly in the order of their times, the honeypot's the newest first.
- The page in the middle of the list is read by cursor by ttpstore and handwritten, by offset by the others.
- Allocations are Go's alone, not C's. Rollups are of the busiest scope of their kind.

` + records
}

func (r *report) writeRow(b *bytes.Buffer, w row) {
	samples := r.samples[w]
	own := samples[ttpstoreName]
	fmt.Fprintf(b, "| %s | %s | %s | %s |", w.engine, w.job, thousands(w.tags), r.ownCell(w, own))
	for _, name := range columns {
		fmt.Fprintf(b, " %s |", otherCell(w, own, samples[name]))
	}
	var texts, met []string
	for _, t := range r.targets(w) {
		texts = append(texts, t.text)
		met = append(met, t.verdict())
	}
	fmt.Fprintf(b, " %s | %s |\n", strings.Join(texts, "; "), strings.Join(met, "; "))
}

func (r *report) ownCell(w row, own []float64) string {
	middle := median(own)
	switch w.unit {
	case calls:
		return countRange(own)
	case perTag:
		return fmt.Sprintf("%.1f", middle)
	}
	text := fmt.Sprintf("%s ±%.0f%%", duration(middle), 100*max(slices.Max(own)/middle-1, 1-slices.Min(own)/middle))
	switch {
	case w.job == filledInsert: // the row's tags were there
		text += rate(r.config.callTags, middle)
	case isWrite(w.job):
		text += rate(w.tags, middle)
	}
	return text
}

func rate(tags int, seconds float64) string {
	return fmt.Sprintf(", %s/s", thousands(int(float64(tags)/seconds)))
}

func otherCell(w row, own, other []float64) string {
	if len(other) == 0 {
		return ""
	}
	if w.unit == calls {
		return countRange(other)
	}
	ratios := ratios(own, other)
	return fmt.Sprintf("%s (%s–%s)", ratio(median(ratios)), ratio(slices.Min(ratios)), ratio(slices.Max(ratios)))
}

func countRange(values []float64) string {
	return fmt.Sprintf("%.0f (%.0f–%.0f)", median(values), slices.Min(values), slices.Max(values))
}

// ratios are the other's by one's own, round by round.
func ratios(own, other []float64) []float64 {
	out := make([]float64, min(len(own), len(other)))
	for i := range out {
		out[i] = other[i] / own[i]
	}
	return out
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

func ratio(x float64) string {
	if x >= 10 {
		return thousands(int(math.Round(x)))
	}
	return fmt.Sprintf("%.2f", x)
}

// duration has three digits.
func duration(s float64) string {
	d := time.Duration(s * 1e9)
	unit := time.Duration(1)
	for d >= 1000*unit {
		unit *= 10
	}
	return d.Round(unit).String()
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func counted(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return thousands(n) + " " + of + "s"
}
