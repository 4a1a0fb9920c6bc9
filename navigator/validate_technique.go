package navigator

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"

	"github.com/decnet/ttpstore/attack"
)

var techniqueID = regexp.MustCompile(`^T\d{4}(\.\d{3})?$`)

// techniques checks the entries against the matrix of the release.
func (c *checker) techniques(entries []Technique, r *attack.Release) {
	parents := map[string]bool{}
	for t := range r.Techniques() {
		if t.Active() {
			parents[t.Parent()] = true
		}
	}
	taken := map[attack.Pair]bool{}
	for i := range entries {
		t := &entries[i]
		field := fmt.Sprintf("techniques[%d].", i)
		if i > 0 && cmp.Or(cmp.Compare(entries[i-1].TechniqueID, t.TechniqueID), cmp.Compare(entries[i-1].Tactic, t.Tactic)) > 0 {
			c.refuse(field+"techniqueID", "must come in the order of technique and tactic")
		}
		if t.ShowSubtechniques && !parents[t.TechniqueID] {
			c.refuse(field+"showSubtechniques", "must be on a technique that has sub-techniques")
		}
		if t.Color != "" {
			c.color(field+"color", t.Color)
		}
		c.metadata(field, t.Metadata)
		c.links(field, t.Links)
		for _, tactic := range c.shown(field, t, r) {
			if p := (attack.Pair{Technique: t.TechniqueID, Tactic: tactic}); taken[p] {
				c.refuse(field+"tactic", "must be annotated once: the Navigator keeps the last annotation of "+p.Technique+" under "+p.Tactic)
			} else {
				taken[p] = true
			}
		}
	}
}

// shown returns the shortnames of the tactics under which the Navigator shows an entry.
func (c *checker) shown(field string, t *Technique, r *attack.Release) []string {
	if !techniqueID.MatchString(t.TechniqueID) {
		c.refuse(field+"techniqueID", `must be such as "T1110" or "T1110.001"`)
		return nil
	}
	technique, ok := r.Technique(t.TechniqueID)
	if !ok || !technique.Active() {
		c.refuse(field+"techniqueID", "must be an active technique of "+r.Name)
		return nil
	}
	var tactics []string
	for _, id := range technique.Tactics {
		if tactic, ok := r.Tactic(id); ok && !tactic.Deprecated {
			tactics = append(tactics, tactic.Shortname)
		}
	}
	switch {
	case t.Tactic == "":
		return tactics
	case slices.Contains(tactics, t.Tactic):
		return []string{t.Tactic}
	}
	c.refuse(field+"tactic", fmt.Sprintf("must be the shortname of a tactic of %s in %s: %q", t.TechniqueID, r.Name, tactics))
	return nil
}

func (c *checker) metadata(field string, items []Metadata) {
	for i, m := range items {
		if isDivider := m == (Metadata{Divider: true}); !isDivider && (m.Name == "" || m.Value == "" || m.Divider) {
			c.refuse(fmt.Sprintf("%smetadata[%d]", field, i), "must be a name and a value that are not empty, or a divider")
		}
	}
}

func (c *checker) links(field string, links []Link) {
	for i, l := range links {
		field := fmt.Sprintf("%slinks[%d]", field, i)
		if l == (Link{Divider: true}) {
			continue
		}
		if l.Label == "" || l.Divider {
			c.refuse(field, "must be a label and a URL, or a divider")
		}
		if u, err := url.Parse(l.URL); err != nil || !isWeb(u) {
			c.refuse(field+".url", "must be an http or https URL")
		}
	}
}
