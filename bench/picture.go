package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
)

// panel is a diagram with a solid and a dashed line for each engine.
type panel struct{ title, solid, dashed string }

var panels = []panel{
	{"insert: 1 tag, dashed 1,000 tags", insertOne, insertThousand},
	{"rollup of an identity: average, dashed busiest", rollupOf + "identity" + average, rollupOf + "identity" + busiest},
	{"rollup of a campaign: average, dashed busiest", rollupOf + "campaign" + average, rollupOf + "campaign" + busiest},
	{"rollup of a session: average, dashed busiest", rollupOf + "session" + average, rollupOf + "session" + busiest},
	{"fleet rollup, dashed page of 100", fleetRollup, middlePage},
	{"who: all, dashed of a technique", whoAll, whoShows},
}

// The dimensions of a panel in pixels.
const (
	panelColumns = 3
	panelWidth   = 330
	panelHeight  = 250
	plotLeft     = 52
	plotTop      = 34
	plotWidth    = panelWidth - plotLeft - 16
	plotHeight   = panelHeight - plotTop - 34
	headerHeight = 30
)

// pictureStyle is readable on light and on dark pages.
const pictureStyle = `
svg { --ground: #ffffff; --text: #24292f; --grid: #d8dee4; --sqlite: #0a5fb4; --mysql: #c2410c; }
@media (prefers-color-scheme: dark) {
  svg { --ground: #0d1117; --text: #e6edf3; --grid: #30363d; --sqlite: #6cb6ff; --mysql: #ffa657; }
}
.ground { fill: var(--ground); }
text { fill: var(--text); font: 11px system-ui, sans-serif; }
.title { font-weight: 600; }
.grid { stroke: var(--grid); }
.line { fill: none; stroke-width: 2; }
.dashed { stroke-dasharray: 5 4; }
.sqlite { stroke: var(--sqlite); }
.mysql { stroke: var(--mysql); }
`

// picture returns the table of growth as SVG, or nil if it is empty. All panels have the same logarithmic axes.
func (r *report) picture() []byte {
	if len(r.rowsOf(growthTable)) == 0 {
		return nil
	}
	sizes, times := r.growthRange()
	width, height := panelColumns*panelWidth, headerHeight+(len(panels)+panelColumns-1)/panelColumns*panelHeight
	var b bytes.Buffer
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\">\n", width, height)
	fmt.Fprintf(&b, "<title>Time of a call against the size of the store</title>\n<style>%s</style>\n", pictureStyle)
	fmt.Fprintf(&b, "<rect class=\"ground\" width=\"%d\" height=\"%d\"/>\n", width, height)
	x := plotLeft
	for _, engine := range r.config.engines {
		fmt.Fprintf(&b, "<path class=\"line %s\" d=\"M%d 18h24\"/><text x=\"%d\" y=\"22\">%s</text>\n", engine, x, x+30, engine)
		x += 100
	}
	fmt.Fprintf(&b, "<text x=\"%d\" y=\"22\">time of a call against tags in the store, both logarithmic</text>\n", x)
	for i, p := range panels {
		fmt.Fprintf(&b, "<g transform=\"translate(%d %d)\">\n", i%panelColumns*panelWidth, headerHeight+i/panelColumns*panelHeight)
		p.drawAxes(&b, sizes, times)
		for _, engine := range r.config.engines {
			r.drawLine(&b, engine, p.solid, "", sizes, times)
			r.drawLine(&b, engine, p.dashed, " dashed", sizes, times)
		}
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// logRange is a logarithmic axis from one power of ten to another.
type logRange struct{ least, most int }

func logRangeOf(values []float64) logRange {
	least := int(math.Floor(math.Log10(slices.Min(values))))
	return logRange{least, max(least+1, int(math.Ceil(math.Log10(slices.Max(values)))))}
}

// share returns the position of a value on the axis, from 0 to 1.
func (l logRange) share(value float64) float64 {
	return (math.Log10(value) - float64(l.least)) / float64(l.most-l.least)
}

func (r *report) growthRange() (sizes, times logRange) {
	var n, t []float64
	for _, w := range r.rowsOf(growthTable) {
		if w.unit == seconds {
			n, t = append(n, float64(w.tags)), append(t, r.own(w))
		}
	}
	return logRangeOf(n), logRangeOf(t)
}

func (p panel) drawAxes(b *bytes.Buffer, sizes, times logRange) {
	fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" class=\"title\">%s</text>\n", plotLeft, plotTop-12, p.title)
	for e := sizes.least; e <= sizes.most; e++ {
		x := plotLeft + plotWidth*sizes.share(math.Pow10(e))
		fmt.Fprintf(b, "<path class=\"grid\" d=\"M%.1f %dv%d\"/><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
			x, plotTop, plotHeight, x, plotTop+plotHeight+16, shortCount(e))
	}
	for e := times.least; e <= times.most; e++ {
		y := plotTop + plotHeight*(1-times.share(math.Pow10(e)))
		fmt.Fprintf(b, "<path class=\"grid\" d=\"M%d %.1fh%d\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			plotLeft, y, plotWidth, plotLeft-6, y+4, duration(math.Pow10(e)))
	}
}

// shortCount formats a power of ten as 10k or 10M.
func shortCount(exponent int) string {
	suffix := [...]string{"", "k", "M", "G"}[exponent/3]
	return fmt.Sprintf("%.0f%s", math.Pow10(exponent%3), suffix)
}

func (r *report) drawLine(b *bytes.Buffer, engine, job, style string, sizes, times logRange) {
	var points []string
	for _, n := range r.config.growth {
		w := growthRow(engine, job, n)
		if r.samples[w] == nil {
			continue
		}
		x, y := plotLeft+plotWidth*sizes.share(float64(n)), plotTop+plotHeight*(1-times.share(r.own(w)))
		points = append(points, fmt.Sprintf("%.1f %.1f", x, y))
	}
	if len(points) > 0 {
		fmt.Fprintf(b, "<path class=\"line %s%s\" d=\"M%s\"/>\n", engine, style, strings.Join(points, "L"))
	}
}
