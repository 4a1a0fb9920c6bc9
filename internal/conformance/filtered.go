package conformance

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/decnet/ttpstore/ttp"
)

// drawFilter asks for what tags have, each part in a third of the filters.
func drawFilter(rt *rapid.T) ttp.Filter {
	var f ttp.Filter
	asks := func(what string) bool { return rapid.IntRange(0, 2).Draw(rt, "asks for "+what) == 0 }
	one := func(what string, of ...string) string { return rapid.SampledFrom(of).Draw(rt, what) }
	if asks("since") {
		f.Since = drawBound(rt, 0, 30)
	}
	if asks("until") {
		f.Until = drawBound(rt, 31, 51)
	}
	if asks("confidence") {
		f.MinConfidence = rapid.Float64Range(0.3, 0.9).Draw(rt, "min confidence")
	}
	switch {
	case asks("release"):
		f.Release = one("release", releases...)
	case asks("domain"):
		f.Domain = one("domain", "enterprise", "ics", "mobile")
	}
	if asks("tactic") {
		f.Tactic = one("tactic", "TA0001", "TA0003", "TA0006")
	}
	if asks("technique") {
		f.Technique = one("technique", "T1003", "T1078", "T1110", "T1110.001", "T1078.002")
		f.TechniqueMatch = rapid.SampledFrom([]ttp.TechniqueMatch{ttp.ExactTechnique, ttp.WithSubTechniques, ttp.ParentTechnique}).Draw(rt, "match")
	}
	if asks("rule") {
		f.RuleID = one("rule", "R1", "R2")
		if asks("version") {
			f.RuleVersion = new(rapid.IntRange(0, 1).Draw(rt, "version"))
		}
	}
	if asks("source kind") {
		f.SourceKind = one("source kind", "command", "payload")
	}
	if asks("decky") {
		f.DeckyID = one("decky", "d1", "d2")
	}
	return f
}

// drawBound is a tag's time, or a nanosecond to either side of it.
func drawBound(rt *rapid.T, from, to int) time.Time {
	return at(rapid.IntRange(from, to).Draw(rt, "bound")).Add(time.Duration(rapid.IntRange(-1, 1).Draw(rt, "nanoseconds")))
}

// matches says the filter's rules a second time.
func matches(f ttp.Filter, tag ttp.Tag) bool {
	exact := cmp.Or(tag.SubTechniqueID, tag.TechniqueID)
	parent, _, _ := strings.Cut(f.Technique, ".")
	technique := map[ttp.TechniqueMatch]bool{
		ttp.ExactTechnique:    exact == f.Technique,
		ttp.WithSubTechniques: exact == f.Technique || tag.TechniqueID == f.Technique,
		ttp.ParentTechnique:   exact == parent,
	}[f.TechniqueMatch]
	return (f.Since.IsZero() || !tag.ObservedAt.Before(f.Since)) && (f.Until.IsZero() || tag.ObservedAt.Before(f.Until)) &&
		tag.Confidence >= f.MinConfidence &&
		(f.Release == "" || tag.AttackRelease == f.Release) && strings.HasPrefix(tag.AttackRelease, f.Domain) &&
		(f.Tactic == "" || tag.Tactic == f.Tactic) && (f.Technique == "" || technique) &&
		(f.RuleID == "" || tag.RuleID == f.RuleID) && (f.RuleVersion == nil || tag.RuleVersion == *f.RuleVersion) &&
		(f.SourceKind == "" || tag.SourceKind == f.SourceKind) && (f.DeckyID == "" || tag.DeckyID == f.DeckyID)
}

// has tells whether a scope has a tag.
func (m *model) has(scope ttp.Scope, tag ttp.Tag) bool {
	switch scope.Kind {
	case ttp.AttackerScope:
		return tag.AttackerUUID.String() == scope.ID
	case ttp.SessionScope:
		return tag.SessionID == scope.ID
	case ttp.IdentityScope:
		return m.identityOf(tag) == m.survivingIdentity(uuid.MustParse(scope.ID))
	case ttp.CampaignScope:
		campaign := m.campaignOf(tag)
		return campaign != uuid.Nil && campaign == m.survivingCampaign(uuid.MustParse(scope.ID))
	}
	return true
}

