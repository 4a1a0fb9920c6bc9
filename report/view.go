package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/matrix"
)

// view is the data of the template.
type view struct {
	Page
	Total      matrix.Cell // the sum of all cells
	Techniques int         // techniques and sub-techniques with tags
	Heat       heat
	Sections   []section
	Bars       []bar
	Peak, Last bar // the highest and the last bar
	New        []row
	Copyright  string
	License    string
}

// section is a matrix.
type section struct {
	Release  string
	Columns  []column
	Unplaced []matrix.Unplaced
}

type column struct {
	attack.Tactic
	Coverage matrix.Coverage
	Seen     []technique // by count, the highest first, then by name
	Unseen   []matrix.Technique
}

type technique struct {
	matrix.Technique
	Sum   matrix.Cell // with the sub-techniques
	Level int         // of heat
	Subs  []technique // those that were seen, ordered like Seen
}

// bar is a bucket of the timeline.
type bar struct {
	X         int
	Start     time.Time
	Count     int64
	Y, Height float64 // of 100, from the top
}

// row is a cell with the names of its ids.
type row struct {
	matrix.Cell
	Name, URL, TacticName string
}

func newView(p Page) view {
	v := view{Page: p, Heat: newHeat(highest(p.Matrices)), Copyright: attack.Copyright, License: attack.License}
	var rows []row
	for _, m := range p.Matrices {
		v.Sections = append(v.Sections, v.section(m))
		rows = append(rows, newRows(m)...)
	}
	ids := map[string]bool{}
	for _, r := range rows {
		v.Total.Add(r.Cell)
		ids[r.Technique] = true
	}
	v.Techniques = len(ids)
	v.bars()
	v.New = p.Before.unseen(rows)
	return v
}

// highest returns the highest count of a technique with its sub-techniques.
func highest(matrices []matrix.Matrix) int64 {
	var n int64
	for _, m := range matrices {
		for _, c := range m.Columns {
			for _, t := range c.Techniques {
				n = max(n, t.Total().Count)
			}
		}
	}
	return n
}

func (v *view) section(m matrix.Matrix) section {
	s := section{Release: m.Release.Name, Unplaced: m.Unplaced}
	for _, c := range m.Columns {
		out := column{Tactic: c.Tactic, Coverage: c.Coverage(), Seen: v.seen(c.Techniques)}
		for _, t := range c.Techniques {
			if !t.Seen() {
				out.Unseen = append(out.Unseen, t)
			}
		}
		s.Columns = append(s.Columns, out)
	}
	return s
}

// seen returns the techniques with tags.
func (v *view) seen(all []matrix.Technique) []technique {
	var out []technique
	for _, t := range all {
		if t.Seen() {
			sum := t.Total()
			out = append(out, technique{t, sum, v.Heat.level(sum.Count), v.seen(t.Subs)})
		}
	}
	slices.SortStableFunc(out, func(a, b technique) int { return cmp.Compare(b.Sum.Count, a.Sum.Count) })
	return out
}

// newRows returns all cells of a matrix.
func newRows(m matrix.Matrix) []row {
	var out []row
	add := func(t matrix.Technique, tactic string) {
		if t.Cell != nil {
			out = append(out, row{*t.Cell, t.Name, t.URL, tactic})
		}
	}
	for _, c := range m.Columns {
		for _, t := range c.Techniques {
			add(t, c.Name)
			for _, sub := range t.Subs {
				add(sub, c.Name)
			}
		}
	}
	for _, c := range m.Unplaced {
		out = append(out, row{Cell: c.Cell})
	}
	return out
}

// bars lays out the timeline.
func (v *view) bars() {
	for i, n := range v.Timeline.Counts {
		b := bar{X: i, Start: v.Timeline.Start.Add(time.Duration(i) * v.Timeline.Bucket), Count: n}
		v.Bars = append(v.Bars, b)
		if n > v.Peak.Count {
			v.Peak = b
		}
	}
	for i := range v.Bars {
		if b := &v.Bars[i]; b.Count > 0 {
			b.Height = max(1, 100*float64(b.Count)/float64(v.Peak.Count)) // a single tag shows, too
			b.Y = 100 - b.Height
		}
		v.Last = v.Bars[i]
	}
}

// unseen returns the rows that were not seen before, by FirstSeen, technique and tactic.
func (b *Before) unseen(rows []row) []row {
	if b == nil {
		return nil
	}
	known := map[attack.Pair]bool{}
	for _, c := range b.Cells {
		known[c.Pair] = true
	}
	var out []row
	for _, r := range rows {
		if !known[r.Pair] {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b row) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(a.Technique, b.Technique), cmp.Compare(a.Tactic, b.Tactic),
			cmp.Compare(a.Release, b.Release))
	})
	return out
}
