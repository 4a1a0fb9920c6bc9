package attack

// Pair is a cell of the matrix: a technique or sub-technique under one of its tactics, both by id.
type Pair struct {
	Technique string `json:"technique"`
	Tactic    string `json:"tactic"`
}

// Verdict is what a release makes of another's pair.
type Verdict string

// The verdicts. The first four have a place in the matrix of the target release, see [Verdict.Placed].
const (
	Unchanged  Verdict = "unchanged"  // same ids, same names
	Renamed    Verdict = "renamed"    // same ids; the technique or the tactic has another name
	Moved      Verdict = "moved"      // same technique under another tactic
	Replaced   Verdict = "replaced"   // another technique took its place, possibly under another tactic
	Deprecated Verdict = "deprecated" // the technique is deprecated and has no active successor
	Gone       Verdict = "gone"       // the target release lacks the technique, or has it revoked without a successor
	Unknown    Verdict = "unknown"    // no release on the way has the technique, or has it under the tactic
)

// Placed reports whether the target release shows the pair in its matrix.
func (v Verdict) Placed() bool {
	return v == Unchanged || v == Renamed || v == Moved || v == Replaced
}

// Mapping is what became of a pair.
type Mapping struct {
	From    Pair     `json:"from"`
	To      Pair     `json:"to"` // the pair in the target release; of a deprecated one its last id; empty if gone or unknown
	Verdict Verdict  `json:"verdict"`
	Via     []string `json:"via"` // technique ids between From and To, of a chain of successors
}

// Remapping maps the pairs of one release to another of the same domain. It is safe for concurrent use.
type Remapping struct {
	from, to *Release
	path     []*Release // from the target release back to the source
}

// Remap returns the mapping between two releases of a domain, in either direction. It takes into account every
// release of the catalogue between them. If the catalogue lacks the source release, the nearest stands for it; if it
// lacks the target, the error is [ErrUnknownRelease] and lists those that there are.
func (c *Catalogue) Remap(from, to string) (*Remapping, error) {
	panic("not yet written")
}

// From returns the release that stands for the source, which is the nearest if the catalogue lacks the source.
func (m *Remapping) From() *Release { return m.from }

// To returns the target release.
func (m *Remapping) To() *Release { return m.to }

// Map says what the target release makes of a pair of the source release. Every pair has a verdict.
func (m *Remapping) Map(p Pair) Mapping {
	panic("not yet written")
}
