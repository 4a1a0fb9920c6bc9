package ttp

import (
	"cmp"
	"slices"
	"sync"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/matrix"
)

// AsOf counts tags as techniques of one ATT&CK release, such as "enterprise-v18.1". It maps each technique under each
// tactic as [attack.Catalogue.Remap] does and adds up techniques that the release merged. Rows have the release's IDs
// and names, with the tags' own IDs in Origins. A technique without a place in the release keeps its IDs in a row of
// its own, whose Verdict is deprecated, gone or unknown; techniques of another domain are unknown. A filter selects
// tags by their own IDs.
//
// AsOf needs [WithCatalogue]. A release that the catalogue lacks fails with [attack.ErrUnknownRelease], which lists
// the releases that it has.
func AsOf(release string) RollupOption {
	return func(o *rollupOptions) { o.asOf = append(o.asOf, release) }
}

// asOf returns the canonical release of AsOf, or "" without the option.
func (c *checker) asOf(releases []string, named bool) string {
	if len(releases) == 0 {
		return ""
	}
	release, ok := canonicalRelease(releases[0])
	switch {
	case len(releases) > 1:
		c.refuse("as_of", "must be given once")
	case !ok:
		c.refuse("as_of", releaseRule)
	case !named:
		c.refuse("as_of", "needs a catalogue: open the store with WithCatalogue")
	}
	return release
}

// translation places groups in the matrix of a release. A nil translation keeps their keys.
type translation struct {
	catalogue  *attack.Catalogue
	release    string
	mu         sync.Mutex
	remappings map[string]*attack.Remapping // by release of the tags; nil of another domain
	placements map[groupKey]placement       // a cache, since mapping a pair takes longer than reading its group
}

// placement is the key under which a group is counted, and the verdict of its mapping.
type placement struct {
	key     groupKey
	verdict attack.Verdict
}

// translation returns the translation to a release, or [attack.ErrUnknownRelease].
func (c *catalogue) translation(release string) (*translation, error) {
	if _, err := c.Remap(release, release); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.translations[release]
	if t == nil {
		t = &translation{
			catalogue: c.Catalogue, release: release,
			remappings: map[string]*attack.Remapping{}, placements: map[groupKey]placement{},
		}
		c.translations[release] = t
	}
	return t, nil
}

// place sets the place and the verdict of each group.
func (t *translation) place(groups []group) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range groups {
		g := &groups[i]
		p, known := t.placements[g.key]
		if !known {
			p = t.placement(g.key)
			t.placements[g.key] = p
		}
		g.origin, g.key, g.verdict = g.key, p.key, p.verdict
	}
}

func (t *translation) placement(key groupKey) placement {
	release := key.release()
	remapping, known := t.remappings[release]
	if !known {
		remapping, _ = t.catalogue.Remap(release, t.release) // fails only for another domain
		t.remappings[release] = remapping
	}
	if remapping == nil {
		return placement{key, attack.Unknown}
	}
	mapping := remapping.Map(key.pair())
	if !mapping.Verdict.Placed() {
		return placement{key, mapping.Verdict}
	}
	return placement{pairKey(mapping.To, t.release), mapping.Verdict}
}

// outside returns the verdict of a group without a place in the release, and "" for any other.
func outside(v attack.Verdict) attack.Verdict {
	if v.Placed() {
		return ""
	}
	return v
}

// byChange orders the verdicts of placed groups.
var byChange = []attack.Verdict{attack.Unchanged, attack.Renamed, attack.Moved, attack.Replaced}

// greaterChange returns the verdict that changes more.
func greaterChange(a, b attack.Verdict) attack.Verdict {
	if slices.Index(byChange, b) > slices.Index(byChange, a) {
		return b
	}
	return cmp.Or(a, b)
}

// addOrigin adds a group to origins, whose groups must come in the order of their keys.
func addOrigin(origins []matrix.Origin, g group) []matrix.Origin {
	origin := matrix.Origin{Release: g.origin.release(), Pair: g.origin.pair(), Count: g.tags, Verdict: g.verdict}
	if last := len(origins) - 1; last >= 0 && origins[last].Release == origin.Release && origins[last].Pair == origin.Pair {
		origins[last].Count += g.tags
		return origins
	}
	return append(origins, origin)
}
