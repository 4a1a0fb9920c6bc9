package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// columns holds the other subjects.
var columns = []string{handwrittenName, cSQLiteName, gormName, bunName}

// writeMain writes the main table.
func (r *report) writeMain(b *bytes.Buffer) {
	rows := r.rowsOf(mainTable)
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "%s\n\n%s\n", r.legend(), r.records)
	fmt.Fprintf(b, "\n| engine | job | tags | ttpstore | %s | target | met |\n", strings.Join(columns, " | "))
	fmt.Fprintf(b, "|---|---|--:|--:|%s---|---|\n", strings.Repeat("--:|", len(columns)))
	for _, w := range rows {
		r.writeRow(b, w)
	}
	b.WriteString("\n")
}

func (r *report) legend() string {
	return fmt.Sprintf(`The columns of the other subjects are ratios, their time divided by ttpstore's in the same round: above 1, ttpstore is
faster. Each is the median of the rounds, with the minimum and the maximum in brackets; a time has its largest deviation from
the median. The subjects alternate in each round. All subjects on SQLite have the same pragmas and one connection for writes.

- handwritten: a database/sql loop on ttpstore's own schema with the same driver. It neither validates tags nor returns the
  outcome of each. C SQLite: the same with mattn/go-sqlite3.
- GORM (with C SQLite) and bun (with modernc.org/sqlite): the schema of the system that ttpstore replaces, with thirteen indexes
  and without its foreign keys. Their rollups return less: neither tactics nor releases.
- Inserts make calls of %s; concurrent writers are %d, each with %s of %s.
- Inserts start with an empty store. A replay and a half-duplicate insert follow the fresh insert. The fresh insert into a
  filled store starts with the tags of its row and those of previous calls. The subjects of a schema share one
  database, so that the page cache of each is cold.
- Tags are nearly in the order of their times, those of the honeypot newest first.
- ttpstore and handwritten read the page in the middle of the list by cursor, the others by offset.
- Allocations are those of Go, not of C. Rollups are of the busiest scope of their kind.`,
		counted(r.config.callTags, "tag"), r.config.writers, counted(r.config.writerCalls, "call"), counted(r.config.writerTags, "tag"))
}

func (r *report) writeRow(b *bytes.Buffer, w row) {
	samples := r.samples[w]
	own := samples[ttpstoreName]
	fmt.Fprintf(b, "| %s | %s | %s | %s |", w.engine, w.job, thousands(w.tags), r.ownCell(w, own))
	for _, name := range columns {
		fmt.Fprintf(b, " %s |", otherCell(w, own, samples[name]))
	}
	fmt.Fprintf(b, " %s |\n", targetCells(r.targets(w)))
}

// targetCells returns the last two cells of a row: the targets, and whether they were met.
func targetCells(targets []target) string {
	var texts, met []string
	for _, t := range targets {
		texts = append(texts, t.text)
		met = append(met, t.verdict())
	}
	return strings.Join(texts, "; ") + " | " + strings.Join(met, "; ")
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
	case w.job == filledInsert: // the row's tags are those of the filled store
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
