package ttp

import (
	"sync"

	"github.com/decnet/ttpstore/attack"
)

// WithCatalogue gives the rows of the store's reads the names and links of ATT&CK, and [AsOf] the releases to map
// between. Without a catalogue, rows have IDs alone.
func WithCatalogue(c *attack.Catalogue) Option {
	return func(s *Store) error {
		s.catalogue = newCatalogue(c)
		return nil
	}
}

// Names are ATT&CK's names for the IDs of a row. All are empty without [WithCatalogue], and each that the catalogue
// lacks is.
type Names struct {
	TacticName       string `json:"tactic_name,omitempty"`
	TechniqueName    string `json:"technique_name,omitempty"`
	SubTechniqueName string `json:"sub_technique_name,omitempty"`
	MitreURL         string `json:"mitre_url,omitempty"` // of the sub-technique, if there is one
	// NamesFrom is the release that the names are from, if the catalogue lacks the tags' own: the nearest.
	NamesFrom string `json:"names_from,omitempty"`
}

// catalogue is what names come from. A nil one has none.
type catalogue struct {
	*attack.Catalogue
	mu           sync.Mutex
	translations map[string]*translation // by release of AsOf
}

func newCatalogue(c *attack.Catalogue) *catalogue {
	if c == nil {
		return nil
	}
	return &catalogue{Catalogue: c, translations: map[string]*translation{}}
}

// names returns the names of a tag's IDs in its release, or in the nearest one. Tactic, technique and subTechnique may
// be empty.
func (c *catalogue) names(release, tactic, technique, subTechnique string) Names {
	if c == nil {
		return Names{}
	}
	r, ok := c.Nearest(release)
	if !ok {
		return Names{}
	}
	var names Names
	if r.Name != release {
		names.NamesFrom = r.Name
	}
	if t, ok := r.Tactic(tactic); ok {
		names.TacticName = t.Name
	}
	if t, ok := r.Technique(technique); ok {
		names.TechniqueName, names.MitreURL = t.Name, t.URL
	}
	if t, ok := r.Technique(subTechnique); ok {
		names.SubTechniqueName, names.MitreURL = t.Name, t.URL
	}
	return names
}
