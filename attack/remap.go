package attack

import (
	"fmt"
	"slices"
)

// Pair is a cell of the matrix: a technique or sub-technique under one of its tactics, both by id.
type Pair struct {
	Technique string `json:"technique"`
	Tactic    string `json:"tactic"`
}

// Verdict classifies the mapping of a pair to another release.
type Verdict string

// The verdicts. The first four have a place in the matrix of the target release, see [Verdict.Placed].
const (
	Unchanged  Verdict = "unchanged"  // same ids, same names
	Renamed    Verdict = "renamed"    // same ids; the technique or the tactic has another name
	Moved      Verdict = "moved"      // same technique under another tactic
	Replaced   Verdict = "replaced"   // another technique took its place, possibly under another tactic
	Deprecated Verdict = "deprecated" // the technique is deprecated and has no active successor
	Gone       Verdict = "gone"       // the target release lacks the technique, or has it revoked without a successor
	Unknown    Verdict = "unknown"    // no release between the two has the technique under the tactic
)

// Placed reports whether the target release shows the pair in its matrix.
func (v Verdict) Placed() bool {
	return v == Unchanged || v == Renamed || v == Moved || v == Replaced
}

// Mapping is the result of mapping a pair to another release.
type Mapping struct {
	From    Pair     `json:"from"`
	To      Pair     `json:"to"` // in the target release; empty if gone or unknown
	Verdict Verdict  `json:"verdict"`
	Via     []string `json:"via"` // successors between From's technique and To's; if gone, all
}

// Remapping maps the pairs of one release to another of the same domain. It is safe for concurrent use.
type Remapping struct {
	releases []func() *Release // from the target back to the source
}

// Remap returns the mapping between two releases of a domain, in either direction. It takes every release between them
// into account. If the catalogue lacks the source, Remap uses the nearest release. If it lacks the target, the error
// is [ErrUnknownRelease] and lists the releases of the domain.
func (c *Catalogue) Remap(from, to string) (*Remapping, error) {
	target, ok := c.Release(to)
	if !ok {
		return nil, c.unknownRelease(to)
	}
	source, ok := c.Nearest(from)
	if !ok {
		return nil, c.unknownRelease(from)
	}
	if source.Domain != target.Domain {
		return nil, fmt.Errorf("%w: %s is of another domain than %s", ErrUnknownRelease, to, from)
	}
	m := &Remapping{}
	names := c.domain(target.Domain)
	first, last := slices.Index(names, source.Name), slices.Index(names, target.Name)
	for _, name := range names[min(first, last) : max(first, last)+1] {
		m.releases = append(m.releases, c.releases[name])
	}
	if first < last {
		slices.Reverse(m.releases)
	}
	return m, nil
}

// Source returns the release that pairs are mapped from: the nearest one if the catalogue lacks the given one.
func (m *Remapping) Source() *Release { return m.releases[len(m.releases)-1]() }

// Target returns the release that pairs are mapped to.
func (m *Remapping) Target() *Release { return m.releases[0]() }

// Map maps a pair of the source release to the target release. Every pair has a verdict.
//
// A technique that is active in the target keeps its id, even if a release between had revoked it. Otherwise Map
// follows its successors, each from the release nearest to the target that names one. If the technique no longer has
// the tactic, the pair moves to the technique's first new tactic in matrix order, or else to its first tactic.
func (m *Remapping) Map(p Pair) Mapping {
	tactics, known := m.tactics(p)
	if !known {
		return Mapping{From: p, Verdict: Unknown}
	}
	chain := m.chain(p.Technique)
	last := len(chain) - 1
	switch t, _ := m.Target().Technique(chain[last]); {
	case t.Active() && len(t.Tactics) > 0:
		to := Pair{t.ID, heir(p.Tactic, tactics, t.Tactics)}
		return Mapping{From: p, To: to, Verdict: m.verdict(p, to), Via: between(chain)}
	case t.Deprecated:
		return Mapping{From: p, To: Pair{t.ID, p.Tactic}, Verdict: Deprecated, Via: between(chain)}
	default:
		return Mapping{From: p, Verdict: Gone, Via: chain[1:]}
	}
}

// tactics returns all tactics of a pair's technique, from the release nearest to the target that has the pair. The
// pair is known, too, if a release has the technique without any tactics.
func (m *Remapping) tactics(p Pair) (tactics []string, known bool) {
	for _, release := range m.releases {
		t, ok := release().Technique(p.Technique)
		if slices.Contains(t.Tactics, p.Tactic) {
			return t.Tactics, true
		}
		known = known || ok && len(t.Tactics) == 0
	}
	return nil, known
}

// chain returns a technique and its successors, up to one that the target release has not revoked or that has none.
func (m *Remapping) chain(id string) []string {
	chain := []string{id}
	for {
		if t, ok := m.Target().Technique(id); ok && !t.Revoked {
			return chain
		}
		id = m.successor(id)
		if id == "" || slices.Contains(chain, id) {
			return chain
		}
		chain = append(chain, id)
	}
}

// successor returns a technique's successor, from the release nearest to the target that names one.
func (m *Remapping) successor(id string) string {
	for _, release := range m.releases {
		if t, _ := release().Technique(id); t.Successor != "" {
			return t.Successor
		}
	}
	return ""
}

// verdict compares a pair with its place in the target release.
func (m *Remapping) verdict(from, to Pair) Verdict {
	switch {
	case from.Technique != to.Technique:
		return Replaced
	case from.Tactic != to.Tactic:
		return Moved
	case m.renamed(from):
		return Renamed
	}
	return Unchanged
}

// renamed reports whether a pair's technique or tactic has another name in the target than in the source, or in the
// release nearest to the source that has both.
func (m *Remapping) renamed(p Pair) bool {
	technique, _ := m.Target().Technique(p.Technique)
	tactic, _ := m.Target().Tactic(p.Tactic)
	for _, release := range slices.Backward(m.releases) {
		oldTechnique, hasTechnique := release().Technique(p.Technique)
		oldTactic, hasTactic := release().Tactic(p.Tactic)
		if hasTechnique && hasTactic {
			return oldTechnique.Name != technique.Name || oldTactic.Name != tactic.Name
		}
	}
	return false
}

// heir returns the tactic that a pair moves to when the tactics of its technique change.
func heir(tactic string, before, after []string) string {
	if slices.Contains(after, tactic) {
		return tactic
	}
	for _, t := range after {
		if !slices.Contains(before, t) {
			return t
		}
	}
	return after[0]
}

// between returns a chain without its ends.
func between(chain []string) []string {
	if len(chain) < 3 {
		return nil
	}
	return chain[1 : len(chain)-1]
}
