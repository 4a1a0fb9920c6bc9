package main

import (
	"bytes"
	"fmt"
	"strings"
)

// growthRows returns the calls in the order of the table.
func growthRows() []string {
	return []string{
		insertOne, insertThousand,
		rollupOf + "identity" + average, rollupOf + "identity" + busiest,
		rollupOf + "campaign" + average, rollupOf + "campaign" + busiest,
		rollupOf + "session" + average, rollupOf + "session" + busiest,
		fleetRollup, middlePage, whoAll, whoShows, expireThousand, databaseSize,
	}
}

// writeGrowth writes the table of times by size.
func (r *report) writeGrowth(b *bytes.Buffer) {
	if len(r.rowsOf(growthTable)) == 0 {
		return
	}
	sizes := make([]string, len(r.config.growth))
	for i, n := range r.config.growth {
		sizes[i] = thousands(n)
	}
	fmt.Fprintf(b, `## Time by size

ttpstore's time for a call in one growing store, the median of the rounds. An average scope is the one whose number of tags is
nearest to the mean of its kind. Sessions have %d tags, except the busiest, which spans the whole run. Retention runs once, on the
largest store. Growth is the time at the largest measured size divided by that at the smallest.

![Time of a call by the size of the store](%s)

| engine | call | %s | growth | target | met |
|---|---|%s--:|---|---|
`, sessionTags, pictureFile, strings.Join(sizes, " | "), strings.Repeat("--:|", len(sizes)))
	for _, engine := range r.config.engines {
		for _, job := range growthRows() {
			r.writeGrowthRow(b, engine, job)
		}
	}
	b.WriteString("\n")
}

func growthRow(engine, job string, n int) row {
	u := seconds
	if job == databaseSize {
		u = bytesPerTag
	}
	return row{growthTable, engine, job, n, u}
}

func (r *report) writeGrowthRow(b *bytes.Buffer, engine, job string) {
	fmt.Fprintf(b, "| %s | %s |", engine, job)
	var values []float64
	for _, n := range r.config.growth {
		w := growthRow(engine, job, n)
		if r.samples[w] == nil {
			b.WriteString(" |")
			continue
		}
		value := r.own(w)
		values = append(values, value)
		text := thousands(int(value))
		if w.unit == seconds {
			text = duration(value)
		}
		fmt.Fprintf(b, " %s |", text)
	}
	text := ""
	if len(values) > 1 {
		text = ratio(values[len(values)-1] / values[0])
	}
	fmt.Fprintf(b, " %s | %s |\n", text, targetCells(r.growthTargets(engine, job)))
}