func drawScope(rt *rapid.T) ttp.Scope {
	return rapid.OneOf(
		rapid.Just(ttp.Fleet()),
		rapid.Map(rapid.IntRange(1, attackers), func(i int) ttp.Scope { return ttp.OfAttacker(id(fmt.Sprint("a", i))) }),
		rapid.Map(rapid.IntRange(1, identities), func(i int) ttp.Scope { return ttp.OfIdentity(id(fmt.Sprint("i", i))) }),
		rapid.Map(rapid.IntRange(1, campaigns), func(i int) ttp.Scope { return ttp.OfCampaign(id(fmt.Sprint("c", i))) }),
		rapid.Map(rapid.IntRange(1, sessions), func(i int) ttp.Scope { return ttp.OfSession(fmt.Sprint("s", i)) }),
	).Draw(rt, "scope")
}

func filteredReadsEqualAPlainFold(t *testing.T, db *database) {
	s := db.store(t)
	rapid.Check(t, func(rt *rapid.T) {
		clearTables(t, db)
		m := drawModel(rt)
		m.write(rt, s)
		f, scope := drawFilter(rt), drawScope(rt)
		wanted := func(tag ttp.Tag) bool { return matches(f, tag) && m.has(scope, tag) }
		m.checkRollups(rt, s, scope, f, wanted)
		m.checkLists(rt, s, scope, f, wanted)
		m.checkTimeline(rt, s, scope, f, wanted)
		m.checkActors(rt, s, f)
		m.checkSweeps(rt, s, f)
		m.checkComparison(rt, s, scope, drawScope(rt), f)
	})
}

// rollupOf asks for the rollup of any scope; a campaign's rows without what only they have.
func rollupOf(rt checker, s *ttp.Store, scope ttp.Scope, opts ...ttp.RollupOption) []ttp.TechniqueRollupRow {
	rt.Helper()
	ctx, rows := context.Background(), must[[]ttp.TechniqueRollupRow](rt)
	switch scope.Kind {
	case ttp.AttackerScope:
		return rows(s.ListTechniquesByAttacker(ctx, uuid.MustParse(scope.ID), opts...))
	case ttp.IdentityScope:
		return rows(s.ListTechniquesByIdentity(ctx, uuid.MustParse(scope.ID), opts...))
	case ttp.SessionScope:
		return rows(s.ListTechniquesBySession(ctx, scope.ID, opts...))
	case ttp.CampaignScope:
		plain := []ttp.TechniqueRollupRow{}
		for _, row := range must[[]ttp.CampaignTechniqueRow](rt)(s.ListTechniquesByCampaign(ctx, uuid.MustParse(scope.ID), opts...)) {
			plain = append(plain, row.TechniqueRollupRow)
		}
		return plain
	}
	return rows(s.ListDistinctTechniques(ctx, opts...))
}

