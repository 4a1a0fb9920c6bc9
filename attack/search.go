package attack

// Kind is what a name is searched among.
type Kind string

// The kinds of things that have names.
const (
	Tactics    Kind = "tactic"
	Techniques Kind = "technique" // and sub-techniques
)

// Match is a tactic or technique whose name is, or is near, what was searched.
type Match struct {
	ID      string `json:"id"`
	Name    string `json:"name"`    // of a sub-technique with its technique's before it, "Brute Force: Password Guessing"
	Release string `json:"release"` // the newest of the searched releases that has it under this name
}

// NameError lists what a name may mean: all that have the name if it is ambiguous, else the nearest names.
type NameError struct {
	Kind       Kind
	Name       string
	Candidates []Match
	Ambiguous  bool
}

// Search returns the tactic or technique of a name, by its id, its full name or, of a tactic, its shortname, in any
// case. A sub-technique may be named with its technique before it, "Brute Force: Password Guessing". Active
// techniques go before revoked and deprecated ones of the same name.
//
// The scope is a release, for which the nearest stands if the catalogue lacks it, a domain, for all of its releases,
// or empty for all releases. The error is a [*NameError], which lists the candidates of an ambiguous name and the
// nearest names to an unknown one, or [ErrUnknownRelease].
func (c *Catalogue) Search(scope string, kind Kind, name string) (Match, error) {
	panic("not yet written")
}

// Error lists the candidates.
func (e *NameError) Error() string { panic("not yet written") }

// Unwrap returns [ErrAmbiguousName] or [ErrUnknownName].
func (e *NameError) Unwrap() error {
	if e.Ambiguous {
		return ErrAmbiguousName
	}
	return ErrUnknownName
}
