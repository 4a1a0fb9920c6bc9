package attack

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// Catalogue is a set of releases. The zero value is empty and ready to use. It is safe for concurrent reads, but not
// while [Catalogue.Add] or another method changes it.
type Catalogue struct {
	releases map[string]func() *Release
}

// Releases returns the names of all releases, such as "enterprise-v18.1", by domain and then by version, oldest first.
func (c *Catalogue) Releases() []string {
	return slices.SortedFunc(maps.Keys(c.releases), compareNames)
}

// Release returns the release with the name, such as "enterprise-v18.1".
func (c *Catalogue) Release(name string) (*Release, bool) {
	load, ok := c.releases[name]
	if !ok {
		return nil, false
	}
	return load(), true
}

// Nearest returns the release with the name, or else the newest older release of the same domain, or else the oldest
// newer one. It reports false if the catalogue has no release of the domain.
func (c *Catalogue) Nearest(name string) (*Release, bool) {
	if r, ok := c.Release(name); ok {
		return r, true
	}
	names := c.domain(domainOf(name))
	if len(names) == 0 {
		return nil, false
	}
	at, _ := slices.BinarySearchFunc(names, name, compareNames)
	return c.Release(names[max(0, at-1)])
}

// Add adds a release. It replaces one of the same name.
func (c *Catalogue) Add(r *Release) {
	c.add(r.Name, func() *Release { return r })
}

// Merge adds all releases of another catalogue. They replace those of the same names.
func (c *Catalogue) Merge(other *Catalogue) {
	for name, load := range other.releases {
		c.add(name, load)
	}
}

// Clone returns a copy that shares the releases, so that adding to either does not change the other.
func (c *Catalogue) Clone() *Catalogue {
	return &Catalogue{releases: maps.Clone(c.releases)}
}

// add adds a release, which load returns on first use.
func (c *Catalogue) add(name string, load func() *Release) {
	if c.releases == nil {
		c.releases = map[string]func() *Release{}
	}
	c.releases[name] = sync.OnceValue(load)
}

// domain returns the names of a domain's releases, oldest first.
func (c *Catalogue) domain(domain string) []string {
	return slices.DeleteFunc(c.Releases(), func(name string) bool { return domainOf(name) != domain })
}

// compareNames orders release names by domain and then by version.
func compareNames(a, b string) int {
	x, _ := parseName(a)
	y, _ := parseName(b)
	return cmp.Or(cmp.Compare(x.domain, y.domain), cmp.Compare(x.major, y.major), cmp.Compare(x.minor, y.minor))
}
