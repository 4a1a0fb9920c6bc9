package navigator

import (
	"encoding/json"
	"errors"
	"io"
)

// The versions that layers declare.
const (
	layerVersion     = "4.5"
	navigatorVersion = "5.1.0"
)

// Layer is a layer of format 4.5. An absent property has its zero value, and the Navigator's default applies.
type Layer struct {
	Name        string       `json:"name"`
	Versions    *Versions    `json:"versions,omitempty"`
	Domain      string       `json:"domain"` // enterprise-attack, ics-attack or mobile-attack
	Description string       `json:"description,omitempty"`
	Sorting     int          `json:"sorting,omitempty"` // 0 and 1 by name, 2 and 3 by score; odd is descending
	Layout      *Layout      `json:"layout,omitempty"`
	Techniques  []Technique  `json:"techniques,omitzero"`
	Gradient    *Gradient    `json:"gradient,omitempty"`
	LegendItems []LegendItem `json:"legendItems,omitempty"`

	ShowTacticRowBackground bool   `json:"showTacticRowBackground,omitempty"`
	TacticRowBackground     string `json:"tacticRowBackground,omitempty"`
	HideDisabled            bool   `json:"hideDisabled,omitempty"`
	// The Navigator's default of the first two is true.
	SelectTechniquesAcrossTactics *bool `json:"selectTechniquesAcrossTactics,omitempty"`
	SelectSubtechniquesWithParent *bool `json:"selectSubtechniquesWithParent,omitempty"`
	SelectVisibleTechniques       bool  `json:"selectVisibleTechniques,omitempty"`

	Metadata []Metadata `json:"metadata,omitempty"`
	Links    []Link     `json:"links,omitempty"`
}

// Versions holds the versions that a layer was made for.
type Versions struct {
	// Attack is the release's version, such as "18.1". The Navigator uses only the first number.
	Attack    string `json:"attack,omitempty"`
	Navigator string `json:"navigator"` // 4.9.0 or later
	Layer     string `json:"layer"`     // 4.5
}

// Technique annotates a technique or sub-technique under a tactic.
type Technique struct {
	TechniqueID string `json:"techniqueID"`
	// Tactic is a tactic's shortname. Without it the annotation is copied to every tactic of the technique.
	Tactic  string   `json:"tactic,omitempty"`
	Score   *float64 `json:"score,omitempty"` // 0 is a score
	Color   string   `json:"color,omitempty"` // overrides the gradient
	Comment string   `json:"comment,omitempty"`
	Enabled *bool    `json:"enabled,omitempty"` // true by default
	// ShowSubtechniques expands a technique.
	ShowSubtechniques bool       `json:"showSubtechniques,omitempty"`
	Metadata          []Metadata `json:"metadata,omitempty"`
	Links             []Link     `json:"links,omitempty"`
}

// Gradient gives scores their colors.
type Gradient struct {
	Colors   []string `json:"colors"` // hexadecimal, two or more
	MinValue float64  `json:"minValue"`
	MaxValue float64  `json:"maxValue"` // greater than MinValue
}

// LegendItem explains a color.
type LegendItem struct {
	Label string `json:"label"`
	Color string `json:"color"`
}

// Metadata is a name and a value, neither empty, or a divider.
type Metadata struct {
	Name    string `json:"name,omitempty"`
	Value   string `json:"value,omitempty"`
	Divider bool   `json:"divider,omitempty"`
}

// Link is a label and a URL, or a divider.
type Link struct {
	Label   string `json:"label,omitempty"`
	URL     string `json:"url,omitempty"`
	Divider bool   `json:"divider,omitempty"`
}

// Layout configures the drawing of the matrix.
type Layout struct {
	Layout                string `json:"layout,omitempty"`            // side, flat or mini
	AggregateFunction     string `json:"aggregateFunction,omitempty"` // average, min, max or sum
	ShowID                bool   `json:"showID"`
	ShowName              bool   `json:"showName"`
	ShowAggregateScores   bool   `json:"showAggregateScores"`
	CountUnscored         bool   `json:"countUnscored"`
	ExpandedSubtechniques string `json:"expandedSubtechniques,omitempty"` // none, annotated or all
}

// Write writes a file with one layer, or with a list of several layers.
func Write(w io.Writer, layers ...Layer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	switch len(layers) {
	case 0:
		return errors.New("navigator: a file needs at least one layer")
	case 1:
		return e.Encode(layers[0])
	}
	return e.Encode(layers)
}
