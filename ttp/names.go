package ttp

import "cmp"

// Names are ATT&CK's names for the IDs of a row, set by reads of a store that has a catalogue ([WithCatalogue]). A name
// that the catalogue lacks is empty.
type Names struct {
	TechniqueName    string `json:"technique_name,omitempty"`
	SubTechniqueName string `json:"sub_technique_name,omitempty"`
	TacticName       string `json:"tactic_name,omitempty"`
	MitreURL         string `json:"mitre_url,omitempty"` // of the sub-technique, if there is one
	// NamesFrom is the nearest release, whose names are used if the catalogue lacks the tags' own. Otherwise it is
	// empty.
	NamesFrom string `json:"names_from,omitempty"`
}

// Names returns the names of IDs in a release, or in the nearest one that the store knows. Tactic, technique and
// subTechnique may be empty. Releases of the database are used once a read has loaded them.
func (s *Store) Names(release, tactic, technique, subTechnique string) Names {
	if s.catalogues == nil {
		return Names{}
	}
	if c, _ := s.catalogues.get(); c != nil {
		return c.names(release, tactic, technique, subTechnique)
	}
	return (&catalogue{Catalogue: s.catalogues.given}).names(release, tactic, technique, subTechnique)
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

// newer returns the newer of two releases, as the last digits of a technique_key. Of releases of different domains, it
// prefers the one that knows the IDs. The first may be 0 for none.
func (c *catalogue) newer(a, b groupKey, tactic, technique, subTechnique string) groupKey {
	if a/domainUnit == b/domainUnit || a == 0 {
		return max(a, b)
	}
	unnamed := func(k groupKey) bool {
		n := c.names(k.release(), tactic, technique, subTechnique)
		return n.TacticName+n.TechniqueName+n.SubTechniqueName == ""
	}
	switch {
	case unnamed(b):
		return a
	case unnamed(a):
		return b
	}
	return max(a, b)
}

// ofTag returns the names of a tag's IDs.
func (c *catalogue) ofTag(t *Tag) Names {
	return c.names(t.AttackRelease, t.Tactic, t.TechniqueID, t.SubTechniqueID)
}

// nameTags names the IDs of tags.
func (c *catalogue) nameTags(tags []Tag) {
	if c == nil {
		return
	}
	for i := range tags {
		tags[i].Names = c.ofTag(&tags[i])
	}
}

// nameTechniques returns the names of the tags' techniques and sub-techniques by ID, without tactics.
func (c *catalogue) nameTechniques(tags []Tag) map[string]Names {
	if c == nil || len(tags) == 0 {
		return nil
	}
	names := map[string]Names{}
	for _, t := range tags {
		names[cmp.Or(t.SubTechniqueID, t.TechniqueID)] = c.names(t.AttackRelease, "", t.TechniqueID, t.SubTechniqueID)
	}
	return names
}
