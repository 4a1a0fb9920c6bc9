package attack

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// killChains maps the names of kill chains to domains. External references to ATT&CK have the same names as their
// source.
var killChains = map[string]string{
	"mitre-attack":        "enterprise",
	"mitre-ics-attack":    "ics",
	"mitre-mobile-attack": "mobile",
}

var (
	techniqueID = regexp.MustCompile(`^T\d{4}(\.\d{3})?$`)
	tacticID    = regexp.MustCompile(`^TA\d{4}$`)
)

// release returns the release of a bundle's objects. The name that the caller gives may be empty.
func (all *objects) release(name string) (*Release, error) {
	domain, err := all.domain()
	if err != nil {
		return nil, err
	}
	if name, err = all.name(domain, name); err != nil {
		return nil, err
	}
	ids := attackIDs{}
	tactics, err := all.tacticsInOrder(ids)
	if err != nil {
		return nil, err
	}
	techniques, err := all.techniquesOf(domain, tactics, ids)
	if err != nil {
		return nil, err
	}
	return NewRelease(name, tactics, techniques)
}

// domain returns the one domain whose kill chain all techniques share. An id does not tell its domain.
func (all *objects) domain() (string, error) {
	shared := slices.Collect(maps.Values(killChains))
	for _, t := range all.techniques {
		domains := t.domains()
		if len(domains) == 0 {
			continue // a revoked technique of an old release
		}
		shared = slices.DeleteFunc(shared, func(domain string) bool { return !slices.Contains(domains, domain) })
		if len(shared) == 0 {
			return "", t.invalid("is of another domain than the techniques before it")
		}
	}
	if len(shared) > 1 {
		return "", &BundleError{Reason: "no technique is in a tactic of a known domain"}
	}
	return shared[0], nil
}

// name returns the release's name: that of the collection, or else the given one. It refuses two different names.
func (all *objects) name(domain, given string) (string, error) {
	if len(all.collections) > 1 {
		return "", all.collections[1].invalid("is a second collection; a bundle holds one release")
	}
	own := ""
	for _, c := range all.collections {
		version, _, _ := strings.Cut(c.Version, "-") // mobile has an 11.1-beta
		n, err := parseName(domain + "-v" + version)
		if err != nil {
			return "", c.invalid(fmt.Sprintf("its version %q must be such as %q", c.Version, "18.1"))
		}
		own = n.String()
	}
	switch {
	case own == "" && given == "":
		return "", fmt.Errorf("%w: the bundle has no x-mitre-collection; its domain is %s", ErrNoRelease, domain)
	case own != "" && given != "" && own != given, domainOf(given) != "" && domainOf(given) != domain:
		return "", &BundleError{Reason: fmt.Sprintf("is of %s, not %s", cmp.Or(own, domain), given)}
	}
	return cmp.Or(own, given), nil
}

// attackIDs maps the STIX ids of the objects so far to their ATT&CK ids, and each ATT&CK id to itself.
type attackIDs map[string]string

// add adds an object and returns its ATT&CK id and page. It refuses an object with an id of an earlier one.
func (ids attackIDs) add(o *object, pattern *regexp.Regexp) (id, url string, err error) {
	id, url = o.reference()
	switch {
	case !pattern.MatchString(id):
		return "", "", o.invalid(fmt.Sprintf("its ATT&CK id %q is malformed", id))
	case ids[id] != "" || ids[o.ID] != "":
		return "", "", o.invalid("the object or " + id + " appears twice; a bundle holds one release")
	}
	ids[id], ids[o.ID] = id, id
	return id, url, nil
}

