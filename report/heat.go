package report

import (
	"math"
	"sort"

	"github.com/dustin/go-humanize"
)

// levels is the number of colors of the heat map; the style sheet has a class for each, from heat-1 to heat-5.
const levels = 5

// heat maps counts to colors on a logarithmic scale: counts of attacks differ by orders of magnitude.
type heat struct {
	from []int64 // the lowest count of each color, ascending
}

// newHeat returns the scale up to the highest count.
func newHeat(highest int64) heat {
	var h heat
	for i := range levels {
		from := int64(math.Ceil(math.Pow(float64(highest)+1, float64(i)/levels)))
		if from <= highest && (len(h.from) == 0 || from > h.from[len(h.from)-1]) {
			h.from = append(h.from, from)
		}
	}
	return h
}

// level returns a count's color, 0 for none. The highest count always has the last color.
func (h heat) level(count int64) int {
	n := sort.Search(len(h.from), func(i int) bool { return h.from[i] > count })
	if n == 0 {
		return 0
	}
	return levels - len(h.from) + n
}

// step explains a color.
type step struct {
	Level int
	Range string
}

// Legend returns the colors in use with their counts.
func (h heat) Legend() []step {
	var out []step
	for i, from := range h.from {
		label := humanize.Comma(from)
		switch {
		case i == len(h.from)-1:
			label += " or more"
		case h.from[i+1]-1 > from:
			label += " to " + humanize.Comma(h.from[i+1]-1)
		}
		out = append(out, step{h.level(from), label})
	}
	return out
}
