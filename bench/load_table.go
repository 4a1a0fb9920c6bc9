package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// writeLoad writes the tables of concurrent reads and writes, and of the sizes during these.
func (r *report) writeLoad(b *bytes.Buffer) {
	if len(r.loads) == 0 {
		return
	}
	fmt.Fprintf(b, `## Reads while %d writers insert

Alone: %d writers without readers, and %d readers without writers, for %s each. Together: for %s, in a store that starts
with %s and grows. Each reader makes all calls in turn. Scopes have the average number of tags of their kind.

| engine | call | alone, calls/s | p50 | p99 | together, calls/s | p50 | p99 | longest |
|---|---|--:|--:|--:|--:|--:|--:|--:|
`, loadWriters, loadWriters, loadReaders, r.loads[0].tookAlone, r.loads[0].took, counted(r.config.loadFill, "tag"))
	for _, load := range r.loads {
		for i, alone := range load.alone {
			together := load.together[i]
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", load.engine, alone.name,
				alone.cells(load.tookAlone), together.cells(load.took), duration(together.seconds(100)))
		}
	}
	r.writeLoadGrowth(b)
}

func (c loadCall) cells(took time.Duration) string {
	rate := float64(c.calls()) / took.Seconds()
	return fmt.Sprintf("%s | %s | %s", ratio(rate), duration(c.seconds(50)), duration(c.seconds(99)))
}

// loadIntervals is the number of columns of the table of growth.
const loadIntervals = 10

func (r *report) writeLoadGrowth(b *bytes.Buffer) {
	fmt.Fprintf(b, `
Sizes during the concurrent load, the maximum within each tenth of the time. Memory is the resident memory of the
benchmark's process. On MySQL the redo log is the part since the last checkpoint, of the whole server.

| engine | of | %s | target | met |
|---|---|%s---|---|
`, strings.Join(intervalNames(r.loads[0].took), " | "), strings.Repeat("--:|", loadIntervals))
	for _, load := range r.loads {
		for _, series := range load.series() {
			fmt.Fprintf(b, "| %s | %s |", load.engine, series.name)
			for i := range loadIntervals {
				fmt.Fprintf(b, " %s |", series.cell(i))
			}
			fmt.Fprintf(b, " %s |\n", targetCells(series.targets))
		}
		fmt.Fprintf(b, "| %s | calls of the slowest and the fastest writer | %s%s and %s | %s |\n",
			load.engine, strings.Repeat("| ", loadIntervals-1),
			thousands(slices.Min(load.writes)), thousands(slices.Max(load.writes)), targetCells([]target{load.starvationTarget()}))
	}
	b.WriteString("\n")
}

func intervalNames(took time.Duration) []string {
	names := make([]string, loadIntervals)
	for i := range names {
		names[i] = (took * time.Duration(i+1) / loadIntervals).String()
	}
	return names
}

// series holds values over the time of a load.
type series struct {
	name    string
	values  []float64
	format  func(float64) string
	targets []target
}

func (s series) cell(interval int) string {
	n := len(s.values)
	part := s.values[interval*n/loadIntervals : (interval+1)*n/loadIntervals]
	if len(part) == 0 {
		return ""
	}
	return s.format(slices.Max(part))
}

func (l loadResult) series() []series {
	tags, memory, log := make([]float64, len(l.sizes)), make([]float64, len(l.sizes)), make([]float64, len(l.sizes))
	for i, size := range l.sizes {
		tags[i], memory[i], log[i] = float64(size.tags), size.memory, size.log
	}
	return []series{
		{"tags", tags, func(n float64) string { return thousands(int(n)) }, nil},
		{"memory", memory, mebibytes, []target{l.boundTarget(memory)}},
		{l.logName, log, mebibytes, []target{l.boundTarget(log)}},
	}
}

// shortestLoad is the shortest load for which boundTarget is evaluated.
const shortestLoad = time.Minute

// boundTarget returns the target of sizes that must be bounded. See growthOf.
func (l loadResult) boundTarget(values []float64) target {
	value := growthOf(values)
	if l.took < shortestLoad {
		value = math.NaN()
	}
	return most("last third / before", value, 1.25)
}

func (l loadResult) starvationTarget() target {
	return least("slowest / fastest", float64(slices.Min(l.writes))/float64(slices.Max(l.writes)), starvation)
}
