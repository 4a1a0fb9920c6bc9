package matrix

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/decnet/ttpstore/attack"
)

// ErrDuplicate means that two cells are of the same technique, tactic and release.
var ErrDuplicate = errors.New("duplicate cell")

// Matrix is the matrix of a release with the observed techniques.
type Matrix struct {
	Release *attack.Release
	Columns []Column // the tactics in the order of the matrix
	// Unplaced holds the cells without a place in the release, by release, technique and tactic.
	Unplaced []Unplaced
}

// Unplaced is a cell that is not in the matrix of a release.
type Unplaced struct {
	Cell
	Reason string `json:"reason"` // such as "revoked by T1059.001"
}

// Column is a tactic with all its active techniques, by name.
type Column struct {
	attack.Tactic
	Techniques []Technique
}

// Technique is a technique or sub-technique in a column.
type Technique struct {
	attack.Technique
	Cell *Cell       // nil if no tag shows it
	Subs []Technique // the active sub-techniques, by name
}

// ByRelease returns a matrix for each release that the cells name, in the catalogue's order. A release that the
// catalogue lacks is refused with [attack.ErrUnknownRelease]: the names and places of the nearest one may be wrong.
func ByRelease(cells []Cell, c *attack.Catalogue) ([]Matrix, error) {
	byRelease := map[string][]Cell{}
	for _, cell := range cells {
		if _, ok := c.Release(cell.Release); !ok {
			return nil, fmt.Errorf("matrix: %w: %q; the catalogue has %s", attack.ErrUnknownRelease, cell.Release,
				strings.Join(c.Releases(), ", "))
		}
		byRelease[cell.Release] = append(byRelease[cell.Release], cell)
	}
	var out []Matrix
	for _, name := range c.Releases() {
		if byRelease[name] == nil {
			continue
		}
		release, _ := c.Release(name)
		m, err := Arrange(byRelease[name], release)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// Arrange puts the cells into the matrix of a release. Cells of the same release, technique and tactic must have been
// merged before; otherwise the error is [ErrDuplicate].
func Arrange(cells []Cell, r *attack.Release) (Matrix, error) {
	m := Matrix{Release: r}
	byPair := make(map[attack.Pair]*Cell, len(cells))
	for i := range cells {
		cell := &cells[i]
		switch {
		case cell.Release != r.Name:
			m.Unplaced = append(m.Unplaced, Unplaced{*cell, elsewhere(cell)})
		case byPair[cell.Pair] != nil:
			return Matrix{}, fmt.Errorf("matrix: %w: %s under %s in %s", ErrDuplicate, cell.Technique, cell.Tactic, r.Name)
		default:
			byPair[cell.Pair] = cell
		}
	}
	m.Columns = columns(r, func(p attack.Pair) *Cell {
		cell := byPair[p]
		delete(byPair, p)
		return cell
	})
	for _, cell := range byPair {
		m.Unplaced = append(m.Unplaced, Unplaced{*cell, reason(cell.Pair, r)})
	}
	slices.SortFunc(m.Unplaced, func(a, b Unplaced) int {
		return cmp.Or(cmp.Compare(a.Release, b.Release), cmp.Compare(a.Technique, b.Technique), cmp.Compare(a.Tactic, b.Tactic))
	})
	return m, nil
}

// elsewhere returns why a cell is not of the matrix's release: with origins, the verdict of the remap to it.
func elsewhere(c *Cell) string {
	if len(c.Origins) > 0 {
		return string(c.Origins[0].Verdict)
	}
	return "of another release"
}

// reason returns why a release has no place for a pair.
func reason(p attack.Pair, r *attack.Release) string {
	t, ok := r.Technique(p.Technique)
	switch {
	case !ok:
		return "unknown technique"
	case t.Revoked && t.Successor != "":
		return "revoked by " + t.Successor
	case t.Revoked:
		return "revoked"
	case t.Deprecated:
		return "deprecated"
	}
	return "not under this tactic"
}

// columns lays out the active techniques of a release, each with the cell that take returns for its place.
func columns(r *attack.Release, take func(attack.Pair) *Cell) []Column {
	subs := map[string][]attack.Technique{}
	var techniques []attack.Technique
	for t := range r.Techniques() {
		switch {
		case !t.Active():
		case t.Parent() != "":
			subs[t.Parent()] = append(subs[t.Parent()], t)
		default:
			techniques = append(techniques, t)
		}
	}
	under := func(tactic string, all []attack.Technique) []Technique {
		var out []Technique
		for _, t := range all {
			if slices.Contains(t.Tactics, tactic) {
				out = append(out, Technique{Technique: t, Cell: take(attack.Pair{Technique: t.ID, Tactic: tactic})})
			}
		}
		slices.SortFunc(out, func(a, b Technique) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
		return out
	}
	var out []Column
	for _, tactic := range r.Tactics {
		if tactic.Deprecated {
			continue
		}
		column := Column{Tactic: tactic, Techniques: under(tactic.ID, techniques)}
		for i := range column.Techniques {
			column.Techniques[i].Subs = under(tactic.ID, subs[column.Techniques[i].ID])
		}
		out = append(out, column)
	}
	return out
}

// Seen reports whether tags show the technique or one of its sub-techniques.
func (t Technique) Seen() bool {
	return t.Cell != nil || slices.ContainsFunc(t.Subs, Technique.Seen)
}

// Total sums up the cells of the technique and its sub-techniques: Count, FirstSeen, LastSeen and ConfidenceMax. It is
// the zero Cell if no tag shows them.
func (t Technique) Total() Cell {
	var total Cell
	if t.Cell != nil {
		total.Add(*t.Cell)
	}
	for _, sub := range t.Subs {
		total.Add(sub.Total())
	}
	return total
}

// Coverage holds the numbers of seen and of all active techniques.
type Coverage struct {
	Techniques, KnownTechniques int // a technique counts as seen if a sub-technique is
	Subs, KnownSubs             int
}

// Coverage counts the column's techniques and sub-techniques.
func (c Column) Coverage() Coverage {
	out := Coverage{KnownTechniques: len(c.Techniques)}
	for _, t := range c.Techniques {
		if t.Seen() {
			out.Techniques++
		}
		out.KnownSubs += len(t.Subs)
		for _, sub := range t.Subs {
			if sub.Seen() {
				out.Subs++
			}
		}
	}
	return out
}
