package conformance

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/attack/builtin"
	"github.com/decnet/ttpstore/ttp"
)

func filteredReadsMatchTheModel(t *testing.T, db *database) {
	s, catalogue := db.store(t), builtin.Catalogue()
	named := db.open(t, ttp.WithCatalogue(catalogue))
	rapid.Check(t, func(rt *rapid.T) {
		clearTables(t, db)
		m := drawModel(rt, time.Microsecond)
		m.write(rt, s)
		like := m.anyTag(rt, "like")
		f, scope := m.drawFilter(rt, like), m.drawScope(rt, &like)
		wanted := func(tag ttp.Tag) bool { return matches(f, tag) && m.has(scope, tag) }
		m.checkRollups(rt, s, scope, f, wanted)
		m.checkCells(rt, s, scope, f, wanted)
		m.checkAsOf(rt, named, catalogue, scope, f, wanted)
		m.checkLists(rt, s, scope, f, wanted)
		m.checkTimeline(rt, s, scope, f, wanted)
		m.checkActors(rt, s, f)
		m.checkActorsIn(rt, s, scope, f, wanted)
		m.checkSweeps(rt, s, f)
		m.checkComparison(rt, s, scope, m.drawScope(rt, nil), f)
	})
}

// rollupOf returns the rollup of a scope, and checks that Rollup and the method of its kind return the same.
func rollupOf(rt checker, s *ttp.Store, scope ttp.Scope, opts ...ttp.RollupOption) []ttp.TechniqueRollupRow {
	rt.Helper()
	ctx, rows := context.Background(), must[[]ttp.TechniqueRollupRow](rt)
	general := rows(s.Rollup(ctx, scope, opts...))
	var named []ttp.TechniqueRollupRow
	switch scope.Kind {
	case ttp.AttackerScope:
		named = rows(s.ListTechniquesByAttacker(ctx, scope.UUID, opts...))
	case ttp.IdentityScope:
		named = rows(s.ListTechniquesByIdentity(ctx, scope.UUID, opts...))
	case ttp.SessionScope:
		named = rows(s.ListTechniquesBySession(ctx, scope.SessionID, opts...))
	case ttp.CampaignScope:
		named = rows(s.ListTechniquesByCampaign(ctx, scope.UUID, opts...))
	default:
		named = rows(s.ListDistinctTechniques(ctx, opts...))
	}
	equal(rt, fmt.Sprint("rollup by the method of ", scope), named, general)
	return general
}

func (m *model) checkRollups(rt *rapid.T, s *ttp.Store, scope ttp.Scope, f ttp.Filter, wanted func(ttp.Tag) bool) {
	ctx, want := context.Background(), m.foldScope(scope, wanted)
	equal(rt, fmt.Sprint("rollup of ", scope), rollupOf(rt, s, scope, ttp.Where(f)), want)
	var n int64
	for i, row := range want {
		n += row.Count
		want[i].Distinct = m.distinct(func(tag ttp.Tag) bool {
			return wanted(tag) && tag.TechniqueID == row.TechniqueID && tag.SubTechniqueID == row.SubTechniqueID
		})
	}
	equal(rt, fmt.Sprint("distinct rollup of ", scope), rollupOf(rt, s, scope, ttp.Where(f), ttp.CountDistinct()), want)
	equal(rt, fmt.Sprint("number of tags of ", scope), must[int64](rt)(s.CountTags(ctx, scope, f)), n)
}

func (m *model) distinct(wanted func(ttp.Tag) bool) *ttp.DistinctCounts {
	sources, attackers, identities := map[string]bool{}, map[uuid.UUID]bool{}, map[uuid.UUID]bool{}
	for _, tag := range m.tags {
		if wanted(tag) {
			sources[tag.SourceKind+"|"+tag.SourceID] = true
			attackers[tag.AttackerUUID] = true
			identities[m.identityOf(tag)] = true
		}
	}
	delete(attackers, uuid.Nil)
	delete(identities, uuid.Nil)
	return &ttp.DistinctCounts{Sources: int64(len(sources)), Attackers: int64(len(attackers)), Identities: int64(len(identities))}
}

// sourcesOf returns the source IDs of tags.
func sourcesOf(tags []ttp.Tag) []string {
	names := []string{}
	for _, tag := range tags {
		names = append(names, tag.SourceID)
	}
	return names
}

// asGiven returns tags without BatchUUID and IngestedAt.
func asGiven(tags []ttp.Tag) []ttp.Tag {
	given := []ttp.Tag{}
	for _, tag := range tags {
		tag.BatchUUID, tag.IngestedAt = uuid.Nil, time.Time{}
		given = append(given, tag)
	}
	return given
}

