package navigator

import (
	"fmt"

	"github.com/decnet/ttpstore/matrix"
)

// DiffOptions describes a layer of [Diff]. Its Score is ignored: differences are colored, not scored.
type DiffOptions struct {
	Options
	Here, There string // names of the matrices, such as "last week"; "here" and "there" by default
}

// The colors of a difference, from a palette that color-blind readers can tell apart.
const (
	onlyHereColor  = "#e69f00"
	onlyThereColor = "#56b4e9"
	bothColor      = "#009e73"
)

// Diff returns a layer of the techniques in only one of two matrices and of those in both, such as of two windows of
// one scope or of two scopes. The matrices must be of one release; otherwise the error is [ErrReleasesDiffer].
func Diff(here, there matrix.Matrix, o DiffOptions) (Layer, error) {
	inHere, inThere := places(here), places(there)
	if here.Release.Name != there.Release.Name || len(inHere) != len(inThere) {
		return Layer{}, fmt.Errorf("navigator: %w: %s and %s", ErrReleasesDiffer, here.Release.Name, there.Release.Name)
	}
	if o.Here == "" {
		o.Here = "here"
	}
	if o.There == "" {
		o.There = "there"
	}
	layer := newLayer(here.Release, o.Options)
	layer.Layout.ShowAggregateScores, layer.Sorting = false, 0
	for i := range inHere {
		if !inHere[i].Seen() && !inThere[i].Seen() {
			continue
		}
		layer.Techniques = append(layer.Techniques, *o.entry(inHere[i], inThere[i]))
	}
	layer.sort()
	layer.LegendItems = []LegendItem{
		{"only " + o.Here, onlyHereColor}, {"only " + o.There, onlyThereColor}, {"both", bothColor},
	}
	layer.Metadata = append(layer.Metadata, unplaced(o.Here+": not in the matrix", here)...)
	layer.Metadata = append(layer.Metadata, unplaced(o.There+": not in the matrix", there)...)
	layer.Metadata = append(layer.Metadata, licence)
	return layer, nil
}

// entry returns the annotation of one place in both matrices.
func (o DiffOptions) entry(here, there place) *Technique {
	entry := here.entry()
	entry.ShowSubtechniques = here.subSeen() || there.subSeen()
	switch {
	case here.Cell != nil && there.Cell != nil:
		entry.Color, entry.Comment = bothColor, "both"
	case here.Cell != nil:
		entry.Color, entry.Comment = onlyHereColor, "only "+o.Here
	case there.Cell != nil:
		entry.Color, entry.Comment = onlyThereColor, "only "+o.There
	}
	if here.Cell != nil {
		entry.Metadata = facts(o.Here+": ", here.Cell)
	}
	if there.Cell != nil {
		entry.Metadata = append(entry.Metadata, facts(o.There+": ", there.Cell)...)
	}
	return entry
}