// tacticsInOrder returns the tactics in the order of the matrices: first those of current matrices, then of outdated
// ones, then those without a matrix.
func (all *objects) tacticsInOrder(ids attackIDs) ([]Tactic, error) {
	var order, outdated []string
	for _, m := range all.matrices {
		if m.Revoked || m.Deprecated {
			outdated = append(outdated, m.Tactics...)
		} else {
			order = append(order, m.Tactics...)
		}
	}
	outdated = slices.DeleteFunc(outdated, func(ref string) bool { return slices.Contains(order, ref) })
	order = append(order, outdated...)

	tactics := make([]Tactic, len(all.tactics))
	for i, o := range all.tactics {
		id, url, err := ids.add(&o, tacticID)
		if err != nil {
			return nil, err
		}
		if o.Shortname == "" {
			return nil, o.invalid("has no x_mitre_shortname")
		}
		tactics[i] = Tactic{
			ID: id, Name: o.Name, Shortname: o.Shortname, STIXID: o.ID, URL: url,
			Deprecated: o.Revoked || o.Deprecated || slices.Contains(outdated, o.ID),
		}
	}
	place := func(t Tactic) int { // after all others if no matrix has it
		if i := slices.Index(order, t.STIXID); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortFunc(tactics, func(a, b Tactic) int { return cmp.Or(place(a)-place(b), cmp.Compare(a.ID, b.ID)) })
	return tactics, nil
}

// techniquesOf returns the techniques with their tactics in matrix order and their successors.
func (all *objects) techniquesOf(domain string, tactics []Tactic, ids attackIDs) ([]Technique, error) {
	techniques := make([]Technique, len(all.techniques))
	for i, o := range all.techniques {
		id, url, err := ids.add(&o, techniqueID)
		if err != nil {
			return nil, err
		}
		in, err := o.tacticsIn(domain, tactics)
		if err != nil {
			return nil, err
		}
		techniques[i] = Technique{
			ID: id, Name: o.Name, STIXID: o.ID, URL: url, Tactics: in, Platforms: o.Platforms,
			Revoked: o.Revoked, Deprecated: o.Deprecated,
		}
	}
	successors, err := all.successors(ids)
	if err != nil {
		return nil, err
	}
	for i, t := range techniques {
		techniques[i].Successor = successors[t.ID]
	}
	return techniques, nil
}

// tacticsIn returns the ids of a technique's tactics in matrix order.
func (o *object) tacticsIn(domain string, tactics []Tactic) ([]string, error) {
	var places []int
	for _, shortname := range o.shortnames(domain) {
		place := slices.IndexFunc(tactics, func(t Tactic) bool { return sameTactic(t.Shortname, shortname) })
		if place < 0 {
			return nil, o.invalid(fmt.Sprintf("is in the tactic %q, which the bundle does not have", shortname))
		}
		places = append(places, place)
	}
	slices.Sort(places)
	var in []string
	for _, place := range slices.Compact(places) {
		in = append(in, tactics[place].ID)
	}
	return in, nil
}

// sameTactic compares shortnames. Those of ics have the suffix -ics up to 13.0, where some lack it.
func sameTactic(a, b string) bool {
	return strings.TrimSuffix(a, "-ics") == strings.TrimSuffix(b, "-ics")
}

// successors maps the ids of revoked techniques to those of their successors. Of several relationships, the newest
// counts.
func (all *objects) successors(ids attackIDs) (map[string]string, error) {
	slices.SortStableFunc(all.revocations, func(a, b object) int { return strings.Compare(a.Modified, b.Modified) })
	successors := map[string]string{}
	for _, r := range all.revocations {
		for _, end := range []string{r.Source, r.Target} {
			if !techniqueID.MatchString(ids[end]) { // missing, or a tactic
				return nil, r.invalid("is a revoked-by of " + end + ", which the bundle does not have")
			}
		}
		successors[ids[r.Source]] = ids[r.Target]
	}
	if id := circle(successors); id != "" {
		i := slices.IndexFunc(all.revocations, func(r object) bool { return ids[r.Source] == id })
		return nil, all.revocations[i].invalid("closes a circle of revoked-by at " + id)
	}
	return successors, nil
}

// circle returns a technique whose successors lead back to it, or "".
func circle(successors map[string]string) string {
	walked := map[string]string{} // from which technique each was first reached
	for _, first := range slices.Sorted(maps.Keys(successors)) {
		id := first
		for id != "" && walked[id] == "" {
			walked[id] = first
			id = successors[id]
		}
		if id != "" && walked[id] == first {
			return id
		}
	}
	return ""
}
