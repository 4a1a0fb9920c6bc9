package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// target is a target of ttpstore for a row.
type target struct {
	text  string
	value float64 // NaN if not measured
	bound float64
	most  bool // the bound is a maximum
}

func (t target) verdict() string {
	switch {
	case math.IsNaN(t.value):
		return "not measured"
	case t.most == (t.value <= t.bound) || t.value == t.bound:
		return fmt.Sprintf("yes: %s", ratio(t.value))
	}
	return fmt.Sprintf("**no: %s**", ratio(t.value))
}

func least(text string, value, bound float64) target {
	return target{text: fmt.Sprintf("%s ≥ %g", text, bound), value: value, bound: bound}
}

func most(text string, value, bound float64) target {
	return target{text: fmt.Sprintf("%s ≤ %g", text, bound), value: value, bound: bound, most: true}
}

func isWrite(job string) bool {
	writes := []string{freshInsert, replay, halfInsert, filledInsert, oneWriter, manyWriters}
	return slices.Contains(writes, strings.TrimSuffix(job, ofHoneypot))
}

// starvation is the minimum number of the slowest writer's calls as a share of the fastest writer's.
const starvation = 0.25

// targets returns the targets of a row of the main table.
func (r *report) targets(w row) []target {
	var targets []target
	than := func(other string, bound float64) { targets = append(targets, least(other, r.ratio(w, other), bound)) }
	if isWrite(w.job) {
		than(handwrittenName, 0.9)
		if w.engine == sqliteEngine {
			than(cSQLiteName, 0.85)
		}
	}
	switch job := strings.TrimSuffix(w.job, ofHoneypot); job {
	case filledInsert:
		return append(targets, r.filledTargets(w)...)
	case replay:
		fresh := w
		fresh.job = strings.Replace(w.job, replay, freshInsert, 1)
		return append(targets, least("fresh / replay", r.own(fresh)/r.own(w), 3))
	case importAll:
		fresh := w
		fresh.job = freshInsert + ofHoneypot
		return append(targets, least("insert / import", r.own(fresh)/r.own(w), 0.8))
	case manyWriters:
		if w.engine == mysqlEngine {
			one := w
			one.job = oneWriter
			return append(targets, least("1 writer / 8 writers", r.own(one)/r.own(w), 1.6))
		}
	case slowestShare:
		if w.engine == sqliteEngine {
			fewest := slices.Min(r.samples[w][ttpstoreName])
			if r.config.writerCalls < 4 { // too few
				fewest = math.NaN()
			}
			return append(targets, least("calls in every round", fewest, math.Ceil(starvation*float64(r.config.writerCalls))))
		}
	case exportAll:
		than(handwrittenName, 1)
	case fleetRollup:
	case rollupOf + "campaign":
		than(handwrittenName, 0.9)
		than(gormName, 5)
	default:
		if strings.HasPrefix(job, rollupOf) {
			than(handwrittenName, 0.77)
			than(gormName, 5)
		}
	}
	return targets
}

// filledBounds holds the minimum ratios to GORM of fresh inserts into a store of a million tags.
var filledBounds = map[string]float64{sqliteEngine: 1.7, mysqlEngine: 2}

const million = 1_000_000

// filledTargets returns ratios to GORM that must not shrink as the store grows.
func (r *report) filledTargets(w row) []target {
	switch ofMillion := w; {
	case w.tags == million:
		return []target{least(gormName, r.ratio(w, gormName), filledBounds[w.engine])}
	case w.tags > million:
		ofMillion.tags = million
		bound := r.ratio(ofMillion, gormName)
		if math.IsNaN(bound) {
			bound = filledBounds[w.engine]
		}
		return []target{least(gormName, r.ratio(w, gormName), math.Round(100*bound)/100)}
	}
	return nil
}

// smallBounds holds the minimum ratios to GORM's tags per second, by tags per call and writers.
var smallBounds = map[string]map[[2]int]float64{
	sqliteEngine: {{1, 1}: 1.3, {1, 8}: 3, {1, 64}: 5, {10, 64}: 2},
	mysqlEngine:  {{1, 1}: 1, {1, 8}: 2.5, {1, 64}: 6, {10, 64}: 3},
}

func (r *report) smallTargets(c smallCall, w row) []target {
	var targets []target
	if bound, ok := smallBounds[w.engine][[2]int{c.tags, c.writers}]; ok {
		targets = append(targets, least(gormName, r.ratio(w, gormName), bound))
	}
	if c.tags == 1 {
		targets = append(targets, least("p99 of "+gormName, r.ratio(w.in(p99), gormName), 1))
	}
	return targets
}

// roundTripTargets allows four round trips: begin, insert, count, commit.
func (r *report) roundTripTargets(c smallCall, w row) []target {
	if c.tags > 1 {
		return nil
	}
	return []target{most("round trips", r.own(w), 4)}
}

// growthTargets returns the targets of calls whose time must not depend on the size.
func (r *report) growthTargets(engine, job string) []target {
	if job != fleetRollup {
		return nil
	}
	largest := math.NaN()
	for _, n := range r.config.growth {
		if w := growthRow(engine, job, n); r.samples[w] != nil {
			largest = r.own(w)
		}
	}
	ofMillion := row{mainTable, engine, job, million, seconds}
	return []target{
		most("largest / 100,000", largest/r.own(growthRow(engine, job, 100_000)), 2),
		least("GORM at 1,000,000 / largest", r.of(ofMillion, gormName)/largest, 100),
	}
}

// of returns the median of the samples of a subject, or NaN without samples.
func (r *report) of(w row, subject string) float64 { return median(r.samples[w][subject]) }

func (r *report) own(w row) float64 { return r.of(w, ttpstoreName) }

func (r *report) ratio(w row, other string) float64 {
	return median(ratios(r.samples[w][ttpstoreName], r.samples[w][other]))
}
