package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// target is what ttpstore sets itself for a row.
type target struct {
	text  string
	value float64 // NaN when it was not measured
	bound float64
	most  bool // the bound is one from above
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

func isWrite(job string) bool {
	return slices.Contains([]string{freshInsert, replay, halfInsert, filledInsert, oneWriter, manyWriters}, strings.TrimSuffix(job, ofHoneypot))
}

// starvation is the share of the first writer's calls below which the slowest one starves.
const starvation = 0.25

func (r *report) targets(w row) []target {
	var targets []target
	least := func(text string, value, bound float64) {
		targets = append(targets, target{text: fmt.Sprintf("%s ≥ %g", text, bound), value: value, bound: bound})
	}
	than := func(other string, bound float64) { least(other, r.ratio(w, other), bound) }
	if isWrite(w.job) {
		than(handwrittenName, 0.9)
		if w.engine == sqliteEngine {
			than(cSQLiteName, 0.85)
		}
	}
	switch job := strings.TrimSuffix(w.job, ofHoneypot); job {
	case freshInsert, filledInsert:
		than(gormName, map[string]float64{sqliteEngine: 2, mysqlEngine: 3}[w.engine])
	case replay:
		fresh := row{w.engine, strings.Replace(w.job, replay, freshInsert, 1), w.tags, w.unit}
		least("fresh by replay", r.own(fresh)/r.own(w), 3)
	case manyWriters:
		if w.engine == mysqlEngine {
			least("1 writer's time by theirs", r.own(row{w.engine, oneWriter, w.tags, w.unit})/r.own(w), 1.5)
		}
	case slowestShare:
		if w.engine == sqliteEngine {
			fewest := slices.Min(r.samples[w][ttpstoreName])
			if r.config.writerCalls < 4 { // too few to tell
				fewest = math.NaN()
			}
			least("calls in every round", fewest, math.Ceil(starvation*float64(r.config.writerCalls)))
		}
	case rollupOf + "fleet":
		return append(targets, r.fleetTargets(w)...)
	default:
		if strings.HasPrefix(job, rollupOf) {
			than(gormName, 5)
		}
	}
	return targets
}

// fleetTargets are those of the largest store of all, which does not exist for GORM.
func (r *report) fleetTargets(w row) []target {
	if w.engine != sqliteEngine || w.tags != r.config.fleet {
		return nil
	}
	small, large := row{w.engine, w.job, 100_000, w.unit}, row{w.engine, w.job, 1_000_000, w.unit}
	return []target{
		{text: "≤ 2 times that of 100,000", value: r.own(w) / r.own(small), bound: 2, most: true},
		{text: "GORM of 1,000,000 ≥ 100", value: median(r.samples[large][gormName]) / r.own(w), bound: 100},
	}
}

func (r *report) own(w row) float64 { return median(r.samples[w][ttpstoreName]) }

func (r *report) ratio(w row, other string) float64 {
	return median(ratios(r.samples[w][ttpstoreName], r.samples[w][other]))
}
