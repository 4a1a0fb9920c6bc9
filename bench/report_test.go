package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// addRatio adds a sample of ttpstore and one of GORM.
func addRatio(r *report, w row, ratio float64) {
	r.add(sample{w, ttpstoreName, 1})
	r.add(sample{w, gormName, ratio})
}

func verdicts(targets []target) string {
	var out []string
	for _, t := range targets {
		out = append(out, t.text+": "+t.verdict())
	}
	return strings.Join(out, "; ")
}

func TestSmallTargets(t *testing.T) {
	r := newReport(config{})
	for _, c := range []struct {
		engine        string
		writers, tags int
		want          string
	}{
		{mysqlEngine, 64, 1, "GORM ≥ 6: yes: 6.00; p99 of GORM ≥ 1: **no: 0.90**"},
		{sqliteEngine, 8, 1, "GORM ≥ 3: yes: 6.00; p99 of GORM ≥ 1: **no: 0.90**"},
		{sqliteEngine, 64, 10, "GORM ≥ 2: yes: 6.00"},
		{mysqlEngine, 8, 10, ""},
	} {
		call := smallCall{writers: c.writers, tags: c.tags}
		w := call.row(c.engine, secondsPerTag)
		addRatio(r, w, 6)
		addRatio(r, w.in(p99), 0.9)
		if got := verdicts(r.smallTargets(call, w)); got != c.want {
			t.Errorf("%s, %s: got %q, want %q", c.engine, call, got, c.want)
		}
	}
}

func TestFilledTargets(t *testing.T) {
	of := func(tags int) row { return row{mainTable, sqliteEngine, filledInsert, tags, seconds} }
	r := newReport(config{})
	addRatio(r, of(10*million), 1.8)
	if got, want := verdicts(r.filledTargets(of(10*million))), "GORM ≥ 1.7: yes: 1.80"; got != want {
		t.Errorf("without a million: got %q, want %q", got, want)
	}
	addRatio(r, of(million), 2)
	for tags, want := range map[int]string{1000: "", million: "GORM ≥ 1.7: yes: 2.00", 10 * million: "GORM ≥ 2: **no: 1.80**"} {
		if got := verdicts(r.filledTargets(of(tags))); got != want {
			t.Errorf("%d tags: got %q, want %q", tags, got, want)
		}
	}
}

func TestGrowthTargets(t *testing.T) {
	r := grown(100_000, million, 10*million)
	r.add(sample{row{mainTable, sqliteEngine, fleetRollup, million, seconds}, gormName, 5})
	want := "largest / 100,000 ≤ 2: **no: 4.00**; GORM at 1,000,000 / largest ≥ 100: yes: 125"
	if got := verdicts(r.growthTargets(sqliteEngine, fleetRollup)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := verdicts(r.growthTargets(mysqlEngine, fleetRollup)); strings.Count(got, "not measured") != 2 {
		t.Errorf("not measured: got %q", got)
	}
}

// grown returns a report of calls that take 10 ms at first, and twice as long at each next size.
func grown(sizes ...int) *report {
	r := newReport(config{growth: sizes, engines: []string{sqliteEngine}})
	for i, n := range sizes {
		for _, job := range growthRows() {
			r.add(sample{growthRow(sqliteEngine, job, n), ttpstoreName, 0.01 * math.Pow(2, float64(i))})
		}
	}
	return r
}

func TestGrowthOf(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{1, 2, 3, 4, 5, 6}, 1.5},
		{[]float64{1, 4, 4, 4, 4, 3}, 1},
		{[]float64{5, 1, 1, 1, 2, 1}, 0.4},
	} {
		if got := growthOf(c.values); got != c.want {
			t.Errorf("%v: got %v, want %v", c.values, got, c.want)
		}
	}
	if got := growthOf([]float64{1}); !math.IsNaN(got) {
		t.Errorf("one value: got %v", got)
	}
}

func TestBoundTarget(t *testing.T) {
	growing := []float64{1, 2, 3, 4, 5, 6}
	for took, want := range map[time.Duration]string{time.Second: "not measured", time.Minute: "**no: 1.50**"} {
		if got := (loadResult{took: took}).boundTarget(growing).verdict(); got != want {
			t.Errorf("%s: got %q, want %q", took, got, want)
		}
	}
}

func TestPicture(t *testing.T) {
	picture := grown(10_000, 100_000, million).picture()
	decoder, lines := xml.NewDecoder(bytes.NewReader(picture)), 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		element, ok := token.(xml.StartElement)
		if ok && slices.ContainsFunc(element.Attr, func(a xml.Attr) bool { return a.Name.Local == "d" && strings.Count(a.Value, "L") == 2 }) {
			lines++
		}
	}
	if want := 2 * len(panels); lines != want {
		t.Errorf("got %d lines of three points, want %d", lines, want)
	}
	if picture := newReport(config{}).picture(); picture != nil {
		t.Errorf("nothing was measured: got %s", picture)
	}
}
