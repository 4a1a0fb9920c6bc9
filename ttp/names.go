package ttp

import (
	"cmp"
	"slices"

	"github.com/decnet/ttpstore/attack"
)

// WithCatalogue adds ATT&CK names and links to rollups and comparisons. Without a catalogue they contain IDs only.
func WithCatalogue(c *attack.Catalogue) Option {
	return func(s *Store) error {
		s.catalogue = c
		return nil
	}
}

// Names holds the ATT&CK names of a tag's IDs. A name that the catalogue lacks is empty.
type Names struct {
	Tactic       string `json:"tactic_name,omitempty"`
	Technique    string `json:"technique_name,omitempty"`
	SubTechnique string `json:"sub_technique_name,omitempty"`
	URL          string `json:"mitre_url,omitempty"` // of the sub-technique, if any
	// From is the release of the names, if it differs from the tag's release.
	From string `json:"names_from,omitempty"`
}

// Names returns the names of a tag's IDs in its release, or in the nearest release of the catalogue. The tactic and
// subTechnique may be empty.
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

// name sets the names of rollup rows from the newest release of each row.
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