func (m *model) checkRollups(rt *rapid.T, s *ttp.Store, scope ttp.Scope, f ttp.Filter, wanted func(ttp.Tag) bool) {
	ctx, want := context.Background(), m.fold(wanted)
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
	if scope.Kind == ttp.CampaignScope {
		for _, row := range must[[]ttp.CampaignTechniqueRow](rt)(s.ListTechniquesByCampaign(ctx, uuid.MustParse(scope.ID), ttp.Where(f), ttp.CountDistinct())) {
			equal(rt, "identity_count of "+row.TechniqueID+row.SubTechniqueID, row.IdentityCount, row.Distinct.Identities)
		}
	}
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

// sourcesOf names tags by what none shares.
func sourcesOf(tags []ttp.Tag) []string {
	names := []string{}
	for _, tag := range tags {
		names = append(names, tag.SourceID)
	}
	return names
}

// newestFirst are the tags that are wanted, in a list's order.
func (m *model) newestFirst(wanted func(ttp.Tag) bool) []ttp.Tag {
	var tags []ttp.Tag
	for _, tag := range m.tags {
		if wanted(tag) {
			tags = append(tags, tag)
		}
	}
	slices.SortFunc(tags, func(a, b ttp.Tag) int {
		x, y := a.ComputeUUID(), b.ComputeUUID()
		return cmp.Or(b.ObservedAt.Compare(a.ObservedAt), bytes.Compare(y[:], x[:]))
	})
	return tags
}

func (m *model) checkLists(rt *rapid.T, s *ttp.Store, scope ttp.Scope, f ttp.Filter, wanted func(ttp.Tag) bool) {
	ctx, tags := context.Background(), m.newestFirst(wanted)
	want := sourcesOf(tags)
	limit := rapid.IntRange(1, 20).Draw(rt, "limit")
	listed, cursor := []string{}, ""
	for pages := 1; ; pages++ {
		page := must[ttp.TagPage](rt)(s.ListTags(ctx, scope, f, limit, cursor))
		listed = append(listed, sourcesOf(page.Tags)...)
		if cursor = page.Next; cursor == "" {
			equal(rt, "number of pages", pages, max(1, (len(want)+limit-1)/limit))
			break
		}
		equal(rt, "length of a page", len(page.Tags), limit)
	}
	equal(rt, fmt.Sprint("pages of ", scope), listed, want)
	equal(rt, fmt.Sprint("stream of ", scope), sourcesOf(collect(rt, s.TagsSeq(ctx, scope, f))), want)
	if scope.Kind == ttp.SessionScope {
		slices.Reverse(want)
		equal(rt, fmt.Sprint("tags in order of ", scope), sourcesOf(collect(rt, s.SessionTags(ctx, scope.ID, f))), want)
	}
	if scope.Kind == ttp.IdentityScope {
		equal(rt, fmt.Sprint("phases of ", scope), must[[]ttp.Phase](rt)(s.ListPhases(ctx, uuid.MustParse(scope.ID), f)), phasesOf(tags))
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
	phases := []ttp.Phase{}
	for _, tag := range tags {
		if tag.DeckyID != "" {
			phases = append(phases, ttp.Phase{DeckyID: tag.DeckyID, Tactic: tag.Tactic, ObservedAt: tag.ObservedAt})
		}
	}
	slices.SortFunc(phases, func(a, b ttp.Phase) int {
		return cmp.Or(a.ObservedAt.Compare(b.ObservedAt), cmp.Compare(a.DeckyID, b.DeckyID), cmp.Compare(a.Tactic, b.Tactic))
	})
	return slices.Compact(phases)
}

func (m *model) checkTimeline(rt *rapid.T, s *ttp.Store, scope ttp.Scope, f ttp.Filter, wanted func(ttp.Tag) bool) {
	const bucket = 5 * time.Microsecond
	by := rapid.SampledFrom([]ttp.SeriesBy{ttp.ByTechnique, ttp.ByTactic}).Draw(rt, "by")
	got := must[ttp.Timeline](rt)(s.Timeline(context.Background(), scope, f, bucket, by))
	counts, series := map[time.Time]int64{}, map[string]int64{}
	for _, tag := range m.tags {
		if !wanted(tag) {
			continue
		}
		start := tag.ObservedAt.Truncate(bucket) // counts from the year 1, as the store does
		counts[start]++
		name := tag.Tactic
		if by == ttp.ByTechnique {
			name = tag.TechniqueID + "/" + tag.SubTechniqueID
		}
		series[start.String()+name]++
	}
	for i := range got.Counts {
		start := got.Start.Add(time.Duration(i) * bucket)
		equal(rt, fmt.Sprint("bucket ", start), got.Counts[i], counts[start])
		delete(counts, start)
		for _, one := range got.Series {
			name := one.Tactic
			if by == ttp.ByTechnique {
				name = one.TechniqueID + "/" + one.SubTechniqueID
			}
			equal(rt, fmt.Sprint(name, " in bucket ", start), one.Counts[i], series[start.String()+name])
			delete(series, start.String()+name)
		}
	}
	equal(rt, "tags outside the timeline", len(counts)+len(series), 0)
	if !f.Since.IsZero() && !f.Until.IsZero() {
		first, last := f.Since.Add(time.Microsecond-1).Truncate(bucket), f.Until.Add(-1).Truncate(bucket)
		equal(rt, "start", got.Start, first)
		equal(rt, "number of buckets", len(got.Counts), int(last.Sub(first)/bucket)+1)
	}
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
				c = &ttp.ScopeCount{Scope: ttp.Scope{Kind: kind, ID: name}, FirstSeen: tag.ObservedAt, LastSeen: tag.ObservedAt}
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
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.ID, b.ID))
		})
		limit := rapid.IntRange(1, 6).Draw(rt, "top")
		equal(rt, fmt.Sprint("who ", kind), must[[]ttp.ScopeCount](rt)(s.Who(ctx, kind, f, limit)), want[:min(limit, len(want))])
	}
	want := []ttp.RuleStats{}
	for _, rule := range []string{"R1", "R2"} {
		for version := range 2 {
			wanted := func(tag ttp.Tag) bool { return matches(f, tag) && tag.RuleID == rule && tag.RuleVersion == version }
			rows := m.fold(wanted)
			if len(rows) == 0 {
				continue
			}
			stats := ttp.RuleStats{RuleID: rule, RuleVersion: version, Techniques: int64(len(rows)), DistinctCounts: *m.distinct(wanted), FirstSeen: at(1 << 30)}
			for _, row := range rows {
				stats.Count += row.Count
				stats.FirstSeen = slices.MinFunc([]time.Time{stats.FirstSeen, row.FirstSeen}, time.Time.Compare)
				stats.LastSeen = slices.MaxFunc([]time.Time{stats.LastSeen, row.LastSeen}, time.Time.Compare)
			}
			want = append(want, stats)
		}
	}
	equal(rt, "rules", must[[]ttp.RuleStats](rt)(s.ListRules(ctx, f)), want)
}

