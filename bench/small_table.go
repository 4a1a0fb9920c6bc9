package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// writeSmall writes the tables of small calls.
func (r *report) writeSmall(b *bytes.Buffer) {
	if len(r.rowsOf(smallTable)) == 0 {
		return
	}
	fmt.Fprintf(b, `## Small calls by many writers

Tags per second, the minimum and the maximum of the rounds, and in brackets the medians of p50 and p99 of the calls' times. A
round lasts %s, in which each writer repeats calls of fresh tags of one technique or of %d. Each kind of call starts with
a database of %s. A target is the median of the rounds' ratios, above 1 if ttpstore is faster: "GORM" compares the tags per
second, "p99 of GORM" the p99 of the calls' times.

`, r.config.smallTime, techniques, counted(r.config.smallFill, "tag"))
	for _, engine := range r.config.engines {
		r.writeSmallCells(b, engine, secondsPerTag, r.smallCell, r.smallTargets)
	}
	if !slices.Contains(r.config.engines, mysqlEngine) {
		return
	}
	b.WriteString(`The same calls by the server's counters: round trips per call, and in brackets the server's time for the statements of a
call and the part of it spent waiting for locks.

`)
	r.writeSmallCells(b, mysqlEngine, roundTrips, r.serverCell, r.roundTripTargets)
}

func (r *report) writeSmallCells(
	b *bytes.Buffer, engine string, unit unit, cell func(row, string) string, targets func(smallCall, row) []target,
) {
	subjects := append([]string{ttpstoreName}, columns...)
	if engine == mysqlEngine {
		subjects = slices.DeleteFunc(subjects, func(name string) bool { return name == cSQLiteName })
	}
	fmt.Fprintf(b, "| %s | %s | target | met |\n", engine, strings.Join(subjects, " | "))
	fmt.Fprintf(b, "|---|%s---|---|\n", strings.Repeat("--:|", len(subjects)))
	for _, c := range r.config.smallCalls() {
		w := c.row(engine, unit)
		if r.samples[w] == nil {
			continue
		}
		fmt.Fprintf(b, "| %s |", c)
		for _, name := range subjects {
			fmt.Fprintf(b, " %s |", cell(w, name))
		}
		fmt.Fprintf(b, " %s |\n", targetCells(targets(c, w)))
	}
	b.WriteString("\n")
}

func (r *report) smallCell(w row, subject string) string {
	times := r.samples[w][subject]
	if len(times) == 0 {
		return ""
	}
	least, greatest := thousands(int(1/slices.Max(times))), thousands(int(1/slices.Min(times)))
	if least != greatest {
		least += " to " + greatest
	}
	return fmt.Sprintf("%s (%s, %s)", least, duration(r.of(w.in(p50), subject)), duration(r.of(w.in(p99), subject)))
}

func (r *report) serverCell(w row, subject string) string {
	if len(r.samples[w][subject]) == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f (%s, %s)", r.of(w, subject), duration(r.of(w.in(serverTime), subject)), duration(r.of(w.in(lockTime), subject)))
}