// newestFirst returns the wanted tags in the order of lists.
func (m *model) newestFirst(wanted func(ttp.Tag) bool) []ttp.Tag {
	tags := []ttp.Tag{}
	for _, tag := range m.tags {
		if wanted(tag) {
			tag.UUID = tag.ComputeUUID()
			tags = append(tags, tag)
		}
	}
	slices.SortFunc(tags, func(a, b ttp.Tag) int {
		return cmp.Or(b.ObservedAt.Compare(a.ObservedAt), bytes.Compare(b.UUID[:], a.UUID[:]))
	})
	return tags
}

func (m *model) checkLists(rt *rapid.T, s *ttp.Store, scope ttp.Scope, f ttp.Filter, wanted func(ttp.Tag) bool) {
	ctx, want := context.Background(), m.newestFirst(wanted)
	limit := rapid.IntRange(1, 20).Draw(rt, "limit")
	equal(rt, fmt.Sprint("pages of ", scope), pagesOf(rt, s, scope, f, limit), slices.Collect(slices.Chunk(want, limit)))
	equal(rt, fmt.Sprint("stream of ", scope), asGiven(collect(rt, s.TagsSeq(ctx, scope, f))), want)
	if scope.Kind == ttp.IdentityScope {
		equal(rt, fmt.Sprint("phases of ", scope), must[[]ttp.Phase](rt)(s.ListPhases(ctx, scope.UUID, f)), phasesOf(want))
	}
	if scope.Kind == ttp.SessionScope {
		slices.Reverse(want)
		equal(rt, fmt.Sprint("tags in order of ", scope), asGiven(collect(rt, s.SessionTags(ctx, scope.SessionID, f))), want)
	}
}

// pagesOf returns all pages of a list.
func pagesOf(tb checker, s *ttp.Store, scope ttp.Scope, f ttp.Filter, limit int) [][]ttp.Tag {
	tb.Helper()
	var pages [][]ttp.Tag
	for cursor := ""; ; {
		page := must[ttp.TagPage](tb)(s.ListTags(context.Background(), scope, f, limit, cursor))
		if cursor == "" && len(page.Tags) == 0 && page.Next == "" {
			return pages
		}
		pages = append(pages, asGiven(page.Tags))
		if cursor = page.Next; cursor == "" {
			return pages
		}
	}
}

func collect[T any](rt checker, seq iter.Seq2[T, error]) []T {
	rt.Helper()
	var all []T
	for one, err := range seq {
		succeed(rt, err)
		all = append(all, one)
	}
	return all
}

func phasesOf(tags []ttp.Tag) []ttp.Phase {
	counts := map[ttp.Phase]int64{}
	for _, tag := range tags {
		if tag.DeckyID != "" {
			counts[ttp.Phase{DeckyID: tag.DeckyID, Tactic: tag.Tactic, ObservedAt: tag.ObservedAt}]++
		}
	}
	phases := []ttp.Phase{}
	for phase, n := range counts {
		phase.Count = n
		phases = append(phases, phase)
	}
	slices.SortFunc(phases, func(a, b ttp.Phase) int {
		return cmp.Or(a.ObservedAt.Compare(b.ObservedAt), cmp.Compare(a.DeckyID, b.DeckyID), cmp.Compare(a.Tactic, b.Tactic))
	})
	return phases
}

func (m *model) checkTimeline(rt *rapid.T, s *ttp.Store, scope ttp.Scope, f ttp.Filter, wanted func(ttp.Tag) bool) {
	by := rapid.SampledFrom([]ttp.SeriesBy{ttp.ByTechnique, ttp.ByTactic}).Draw(rt, "by")
	bucket := rapid.SampledFrom([]time.Duration{time.Microsecond, 5 * time.Microsecond, time.Hour, ttp.Week}).Draw(rt, "bucket")
	got := must[ttp.Timeline](rt)(s.Timeline(context.Background(), scope, f, bucket, by))
	equal(rt, fmt.Sprint("timeline of ", scope), got, timelineOf(m.newestFirst(wanted), f, bucket, by))
}

