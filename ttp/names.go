package ttp

import "cmp"

// Names are ATT&CK's names for the IDs of a row, set by reads of a store that has a catalogue ([WithCatalogue]). A name
// that the catalogue lacks is empty.
type Names struct {
	TacticName       string `json:"tactic_name,omitempty"`
	TechniqueName    string `json:"technique_name,omitempty"`
	SubTechniqueName string `json:"sub_technique_name,omitempty"`
	MitreURL         string `json:"mitre_url,omitempty"` // of the sub-technique, if there is one
	// NamesFrom is the release that the names are from, if the catalogue lacks the tags' own: the nearest.
	NamesFrom string `json:"names_from,omitempty"`
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

// ofKey returns the names of a key's IDs.
func (c *catalogue) ofKey(key groupKey) Names {
	technique, sub := key.technique().ids()
	return c.names(key.release(), key.tactic(), technique, sub)
}
