package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// columns are the subjects beside ttpstore.
var columns = []string{handwrittenName, cSQLiteName, gormName, bunName}

// writeMain writes the jobs in which the subjects are compared call by call.
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
	return fmt.Sprintf(`The columns beside ttpstore are ratios, the other's time divided by ttpstore's in the same round: above 1,
ttpstore is faster. Each is the median of the rounds, with the least and the greatest in brackets; a time has
its greatest distance from the median. The subjects take turns in each round. All on SQLite have the
same pragmas and one connection that writes.

- handwritten: a database/sql loop over ttpstore's own schema, by the same driver; it neither validates nor
  says which tags were new. C SQLite: the same by mattn/go-sqlite3.
- GORM (whose SQLite driver is C SQLite) and bun (whose is modernc.org/sqlite): the schema with thirteen
  indexes of the system that ttpstore replaces, without its foreign keys. Their rollups ask for less: neither
  tactics nor releases.
- Inserts make calls of %s; concurrent writers are %d, each with %s of %s.
- Inserts begin on an empty store; a replay and a half-duplicate insert follow on the fresh one. The fresh
  insert into a filled store finds there as many tags as its row says, and those of the calls before; the
  subjects that share a schema write to one database, so that each finds its page cache cold.
- Tags come nearly in the order of their times, the honeypot's the newest first.
- ttpstore and handwritten read the page in the middle of the list by cursor, the others by offset.
- Allocations are Go's alone, not C's. Rollups are of the busiest scope of their kind.`,
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

// targetCells are the two last cells of a row: the targets, and whether they were met.
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