// timelineOf returns the timeline of tags in newest-first order. Truncate uses the same origin as the store, the year 1.
func timelineOf(tags []ttp.Tag, f ttp.Filter, bucket time.Duration, by ttp.SeriesBy) ttp.Timeline {
	out := ttp.Timeline{Bucket: bucket, Counts: []int64{}, Series: []ttp.TimelineSeries{}}
	if len(tags) == 0 && (f.Since.IsZero() || f.Until.IsZero()) {
		return out
	}
	out.Start = f.Since.Add(time.Microsecond - 1).Truncate(bucket) // of the first possible tag
	if f.Since.IsZero() {
		out.Start = tags[len(tags)-1].ObservedAt.Truncate(bucket)
	}
	last := f.Until.Add(-1)
	if f.Until.IsZero() {
		last = tags[0].ObservedAt
	}
	out.Counts = make([]int64, last.Truncate(bucket).Sub(out.Start)/bucket+1)
	for _, tag := range tags {
		one := ttp.TimelineSeries{Tactic: tag.Tactic}
		if by == ttp.ByTechnique {
			one = ttp.TimelineSeries{TechniqueID: tag.TechniqueID, SubTechniqueID: tag.SubTechniqueID}
		}
		i := slices.IndexFunc(out.Series, func(s ttp.TimelineSeries) bool {
			return s.TechniqueID == one.TechniqueID && s.SubTechniqueID == one.SubTechniqueID && s.Tactic == one.Tactic
		})
		if i < 0 {
			one.Counts = make([]int64, len(out.Counts))
			i, out.Series = len(out.Series), append(out.Series, one)
		}
		n := tag.ObservedAt.Sub(out.Start) / bucket
		out.Counts[n]++
		out.Series[i].Counts[n]++
		out.Series[i].Count++
	}
	slices.SortFunc(out.Series, func(a, b ttp.TimelineSeries) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.TechniqueID, b.TechniqueID),
			cmp.Compare(a.SubTechniqueID, b.SubTechniqueID), cmp.Compare(a.Tactic, b.Tactic))
	})
	return out
}

func (m *model) checkActors(rt *rapid.T, s *ttp.Store, f ttp.Filter) {
	ctx := context.Background()
	text := func(id uuid.UUID) string {
		if id == uuid.Nil {
			return ""
		}
		return id.String()
	}
	for kind, idOf := range map[ttp.ScopeKind]func(ttp.Tag) string{
		ttp.IdentityScope: func(tag ttp.Tag) string { return text(m.identityOf(tag)) },
		ttp.AttackerScope: func(tag ttp.Tag) string { return text(tag.AttackerUUID) },
		ttp.CampaignScope: func(tag ttp.Tag) string { return text(m.campaignOf(tag)) },
		ttp.SessionScope:  func(tag ttp.Tag) string { return tag.SessionID },
	} {
		counts := map[string]*ttp.ScopeCount{}
		for _, tag := range m.tags {
			name := idOf(tag)
			if name == "" || !matches(f, tag) {
				continue
			}
			c := counts[name]
			if c == nil {
				scope := must[ttp.Scope](rt)(ttp.ParseScope(string(kind) + " " + name))
				c = &ttp.ScopeCount{Scope: scope, FirstSeen: tag.ObservedAt, LastSeen: tag.ObservedAt}
				counts[name] = c
			}
			c.Count++
			if tag.ObservedAt.Before(c.FirstSeen) {
				c.FirstSeen = tag.ObservedAt
			}
			if tag.ObservedAt.After(c.LastSeen) {
				c.LastSeen = tag.ObservedAt
			}
		}
		want := []ttp.ScopeCount{}
		for _, c := range counts {
			want = append(want, *c)
		}
		slices.SortFunc(want, func(a, b ttp.ScopeCount) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.ID(), b.ID()))
		})
		limit := rapid.IntRange(0, 6).Draw(rt, "top")
		if limit > 0 {
			want = want[:min(limit, len(want))]
		}
		equal(rt, fmt.Sprint("who ", kind, " ", limit), must[[]ttp.ScopeCount](rt)(s.Who(ctx, kind, f, limit)), want)
	}
	want := []ttp.RuleStats{}
	for _, rule := range []string{"R1", "R2"} {
		for version := range 2 {
			wanted := func(tag ttp.Tag) bool { return matches(f, tag) && tag.RuleID == rule && tag.RuleVersion == version }
			rows := m.fold(wanted)
			if len(rows) == 0 {
				continue
			}
			stats := ttp.RuleStats{
				RuleID: rule, RuleVersion: version, Techniques: int64(len(rows)), DistinctCounts: *m.distinct(wanted), FirstSeen: at(1 << 30),
				ConfidenceMin: 1,
			}
			for _, tag := range m.tags {
				if wanted(tag) {
					stats.ConfidenceMin, stats.ConfidenceMax = min(stats.ConfidenceMin, tag.Confidence), max(stats.ConfidenceMax, tag.Confidence)
					stats.ConfidenceMean += tag.Confidence
				}
			}
			slices.SortFunc(rows, func(a, b ttp.TechniqueRollupRow) int {
				return cmp.Or(cmp.Compare(a.TechniqueID, b.TechniqueID), cmp.Compare(a.SubTechniqueID, b.SubTechniqueID))
			})
			for _, row := range rows {
				slices.SortFunc(row.Tactics, func(a, b ttp.TacticCount) int { return cmp.Compare(a.Tactic, b.Tactic) })
				for _, tactic := range row.Tactics {
					pair := attack.Pair{Technique: cmp.Or(row.SubTechniqueID, row.TechniqueID), Tactic: tactic.Tactic}
					stats.Cells = append(stats.Cells, ttp.RuleCell{Pair: pair})
				}
				stats.Count += row.Count
				stats.FirstSeen = slices.MinFunc([]time.Time{stats.FirstSeen, row.FirstSeen}, time.Time.Compare)
				stats.LastSeen = slices.MaxFunc([]time.Time{stats.LastSeen, row.LastSeen}, time.Time.Compare)
			}
			stats.ConfidenceMean /= float64(stats.Count)
			want = append(want, stats)
		}
	}
	got := must[[]ttp.RuleStats](rt)(s.ListRules(ctx, f))
	for i := range min(len(got), len(want)) { // the last digits of a mean depend on the order of its sum
		if mean := &got[i].ConfidenceMean; math.Abs(*mean-want[i].ConfidenceMean) < 1e-9 {
			*mean = want[i].ConfidenceMean
		}
	}
	equal(rt, "rules", got, want)
}

