package attack

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/decnet/ttpstore/internal/levenshtein"
)

// Kind selects the objects that [Catalogue.Search] searches.
type Kind string

// The kinds of objects with a name.
const (
	Tactics    Kind = "tactic"
	Techniques Kind = "technique" // sub-techniques too
)

// Match is a tactic or technique with a name, or with a similar one.
type Match struct {
	ID      string `json:"id"`
	Name    string `json:"name"`    // of a sub-technique with its technique's, such as "Brute Force: Password Guessing"
	Release string `json:"release"` // the newest searched release that has it under this name
}

// NameError lists the candidates for a name: all objects with the name if it is ambiguous, or else those with the most
// similar names.
type NameError struct {
	Kind       Kind
	Name       string
	Ambiguous  bool
	Candidates []Match
}

// Error lists the candidates.
func (e *NameError) Error() string {
	candidates := make([]string, len(e.Candidates))
	for i, m := range e.Candidates {
		candidates[i] = fmt.Sprintf("%s %s (%s)", m.ID, m.Name, m.Release)
	}
	switch {
	case e.Ambiguous:
		return fmt.Sprintf("%v: the %s %q may be %s", ErrAmbiguousName, e.Kind, e.Name, strings.Join(candidates, " or "))
	case len(candidates) > 0:
		return fmt.Sprintf("%v: no %s is called %q; the nearest are %s", ErrUnknownName, e.Kind, e.Name, strings.Join(candidates, ", "))
	}
	return fmt.Sprintf("%v: no %s is called %q or similarly", ErrUnknownName, e.Kind, e.Name)
}

// Unwrap returns [ErrAmbiguousName] or [ErrUnknownName].
func (e *NameError) Unwrap() error {
	if e.Ambiguous {
		return ErrAmbiguousName
	}
	return ErrUnknownName
}

// Search finds a tactic or technique by its name, its id or, for a tactic, its shortname, ignoring case. The name of a
// sub-technique may follow that of its technique, such as "Brute Force: Password Guessing". Within a release, active
// techniques take precedence over revoked and deprecated ones of the same name.
//
// The scope is a release, or the nearest one if the catalogue lacks it; a domain, for all of its releases; or empty,
// for all releases. The error is a [*NameError] if no object has the name, or several have it, in one release or in
// different ones. It is [ErrUnknownRelease] if the scope has no release.
func (c *Catalogue) Search(scope string, kind Kind, name string) (Match, error) {
	releases, err := c.scope(scope)
	if err != nil {
		return Match{}, err
	}
	name = strings.TrimSpace(name)
	var all []labelled
	var exact []Match
	for _, r := range releases {
		labels := r.labelled(kind)
		all = append(all, labels...)
		exact = append(exact, matches(labels, name)...)
	}
	exact = distinct(exact)
	if len(exact) == 1 {
		return exact[0], nil
	}
	e := &NameError{Kind: kind, Name: name, Ambiguous: len(exact) > 1, Candidates: exact}
	if !e.Ambiguous {
		e.Candidates = nearest(all, name)
	}
	return Match{}, e
}

// scope returns the releases of a search's scope, the newest first.
func (c *Catalogue) scope(scope string) ([]*Release, error) {
	names := c.Releases()
	if scope != "" {
		names = c.domain(scope)
	}
	if len(names) == 0 {
		r, ok := c.Nearest(scope)
		if !ok {
			return nil, c.unknownRelease(scope)
		}
		return []*Release{r}, nil
	}
	var releases []*Release
	for _, name := range slices.Backward(names) {
		r, _ := c.Release(name)
		releases = append(releases, r)
	}
	return releases, nil
}

// labelled is a tactic or technique with all of its names.
type labelled struct {
	Match
	labels []string
	active bool
}

// labelled returns a release's tactics or techniques.
func (r *Release) labelled(kind Kind) []labelled {
	var all []labelled
	if kind == Tactics {
		for _, t := range r.Tactics {
			all = append(all, labelled{Match{t.ID, t.Name, r.Name}, []string{t.ID, t.Name, t.Shortname}, !t.Deprecated})
		}
		return all
	}
	for t := range r.Techniques() {
		full := t.Name
		if parent, ok := r.Technique(t.Parent()); ok {
			full = parent.Name + ": " + t.Name
		}
		all = append(all, labelled{Match{t.ID, full, r.Name}, []string{t.ID, t.Name, full}, t.Active()})
	}
	return all
}

// matches returns the active objects of a release with the name or, if there are none, the others with it.
func matches(all []labelled, name string) []Match {
	var active, others []Match
	for _, l := range all {
		switch has := slices.ContainsFunc(l.labels, func(label string) bool { return strings.EqualFold(label, name) }); {
		case has && l.active:
			active = append(active, l.Match)
		case has:
			others = append(others, l.Match)
		}
	}
	if len(active) > 0 {
		return active
	}
	return others
}

// distinct keeps the first match of each id of a domain.
func distinct(all []Match) []Match {
	seen := map[[2]string]bool{}
	return slices.DeleteFunc(all, func(m Match) bool {
		key := [2]string{domainOf(m.Release), m.ID}
		again := seen[key]
		seen[key] = true
		return again
	})
}

// nearest returns the few objects whose labels contain a name or are most similar to it, the most similar first.
func nearest(all []labelled, name string) []Match {
	const few = 5
	distances := map[string]int{}
	distance := func(l labelled) int {
		least := len(name) + 1
		for _, label := range l.labels {
			d, known := distances[label]
			if !known {
				d = dissimilarity(strings.ToLower(name), strings.ToLower(label))
				distances[label] = d
			}
			least = min(least, d)
		}
		return least
	}
	all = slices.DeleteFunc(all, func(l labelled) bool { return 3*distance(l) > len(name) })
	slices.SortStableFunc(all, func(a, b labelled) int { return cmp.Or(distance(a)-distance(b), cmp.Compare(a.ID, b.ID)) })
	var found []Match
	for _, l := range all {
		found = append(found, l.Match)
	}
	found = distinct(found)
	return found[:min(few, len(found))]
}

// dissimilarity returns the edit distance of a name and a label, or 1 if the label contains the name.
func dissimilarity(name, label string) int {
	if strings.Contains(label, name) {
		return 1
	}
	return levenshtein.Distance(name, label)
}
