package attack

import (
	"iter"
	"maps"
	"slices"
)

// Release is an ATT&CK release of one domain. Treat it as immutable, since catalogues share it.
type Release struct {
	Name    string // such as "enterprise-v18.1"
	Domain  string // enterprise, ics or mobile
	Version string // such as "18.1"

	// Tactics are in the order of the matrix. A domain of several matrices has those of the current ones first.
	Tactics []Tactic

	techniques map[string]Technique
	ids        []string // of techniques, sorted
}

// Tactic is a column of the matrix. Its name and shortname are those of its release: TA0005 is "Defense Evasion" up to
// enterprise-v18.1 and "Stealth" from enterprise-v19.0.
type Tactic struct {
	ID         string `json:"id"`        // such as "TA0006"
	Name       string `json:"name"`      // such as "Credential Access"
	Shortname  string `json:"shortname"` // as Navigator layers name it, such as "credential-access"
	STIXID     string `json:"stix_id"`
	URL        string `json:"url"`
	Deprecated bool   `json:"deprecated"` // also if only deprecated matrices show it
}

// Technique is a technique or a sub-technique.
type Technique struct {
	ID         string   `json:"id"` // such as "T1110" or "T1110.001"
	Name       string   `json:"name"`
	STIXID     string   `json:"stix_id"`
	URL        string   `json:"url"`
	Tactics    []string `json:"tactics"`   // ids in matrix order; some old releases lack those of revoked techniques
	Platforms  []string `json:"platforms"` // such as "Windows", as the release orders them
	Revoked    bool     `json:"revoked"`
	Deprecated bool     `json:"deprecated"` // independent of Revoked
	Successor  string   `json:"successor"`  // the id of the technique that revoked it, or empty
}

// Active reports whether the technique is neither revoked nor deprecated, and so shown in the matrix.
func (t Technique) Active() bool { return !t.Revoked && !t.Deprecated }

// Parent returns the id of a sub-technique's technique, and "" for a technique.
func (t Technique) Parent() string { return parentOf(t.ID) }

// NewRelease returns a release of tactics in matrix order and techniques in any order. A sub-technique without tactics
// gets those of its technique. It returns [ErrUnknownRelease] for a name that is not such as "enterprise-v18.1".
func NewRelease(name string, tactics []Tactic, techniques []Technique) (*Release, error) {
	n, err := parseName(name)
	if err != nil {
		return nil, err
	}
	r := &Release{
		Name: n.String(), Domain: n.domain, Version: n.version(),
		Tactics: tactics, techniques: make(map[string]Technique, len(techniques)),
	}
	for _, t := range techniques {
		r.techniques[t.ID] = t
	}
	for id, t := range r.techniques {
		if parent, ok := r.techniques[t.Parent()]; ok && len(t.Tactics) == 0 {
			t.Tactics = parent.Tactics
			r.techniques[id] = t
		}
	}
	r.ids = slices.Sorted(maps.Keys(r.techniques))
	return r, nil
}

// Tactic returns the tactic with the id, such as "TA0006".
func (r *Release) Tactic(id string) (Tactic, bool) {
	for _, t := range r.Tactics {
		if t.ID == id {
			return t, true
		}
	}
	return Tactic{}, false
}

// order returns the tactics' ids in matrix order.
func (r *Release) order() []string {
	ids := make([]string, len(r.Tactics))
	for i, t := range r.Tactics {
		ids[i] = t.ID
	}
	return ids
}

// Technique returns the technique or sub-technique with the id, even if it is revoked or deprecated.
func (r *Release) Technique(id string) (Technique, bool) {
	t, ok := r.techniques[id]
	return t, ok
}

// Techniques returns all techniques and sub-techniques, including revoked and deprecated ones, in the order of their
// ids: a technique comes right before its sub-techniques.
func (r *Release) Techniques() iter.Seq[Technique] {
	return func(yield func(Technique) bool) {
		for _, id := range r.ids {
			if !yield(r.techniques[id]) {
				return
			}
		}
	}
}

// parentOf returns the id of a sub-technique's technique, and "" for a technique's id.
func parentOf(id string) string {
	const technique = len("T1110")
	if len(id) <= technique {
		return ""
	}
	return id[:technique]
}