// checkSweeps checks that sweeps return the rollup of each scope with tags.
func (m *model) checkSweeps(rt *rapid.T, s *ttp.Store, f ttp.Filter) {
	ctx := context.Background()
	attackers, identities := map[string]ttp.Scope{}, map[string]ttp.Scope{}
	for _, tag := range m.tags {
		if !matches(f, tag) {
			continue
		}
		if tag.AttackerUUID != uuid.Nil {
			attackers[tag.AttackerUUID.String()] = ttp.OfAttacker(tag.AttackerUUID)
		}
		if identity := m.identityOf(tag); identity != uuid.Nil {
			identities[identity.String()] = ttp.OfIdentity(identity)
		}
	}
	for name, sweep := range map[string]struct {
		scopes map[string]ttp.Scope
		got    []ttp.ScopeRollup
	}{
		"attackers":  {attackers, collect(rt, s.AttackerRollups(ctx, f))},
		"identities": {identities, collect(rt, s.IdentityRollups(ctx, f))},
	} {
		var want []ttp.ScopeRollup
		for _, key := range slices.Sorted(maps.Keys(sweep.scopes)) {
			scope := sweep.scopes[key]
			wanted := func(tag ttp.Tag) bool { return matches(f, tag) && m.has(scope, tag) }
			want = append(want, ttp.ScopeRollup{Scope: scope, Techniques: m.fold(wanted)})
		}
		equal(rt, "sweep of "+name, sweep.got, want)
	}
}

func (m *model) checkComparison(rt *rapid.T, s *ttp.Store, a, b ttp.Scope, f ttp.Filter) {
	ctx := context.Background()
	byID := func(scope ttp.Scope) map[string]ttp.TechniqueRollupRow {
		rows := map[string]ttp.TechniqueRollupRow{}
		for _, row := range m.foldScope(scope, func(tag ttp.Tag) bool { return matches(f, tag) }) {
			rows[row.TechniqueID+row.SubTechniqueID] = row
		}
		return rows
	}
	ofA, ofB := byID(a), byID(b)
	want := ttp.Comparison{Shared: []ttp.SharedTechnique{}, OnlyA: []ttp.TechniqueRollupRow{}, OnlyB: []ttp.TechniqueRollupRow{}}
	for _, key := range slices.Sorted(maps.Keys(ofA)) {
		if row, ok := ofB[key]; ok {
			want.Shared = append(want.Shared, ttp.SharedTechnique{A: ofA[key], B: row})
		} else {
			want.OnlyA = append(want.OnlyA, ofA[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(ofB)) {
		if _, ok := ofA[key]; !ok {
			want.OnlyB = append(want.OnlyB, ofB[key])
		}
	}
	equal(rt, fmt.Sprint("comparison of ", a, " and ", b), must[ttp.Comparison](rt)(s.Compare(ctx, a, b, f)), want)

	since := m.anyTag(rt, "new since").ObservedAt.Add(time.Duration(rapid.IntRange(-1, 1).Draw(rt, "nanoseconds")))
	f.Since = time.Time{}
	if !f.Until.After(since) {
		f.Until = time.Time{}
	}
	fresh := slices.DeleteFunc(m.foldScope(a, func(tag ttp.Tag) bool { return matches(f, tag) }),
		func(row ttp.TechniqueRollupRow) bool { return row.FirstSeen.Before(since) })
	slices.SortFunc(fresh, func(a, b ttp.TechniqueRollupRow) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen),
			cmp.Compare(a.TechniqueID, b.TechniqueID), cmp.Compare(a.SubTechniqueID, b.SubTechniqueID))
	})
	equal(rt, fmt.Sprint("new techniques of ", a), must[[]ttp.TechniqueRollupRow](rt)(s.NewTechniques(ctx, a, since, f)), fresh)
}
