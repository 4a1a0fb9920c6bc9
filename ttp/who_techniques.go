package ttp

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
)

// WhoAllOf returns the scopes of a kind that have tags of each of the techniques, like [Store.Who]; Count, FirstSeen
// and LastSeen are of the tags of these techniques. [Filter.TechniqueMatch] selects how each of them is matched, and
// [Filter.Technique] must be empty.
func (s *Store) WhoAllOf(ctx context.Context, kind ScopeKind, f Filter, techniques []string, limit int) ([]ScopeCount, error) {
	return s.whoShows(ctx, "who all of", kind, f, techniques, limit, true)
}

// WhoAnyOf returns the scopes of a kind that have tags of any of the techniques. See [Store.WhoAllOf].
func (s *Store) WhoAnyOf(ctx context.Context, kind ScopeKind, f Filter, techniques []string, limit int) ([]ScopeCount, error) {
	return s.whoShows(ctx, "who any of", kind, f, techniques, limit, false)
}

func (s *Store) whoShows(ctx context.Context, op string, kind ScopeKind, f Filter, techniques []string, limit int, all bool,
) ([]ScopeCount, error) {
	var c checker
	who := c.who(kind, limit)
	if f.Technique != "" {
		c.refuse("technique", "must be empty: the techniques are given")
	}
	if len(techniques) == 0 || slices.Contains(techniques, "") {
		c.refuse("techniques", "must not be empty")
	}
	techniques = slices.Compact(slices.Sorted(slices.Values(techniques)))
	filters := make([]filterArgs, len(techniques))
	for i, technique := range techniques {
		f.Technique = technique
		filters[i] = f.filterArgs(&c)
	}
	if err := c.queryError(); err != nil {
		return nil, s.refuse(ctx, op, err)
	}
	filters = slices.Compact(filters) // ParentTechnique matches sub-techniques of the same technique alike
	return snapshot(ctx, s, op, func(q queries) ([]ScopeCount, error) {
		shown, counts := map[Scope]int{}, scopeCounts{}
		for i, filter := range filters {
			rows, err := who(ctx, q, args{filterArgs: filter, Limit: math.MaxInt64})
			if err != nil {
				return nil, err
			}
			covered := f.TechniqueMatch == WithSubTechniques && slices.Contains(techniques, techniques[i][:5]) && len(techniques[i]) > 5
			for _, row := range rows {
				shown[row.Scope]++
				if covered {
					row.Count = 0 // its parent counts the tags
				}
				counts.add(row)
			}
		}
		maps.DeleteFunc(counts, func(scope Scope, _ *ScopeCount) bool { return all && shown[scope] < len(filters) })
		return counts.most(cmp.Or(int64(limit), math.MaxInt64)), nil
	})
}
