package ttp

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// NewTechniques returns the scope's techniques whose first tag that matches the filter was observed at
// or after the time, by FirstSeen, then technique and sub-technique. Since must be open in the filter, or
// every technique would look new at the window's edge.
func (s *Store) NewTechniques(ctx context.Context, scope Scope, since time.Time, f Filter) ([]TechniqueRollupRow, error) {
	const op = "new techniques"
	var c checker
	b := f.filterArgs(&c)
	from := toTime(c.bound("since", since))
	if !f.Since.IsZero() {
		c.refuse("filter.since", "must be open: what was seen before it decides what is new")
	}
	if !f.Until.IsZero() && !f.Until.After(since) {
		c.refuse("until", "must be after since")
	}
	if err := c.queryError(); err != nil {
		return nil, s.fail(ctx, op, err)
	}
	rows, err := inScope(ctx, s, op, scope, b, func(ctx context.Context, q queries, m members, a args) ([]TechniqueRollupRow, error) {
		rows, err := rollUp(ctx, q, m, a)
		rows = slices.DeleteFunc(rows, func(r TechniqueRollupRow) bool { return r.FirstSeen.Before(from) })
		slices.SortFunc(rows, func(a, b TechniqueRollupRow) int {
			return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), compareIDs(a, b))
		})
		return rows, err
	})
	s.name(rows)
	return rows, err
}

// Comparison is what two scopes share and what only one of them has, each by technique and sub-technique.
type Comparison struct {
	Shared []SharedTechnique    `json:"shared"`
	OnlyA  []TechniqueRollupRow `json:"only_a"`
	OnlyB  []TechniqueRollupRow `json:"only_b"`
}

// SharedTechnique is a technique as each of two scopes shows it.
type SharedTechnique struct {
	A TechniqueRollupRow `json:"a"`
	B TechniqueRollupRow `json:"b"`
}

// Compare compares the techniques of two scopes, of the tags that match the filter, in one state of the
// database.
func (s *Store) Compare(ctx context.Context, a, b Scope, f Filter) (Comparison, error) {
	const op = "compare"
	var c checker
	filter := f.filterArgs(&c)
	a.check(&c)
	b.check(&c)
	if err := c.queryError(); err != nil {
		return Comparison{}, s.fail(ctx, op, err)
	}
	return snapshot(ctx, s, op, func(q queries) (Comparison, error) {
		ofA, err := readMembers(ctx, a, filter, rollUp)(q)
		if err != nil {
			return Comparison{}, err
		}
		ofB, err := readMembers(ctx, b, filter, rollUp)(q)
		s.name(ofA)
		s.name(ofB)
		return compare(ofA, ofB), err
	})
}

// compare walks both side by side.
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
