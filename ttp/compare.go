package ttp

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// NewTechniques returns the scope's techniques whose first tag matching f was observed at or after since,
// ordered by FirstSeen, technique and sub-technique. f.Since must be zero: a window would hide older tags and
// make known techniques look new. With [AsOf], a technique is not new if one that it replaced is older.
func (s *Store) NewTechniques(ctx context.Context, scope Scope, since time.Time, f Filter, opts ...RollupOption) (
	[]TechniqueRollupRow, error,
) {
	const op = "new techniques"
	var c checker
	scope.check(&c)
	from := toTime(c.bound("since", since))
	if !f.Since.IsZero() {
		c.refuse("filter.since", "must not be set: older tags decide which techniques are new")
	}
	if !f.Until.IsZero() && !f.Until.After(since) {
		c.refuse("until", "must be after since")
	}
	r, err := s.rollup(ctx, op, &c, append([]RollupOption{Where(f)}, opts...))
	if err != nil {
		return nil, err
	}
	rows, err := inScope(ctx, s, op, scope, r.rows(), r.filter, r.read)
	rows = slices.DeleteFunc(rows, func(r TechniqueRollupRow) bool { return r.FirstSeen.Before(from) })
	slices.SortFunc(rows, func(a, b TechniqueRollupRow) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), compareIDs(a, b))
	})
	return rows, err
}

// Comparison holds the techniques that two scopes share and those of only one of them, each list ordered by
// technique and sub-technique.
type Comparison struct {
	Shared []SharedTechnique    `json:"shared"`
	OnlyA  []TechniqueRollupRow `json:"only_a"`
	OnlyB  []TechniqueRollupRow `json:"only_b"`
}

// SharedTechnique holds the rollup rows of one technique in both scopes.
type SharedTechnique struct {
	A TechniqueRollupRow `json:"a"`
	B TechniqueRollupRow `json:"b"`
}

// Compare compares the techniques of two scopes, counting the tags that match f. Both scopes are read from one
// snapshot.
func (s *Store) Compare(ctx context.Context, a, b Scope, f Filter, opts ...RollupOption) (Comparison, error) {
	const op = "compare"
	var c checker
	a.check(&c)
	b.check(&c)
	r, err := s.rollup(ctx, op, &c, append([]RollupOption{Where(f)}, opts...))
	if err != nil {
		return Comparison{}, err
	}
	return snapshot(ctx, s, op, func(q queries) (Comparison, error) {
		ofA, err := readMembers(ctx, a, r.filter, r.read)(q)
		if err != nil {
			return Comparison{}, err
		}
		ofB, err := readMembers(ctx, b, r.filter, r.read)(q)
		return compare(ofA, ofB), err
	})
}

// compare merges both lists in sorted order.
func compare(a, b []TechniqueRollupRow) Comparison {
	slices.SortFunc(a, compareIDs)
	slices.SortFunc(b, compareIDs)
	out := Comparison{Shared: []SharedTechnique{}, OnlyA: []TechniqueRollupRow{}, OnlyB: []TechniqueRollupRow{}}
	for len(a) > 0 && len(b) > 0 {
		switch order := compareIDs(a[0], b[0]); {
		case order < 0:
			out.OnlyA, a = append(out.OnlyA, a[0]), a[1:]
		case order > 0:
			out.OnlyB, b = append(out.OnlyB, b[0]), b[1:]
		default:
			out.Shared = append(out.Shared, SharedTechnique{a[0], b[0]})
			a, b = a[1:], b[1:]
		}
	}
	out.OnlyA, out.OnlyB = append(out.OnlyA, a...), append(out.OnlyB, b...)
	return out
}