// A sweep says of each scope what asking for it alone says.
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
			want = append(want, ttp.ScopeRollup{Scope: scope, Techniques: m.fold(func(tag ttp.Tag) bool { return matches(f, tag) && m.has(scope, tag) })})
		}
		equal(rt, "sweep of "+name, sweep.got, want)
	}
}

func (m *model) checkComparison(rt *rapid.T, s *ttp.Store, a, b ttp.Scope, f ttp.Filter) {
	ctx := context.Background()
	byID := func(scope ttp.Scope) map[string]ttp.TechniqueRollupRow {
		rows := map[string]ttp.TechniqueRollupRow{}
		for _, row := range m.fold(func(tag ttp.Tag) bool { return matches(f, tag) && m.has(scope, tag) }) {
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

	since := at(rapid.IntRange(0, 30).Draw(rt, "new since"))
	f.Since = time.Time{}
	fresh := slices.DeleteFunc(m.fold(func(tag ttp.Tag) bool { return matches(f, tag) && m.has(a, tag) }),
		func(row ttp.TechniqueRollupRow) bool { return row.FirstSeen.Before(since) })
	slices.SortFunc(fresh, func(a, b ttp.TechniqueRollupRow) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(a.TechniqueID, b.TechniqueID), cmp.Compare(a.SubTechniqueID, b.SubTechniqueID))
	})
	equal(rt, fmt.Sprint("new techniques of ", a), must[[]ttp.TechniqueRollupRow](rt)(s.NewTechniques(ctx, a, since, f)), fresh)
}
