package navigator

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/matrix"
)

// Options describes a layer of [New].
type Options struct {
	Name        string // followed by the release in the layer's name
	Description string
	Score       Score
	Metadata    []Metadata // of the layer, such as the scope and the filters
}

// heat holds the colors of the lowest, the middle and the highest score.
var heat = []string{"#fdd49e", "#fc8d59", "#b30000"}

// New returns the layer of a matrix: one entry for each technique and tactic with tags, and one for each technique
// with a sub-technique that has some, which expands it. Entries are ordered by technique and tactic. Cells without a
// place in the release are listed in the layer's metadata.
func New(m matrix.Matrix, o Options) (Layer, error) {
	score := cmp.Or(o.Score, Count)
	layer := newLayer(m.Release, o)
	highest := 0.0
	for _, p := range places(m) {
		entry, total, err := p.scored(score)
		if err != nil {
			return Layer{}, err
		}
		if entry != nil {
			layer.Techniques = append(layer.Techniques, *entry)
			highest = max(highest, total)
		}
	}
	layer.sort()
	layer.Layout.AggregateFunction = score.aggregate()
	layer.Gradient, layer.LegendItems = gradient(score, highest)
	layer.Metadata = append(layer.Metadata, unplaced("Not in the matrix", m)...)
	layer.Metadata = append(layer.Metadata, licence)
	return layer, nil
}

var licence = Metadata{Name: "ATT&CK licence", Value: attack.License}

// newLayer returns a layer without techniques.
func newLayer(r *attack.Release, o Options) Layer {
	across := false
	return Layer{
		Name:        strings.TrimSpace(o.Name + " (" + r.Name + ")"),
		Versions:    &Versions{Attack: r.Version, Navigator: navigatorVersion, Layer: layerVersion},
		Domain:      r.Domain + "-attack",
		Description: strings.TrimSpace(o.Description + "\n\n" + attack.Copyright),
		Sorting:     3,
		Layout: &Layout{
			Layout: "side", ShowID: true, ShowName: true, ShowAggregateScores: true, ExpandedSubtechniques: "annotated",
		},
		Techniques:                    []Technique{},
		SelectTechniquesAcrossTactics: &across,
		Metadata:                      slices.Clone(o.Metadata),
	}
}

// place is a technique or sub-technique in the column of a tactic.
type place struct {
	tactic attack.Tactic
	matrix.Technique
}

// places returns all places of a matrix. Those of the same release are the same for any cells.
func places(m matrix.Matrix) []place {
	var out []place
	for _, column := range m.Columns {
		for _, t := range column.Techniques {
			out = append(out, place{column.Tactic, t})
			for _, sub := range t.Subs {
				out = append(out, place{column.Tactic, sub})
			}
		}
	}
	return out
}

// entry returns the annotation of a place with only its link.
func (p place) entry() *Technique {
	return &Technique{
		TechniqueID: p.ID, Tactic: p.tactic.Shortname, Links: links(p.Name, p.URL),
		ShowSubtechniques: p.subSeen(),
	}
}

func (p place) subSeen() bool { return slices.ContainsFunc(p.Subs, matrix.Technique.Seen) }

// scored returns the annotation of a place and its aggregate score, or nil if no tag shows it or a sub-technique.
func (p place) scored(by Score) (*Technique, float64, error) {
	if !p.Seen() {
		return nil, 0, nil
	}
	entry := p.entry()
	var total float64
	for _, t := range append([]matrix.Technique{p.Technique}, p.Subs...) {
		if t.Cell == nil {
			continue
		}
		score, err := by.of(t.Cell)
		if err != nil {
			return nil, 0, err
		}
		if by.aggregate() == "sum" {
			total += score
		} else {
			total = max(total, score)
		}
		if t.ID == p.ID {
			entry.Score, entry.Metadata = &score, facts("", t.Cell)
		}
	}
	return entry, total, nil
}

// facts returns the facts about a cell as metadata, each name with the prefix.
func facts(prefix string, c *matrix.Cell) []Metadata {
	out := []Metadata{
		{Name: "Tags", Value: strconv.FormatInt(c.Count, 10)},
		{Name: "First seen", Value: c.FirstSeen.UTC().Format(time.RFC3339Nano)},
		{Name: "Last seen", Value: c.LastSeen.UTC().Format(time.RFC3339Nano)},
		{Name: "Confidence", Value: strconv.FormatFloat(c.ConfidenceMax, 'f', -1, 64)},
	}
	if d := c.Distinct; d != nil {
		out = append(out,
			Metadata{Name: "Sources", Value: strconv.FormatInt(d.Sources, 10)},
			Metadata{Name: "Attackers", Value: strconv.FormatInt(d.Attackers, 10)},
			Metadata{Name: "Identities", Value: strconv.FormatInt(d.Identities, 10)})
	}
	if len(c.Rules) > 0 {
		out = append(out, Metadata{Name: "Rules", Value: strings.Join(c.Rules, ", ")})
	}
	for _, o := range c.Origins {
		out = append(out, Metadata{Name: "Tagged as", Value: fmt.Sprintf("%s, %s, %s: %d", o.Technique, o.Tactic, o.Release, o.Count)})
	}
	for i := range out {
		out[i].Name = prefix + out[i].Name
	}
	return out
}

// unplaced lists the cells outside the matrix.
func unplaced(name string, m matrix.Matrix) []Metadata {
	var out []Metadata
	for _, c := range m.Unplaced {
		out = append(out, Metadata{Name: name, Value: fmt.Sprintf("%s, %s, %s: %d (%s)", c.Technique, c.Tactic, c.Release, c.Count, c.Reason)})
	}
	return out
}

// links returns a link to ATT&CK's page. A bundle that a user loads may have any URL, or none.
func links(name, page string) []Link {
	if u, err := url.Parse(page); err != nil || !isWeb(u) || name == "" {
		return nil
	}
	return []Link{{Label: "ATT&CK: " + name, URL: page}}
}

func isWeb(u *url.URL) bool { return (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" }

// gradient returns colors for scores up to the highest, and their legend. The Navigator needs a range that is not
// empty, even if nothing is scored.
func gradient(by Score, highest float64) (*Gradient, []LegendItem) {
	g := &Gradient{Colors: heat, MaxValue: highest}
	switch {
	case by == Confidence:
		g.MaxValue = 100
	case highest == 0:
		g.MaxValue = 1
	}
	highLabel := strconv.FormatFloat(g.MaxValue, 'f', -1, 64) + " " + by.unit()
	return g, []LegendItem{{"0 " + by.unit(), heat[0]}, {highLabel, heat[len(heat)-1]}}
}

// sort orders the entries by technique and tactic.
func (l *Layer) sort() {
	slices.SortFunc(l.Techniques, func(a, b Technique) int {
		return cmp.Or(cmp.Compare(a.TechniqueID, b.TechniqueID), cmp.Compare(a.Tactic, b.Tactic))
	})
}
