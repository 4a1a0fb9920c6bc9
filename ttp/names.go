package ttp

import (
	"cmp"
	"slices"

	"github.com/decnet/ttpstore/attack"
)

// WithCatalogue gives rollups, comparisons and timelines the names and links of ATT&CK. Without a catalogue they have
// ids alone.
func WithCatalogue(c *attack.Catalogue) Option {
	return func(s *Store) error {
		s.catalogue = c
		return nil
	}
}

// Names are ATT&CK's names for the ids of a tag. A name that the catalogue lacks is empty.
type Names struct {
	Tactic       string `json:"tactic_name,omitempty"`
	Technique    string `json:"technique_name,omitempty"`
	SubTechnique string `json:"sub_technique_name,omitempty"`
	URL          string `json:"mitre_url,omitempty"` // of the sub-technique, if there is one
	// From is the release that the names are from, if it is not the tag's own.
	From string `json:"names_from,omitempty"`
}

// Names returns the names of a tag's ids in its release, or in the nearest release that the catalogue has.
// Tactic and subTechnique may be empty.
func (s *Store) Names(release, tactic, technique, subTechnique string) Names {
	if s.catalogue == nil {
		return Names{}
	}
	r, ok := s.catalogue.Nearest(release)
	if !ok {
		return Names{}
	}
	var names Names
	if r.Name != release {
		names.From = r.Name
	}
	if t, ok := r.Tactic(tactic); ok {
		names.Tactic = t.Name
	}
	if t, ok := r.Technique(technique); ok {
		names.Technique, names.URL = t.Name, t.URL
	}
	if t, ok := r.Technique(subTechnique); ok {
		names.SubTechnique, names.URL = t.Name, t.URL
	}
	return names
}

// name fills in the names of rollup rows, from the newest release that a row has.
func (s *Store) name(rows []TechniqueRollupRow) {
	if s.catalogue == nil {
		return
	}
	for i := range rows {
		row := &rows[i]
		release := slices.MaxFunc(row.Releases, func(a, b string) int { return cmp.Compare(releaseKey(a), releaseKey(b)) })
		names := s.Names(release, row.Tactic, row.TechniqueID, row.SubTechniqueID)
		row.TechniqueName, row.SubTechniqueName, row.MitreURL, row.NamesFrom = names.Technique, names.SubTechnique, names.URL, names.From
		for k := range row.Tactics {
			row.Tactics[k].Name = s.Names(release, row.Tactics[k].Tactic, "", "").Tactic
		}
	}
}
