package ttp

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listTechniqueCounts   = all((*sqlitegen.Queries).ListTechniqueCounts, (*mysqlgen.Queries).ListTechniqueCounts, toGroup, toGroup)
	listCountedTechniques = all(
		(*sqlitegen.Queries).ListCountedTechniques, (*mysqlgen.Queries).ListCountedTechniques, toCountedGroup, toCountedGroup)
	emptyTechniqueCounts = exec((*sqlitegen.Queries).EmptyTechniqueCounts, (*mysqlgen.Queries).EmptyTechniqueCounts)
	setTechniqueCount    = exec((*sqlitegen.Queries).SetTechniqueCount, (*mysqlgen.Queries).SetTechniqueCount)
)

// Every transaction that writes or removes tags updates the fleet's counts, so that the fleet's rollup does not read
// tags. Writes only add to the sums and extend the extremes. A removal may remove an extreme, so that it marks the
// group stale; reads use the tags of a stale group until it is recounted.

// countsOf groups tags by key. Groups are sorted, so that concurrent writers do not deadlock. The sign is -1 for
// removed tags.
func countsOf(tags []*Tag, sign int64) []group {
	groups := map[groupKey]group{}
	for _, t := range tags {
		key, at := keyOf(t), t.ObservedAt.UnixMicro()
		g, ok := groups[key]
		if !ok {
			g = group{key: key, firstSeen: at, lastSeen: at}
		}
		g.tags += sign
		g.firstSeen, g.lastSeen = min(g.firstSeen, at), max(g.lastSeen, at)
		g.confidenceMax = max(g.confidenceMax, t.Confidence)
		groups[key] = g
	}
	return slices.SortedFunc(maps.Values(groups), func(a, b group) int { return cmp.Compare(a.key, b.key) })
}

// addWhen is the condition parameter of AddTechniqueCount.
type addWhen int

const (
	unlessTombstones addWhen = iota // only if no tombstone is stored
	always
)

// appendCountArgs appends the arguments of a row of AddTechniqueCount.
func appendCountArgs(args []any, g group, slot int) []any {
	stale := 0
	if g.tags < 0 {
		stale = 1
	}
	return append(args, int64(g.key), slot, g.tags, g.firstSeen, g.lastSeen, g.confidenceMax, stale)
}

// recount recounts each stale group in a transaction. In the caller's transaction, which may not see all tags, groups
// stay stale.
func (s *Store) recount(ctx context.Context) error {
	if s.tx != nil {
		return nil
	}
	counted, err := query(ctx, s, "count techniques", func(q queries) ([]countedGroup, error) {
		return listCountedTechniques(ctx, q, args{})
	})
	if err != nil {
		return err
	}
	for _, c := range counted {
		if !c.stale {
			continue
		}
		_, err := update(ctx, s, "count techniques", func(q queries) (bool, error) { return true, recount(ctx, q, c.key) })
		if err != nil {
			return err
		}
	}
	return nil
}

// recount recounts one group. It locks all slots of the group first, so that a writer whose tags are not committed
// yet adds its counts after the recount.
func recount(ctx context.Context, q queries, key groupKey) error {
	if err := q.markTechniqueStale(ctx, q.db, key); err != nil {
		return err
	}
	a := args{filterArgs: everything, TechniqueKey: int64(key)}
	a.FirstKey, a.LastKey = int64(key), int64(key)
	groups, err := listDistinctTechniques(ctx, q, a)
	if err != nil {
		return err
	}
	if err := emptyTechniqueCounts(ctx, q, a); err != nil || len(groups) == 0 {
		return err
	}
	g := groups[0]
	a.Tags, a.FirstSeen, a.LastSeen, a.ConfidenceMax = g.tags, g.firstSeen, g.lastSeen, g.confidenceMax
	return setTechniqueCount(ctx, q, a)
}

// countedGroup is a group of the stored counts.
type countedGroup struct {
	group
	stale bool
}

// verifyCounts compares the stored counts with the tags.
func (v *verifier) verifyCounts(ctx context.Context) error {
	faults, err := snapshot(ctx, v.store, "verify", func(q queries) ([]fault, error) {
		counted, err := listCountedTechniques(ctx, q, args{})
		if err != nil {
			return nil, err
		}
		groups, err := listDistinctTechniques(ctx, q, args{})
		if err != nil {
			return nil, err
		}
		v.report.Techniques = int64(len(groups))
		return append(v.compareCounts(counted, groups), v.checkTechniques(groups)...), nil
	})
	if err != nil {
		return err
	}
	return v.finish(ctx, faults)
}

func (v *verifier) compareCounts(counted []countedGroup, groups []group) []fault {
	actual := map[groupKey]group{}
	for _, g := range groups {
		actual[g.key] = g
	}
	var faults []fault
	wrong := func(key groupKey, counted, tags int64) {
		technique, sub := key.technique().ids()
		f := Finding{Kind: WrongCount, Of: "technique", UUID: uuid.Nil, Detail: fmt.Sprintf(
			"%s %s %s has %d tags, but its stored count (%d), times or confidence are wrong",
			cmp.Or(sub, technique), key.tactic(), key.release(), tags, counted)}
		fix := fault{Finding: f}
		if v.store.tx == nil { // the caller's transaction may not see all tags
			fix.repair = func(ctx context.Context, q queries) (bool, error) { return true, recount(ctx, q, key) }
		}
		faults = append(faults, fix)
	}
	for _, c := range counted {
		g, ok := actual[c.key]
		delete(actual, c.key)
		if c.tags != g.tags || (ok && !c.stale && c.group != g) {
			wrong(c.key, c.tags, g.tags)
		}
	}
	for _, g := range groups {
		if _, uncounted := actual[g.key]; uncounted {
			wrong(g.key, 0, g.tags)
		}
	}
	return faults
}

type countedGroupRow interface {
	sqlitegen.ListCountedTechniquesRow | mysqlgen.ListCountedTechniquesRow
}

func toCountedGroup[R countedGroupRow](row R) countedGroup {
	r := sqlitegen.ListCountedTechniquesRow(row)
	return countedGroup{group{
		key: groupKey(r.TechniqueKey), tags: r.Tags,
		firstSeen: r.FirstSeen, lastSeen: r.LastSeen, confidenceMax: r.ConfidenceMax,
	}, r.Stale == 1}
}
