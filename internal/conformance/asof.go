package conformance

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/matrix"
	"github.com/decnet/ttpstore/ttp"
)

var asOfCases = []testCase{
	{name: "AsOfCountsTagsWhereTheReleaseHasThem", run: asOfCountsTagsWhereTheReleaseHasThem},
	{name: "AsOfCountsASourceOfMergedTechniquesOnce", run: asOfCountsASourceOfMergedTechniquesOnce},
	{name: "AsOfKnowsATechniqueByItsPredecessor", run: asOfKnowsATechniqueByItsPredecessor},
	{name: "AsOfAddsUpTheOriginsOfACampaign", run: asOfAddsUpTheOriginsOfACampaign},
	{name: "AsOfRefusesReleasesThatItDoesNotKnow", run: asOfRefusesReleasesThatItDoesNotKnow},
}

// twoReleases returns a catalogue in which enterprise-v2.0 changes each technique of enterprise-v1.0 in a different
// way.
func twoReleases(t *testing.T) *attack.Catalogue {
	t.Helper()
	var c attack.Catalogue
	tactics := []attack.Tactic{{ID: "TA0001", Name: "First"}, {ID: "TA0002", Name: "Second"}}
	first, second := []string{"TA0001"}, []string{"TA0002"}
	c.Add(must[*attack.Release](t)(attack.NewRelease("enterprise-v1.0", tactics, []attack.Technique{
		{ID: "T0001", Name: "Stays", URL: "https://attack.example/1", Tactics: first},
		{ID: "T0002", Name: "Moves", Tactics: first},
		{ID: "T0003", Name: "Is merged", Tactics: first},
		{ID: "T0003.001", Name: "Is merged too", Tactics: first},
		{ID: "T0004", Name: "Is deprecated", Tactics: first},
		{ID: "T0005", Name: "Vanishes", Tactics: first},
	})))
	c.Add(must[*attack.Release](t)(attack.NewRelease("enterprise-v2.0", tactics, []attack.Technique{
		{ID: "T0001", Name: "Stays", URL: "https://attack.example/1", Tactics: first},
		{ID: "T0002", Name: "Moves", Tactics: second},
		{ID: "T0003", Name: "Is merged", Tactics: first, Revoked: true, Successor: "T0006"},
		{ID: "T0003.001", Name: "Is merged too", Tactics: first, Revoked: true, Successor: "T0006"},
		{ID: "T0004", Name: "Is deprecated", Tactics: first, Deprecated: true},
		{ID: "T0006", Name: "Merges", Tactics: first},
	})))
	return &c
}

// storeWith opens the database with its schema and a catalogue.
func (db *database) storeWith(tb testing.TB, c *attack.Catalogue) *ttp.Store {
	tb.Helper()
	s := db.open(tb, ttp.WithCatalogue(c))
	if err := s.Migrate(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return s
}

// of sets a tag's technique or sub-technique, and its release.
func of(technique, release string) func(*ttp.Tag) {
	return func(tag *ttp.Tag) {
		tag.TechniqueID, _, _ = strings.Cut(technique, ".")
		if tag.SubTechniqueID = technique; technique == tag.TechniqueID {
			tag.SubTechniqueID = ""
		}
		tag.Tactic, tag.AttackRelease = "TA0001", release
	}
}

func asOfCountsTagsWhereTheReleaseHasThem(t *testing.T, db *database) {
	ctx, s := context.Background(), db.storeWith(t, twoReleases(t))
	const old, latest = "enterprise-v1.0", "enterprise-v2.0"
	insert(t, s,
		newTag("1", of("T0003", old)), newTag("2", of("T0003.001", old)), newTag("3", of("T0003.001", old)), newTag("4", of("T0006", latest)),
		newTag("5", of("T0001", old)), newTag("6", of("T0001", latest)),
		newTag("7", of("T0002", old)),
		newTag("8", of("T0004", old)), newTag("9", of("T0005", old)), newTag("10", of("T0007", old)), newTag("11", of("T0001", "ics-v1.0")),
	)
	origin := func(technique, release string, n int64, v attack.Verdict) matrix.Origin {
		return matrix.Origin{Release: release, Pair: attack.Pair{Technique: technique, Tactic: "TA0001"}, Count: n, Verdict: v}
	}
	row := func(technique, tactic, tacticName, name string, v attack.Verdict, origins ...matrix.Origin) ttp.TechniqueRollupRow {
		r := ttp.TechniqueRollupRow{
			TechniqueID: technique, Names: ttp.Names{TacticName: tacticName, TechniqueName: name}, Tactic: tactic,
			FirstSeen: at(0), LastSeen: at(0), ConfidenceMax: 0.7, Verdict: v, Origins: origins,
		}
		for _, o := range origins {
			r.Count += o.Count
			r.Releases = append(r.Releases, o.Release)
		}
		slices.Sort(r.Releases)
		r.Releases = slices.Compact(r.Releases)
		r.Tactics = []ttp.TacticCount{{Tactic: tactic, Name: tacticName, Count: r.Count}}
		return r
	}
	want := []ttp.TechniqueRollupRow{
		row("T0006", "TA0001", "First", "Merges", attack.Replaced, origin("T0003", old, 1, attack.Replaced),
			origin("T0003.001", old, 2, attack.Replaced), origin("T0006", latest, 1, attack.Unchanged)),
		row("T0001", "TA0001", "First", "Stays", attack.Unchanged, origin("T0001", old, 1, attack.Unchanged),
			origin("T0001", latest, 1, attack.Unchanged)),
		row("T0001", "TA0001", "", "", attack.Unknown, origin("T0001", "ics-v1.0", 1, attack.Unknown)),
		row("T0002", "TA0002", "Second", "Moves", attack.Moved, origin("T0002", old, 1, attack.Moved)),
		row("T0004", "TA0001", "First", "Is deprecated", attack.Deprecated, origin("T0004", old, 1, attack.Deprecated)),
		row("T0005", "TA0001", "First", "Vanishes", attack.Gone, origin("T0005", old, 1, attack.Gone)),
		row("T0007", "TA0001", "First", "", attack.Unknown, origin("T0007", old, 1, attack.Unknown)),
	}
	want[1].MitreURL = "https://attack.example/1"
	rows := must[[]ttp.TechniqueRollupRow](t)
	equal(t, "fleet", rows(s.Rollup(ctx, ttp.Fleet(), ttp.AsOf("2.0"))), want)
	sweep := collect(t, s.AttackerRollups(ctx, ttp.Filter{}, ttp.AsOf(latest)))
	equal(t, "sweep", sweep, []ttp.ScopeRollup{{Scope: ttp.OfAttacker(id("attacker")), Techniques: want}})
	comparison := must[ttp.Comparison](t)(s.Compare(ctx, ttp.Fleet(), ttp.OfAttacker(id("attacker")), ttp.Filter{}, ttp.AsOf(latest)))
	equal(t, "shared", len(comparison.Shared), len(want))
	slices.SortFunc(want, func(a, b ttp.TechniqueRollupRow) int {
		return cmp.Or(strings.Compare(a.TechniqueID, b.TechniqueID), strings.Compare(a.Releases[0], b.Releases[0]))
	})
	for i, shared := range comparison.Shared {
		equal(t, "shared row", shared, ttp.SharedTechnique{A: want[i], B: want[i]})
	}
}

func asOfCountsASourceOfMergedTechniquesOnce(t *testing.T, db *database) {
	ctx, s := context.Background(), db.storeWith(t, twoReleases(t))
	insert(t, s,
		newTag("1", of("T0003", "enterprise-v1.0")), newTag("1", of("T0003.001", "enterprise-v1.0")),
		newTag("2", of("T0006", "enterprise-v2.0")), newTag("2", of("T0005", "enterprise-v1.0")))
	want := map[string]ttp.DistinctCounts{"T0006": {Sources: 2, Attackers: 1}, "T0005": {Sources: 1, Attackers: 1}}
	for _, scope := range []ttp.Scope{ttp.Fleet(), ttp.OfAttacker(id("attacker"))} {
		got, cells := map[string]ttp.DistinctCounts{}, map[string]ttp.DistinctCounts{}
		options := []ttp.RollupOption{ttp.AsOf("enterprise-v2.0"), ttp.CountDistinct()}
		for _, row := range must[[]ttp.TechniqueRollupRow](t)(s.Rollup(ctx, scope, options...)) {
			got[row.TechniqueID] = *row.Distinct
		}
		for _, cell := range must[[]matrix.Cell](t)(s.Cells(ctx, scope, options...)) {
			cells[cell.Technique] = ttp.DistinctCounts(*cell.Distinct)
		}
		equal(t, "rows of "+scope.String(), got, want)
		equal(t, "cells of "+scope.String(), cells, want)
	}
}

func asOfKnowsATechniqueByItsPredecessor(t *testing.T, db *database) {
	ctx, s := context.Background(), db.storeWith(t, twoReleases(t))
	insert(t, s, newTag("1", of("T0003", "enterprise-v1.0")),
		newTag("2", of("T0006", "enterprise-v2.0"), func(tag *ttp.Tag) { tag.ObservedAt = at(10) }))
	rows := must[[]ttp.TechniqueRollupRow](t)
	equal(t, "new", counts(rows(s.NewTechniques(ctx, ttp.Fleet(), at(5), ttp.Filter{}))), map[string]int64{"T0006": 1})
	equal(t, "new as of 2.0", rows(s.NewTechniques(ctx, ttp.Fleet(), at(5), ttp.Filter{}, ttp.AsOf("2.0"))), []ttp.TechniqueRollupRow{})
}

// Tags of several identities have the same technique, tactic and release.
func asOfAddsUpTheOriginsOfACampaign(t *testing.T, db *database) {
	ctx, s := context.Background(), db.storeWith(t, twoReleases(t))
	const old, latest = "enterprise-v1.0", "enterprise-v2.0"
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i1"), CampaignUUID: id("c")}, {UUID: id("i2"), CampaignUUID: id("c")}}))
	ofIdentity := func(name string) func(*ttp.Tag) { return func(tag *ttp.Tag) { tag.IdentityUUID = id(name) } }
	insert(t, s,
		newTag("1", of("T0003", old), ofIdentity("i1")), newTag("2", of("T0003", old), ofIdentity("i2")),
		newTag("3", of("T0006", latest), ofIdentity("i1")), newTag("4", of("T0006", latest), ofIdentity("i2")))
	rows := must[[]ttp.TechniqueRollupRow](t)(s.Rollup(ctx, ttp.OfCampaign(id("c")), ttp.AsOf(latest)))
	equal(t, "rows", counts(rows), map[string]int64{"T0006": 4})
	equal(t, "identities", rows[0].IdentityCount, 2)
	equal(t, "origins", rows[0].Origins, []matrix.Origin{
		{Release: old, Pair: attack.Pair{Technique: "T0003", Tactic: "TA0001"}, Count: 2, Verdict: attack.Replaced},
		{Release: latest, Pair: attack.Pair{Technique: "T0006", Tactic: "TA0001"}, Count: 2, Verdict: attack.Unchanged},
	})
}

func asOfRefusesReleasesThatItDoesNotKnow(t *testing.T, db *database) {
	ctx, named, plain := context.Background(), db.storeWith(t, twoReleases(t)), db.open(t)
	for _, c := range []struct {
		s       *ttp.Store
		options []ttp.RollupOption
	}{
		{plain, []ttp.RollupOption{ttp.AsOf("enterprise-v2.0")}},
		{named, []ttp.RollupOption{ttp.AsOf("")}},
		{named, []ttp.RollupOption{ttp.AsOf("enterprise-v2.0"), ttp.AsOf("enterprise-v2.0")}},
	} {
		_, err := c.s.Rollup(ctx, ttp.Fleet(), c.options...)
		equal(t, "fields", problemFields(t, err), []string{"as_of"})
	}
	_, err := named.Rollup(ctx, ttp.Fleet(), ttp.AsOf("enterprise-v3.0"))
	if !errors.Is(err, attack.ErrUnknownRelease) || !strings.Contains(err.Error(), "enterprise-v1.0, enterprise-v2.0") {
		t.Errorf("unknown release: %v", err)
	}
	for _, err := range named.IdentityRollups(ctx, ttp.Filter{}, ttp.CountDistinct()) {
		equal(t, "fields of a sweep", problemFields(t, err), []string{"distinct, rules"})
	}
}

// checkAsOf compares a rollup as of a release with its cells, and the cells with the mapping of each tag.
func (m *model) checkAsOf(rt *rapid.T, s *ttp.Store, c *attack.Catalogue, scope ttp.Scope, f ttp.Filter, wanted func(ttp.Tag) bool) {
	release := rapid.SampledFrom([]string{"enterprise-v8.2", "enterprise-v18.1", "mobile-v18.1"}).Draw(rt, "as of")
	want := map[string]int64{}
	for _, tag := range m.tags {
		if !wanted(tag) {
			continue
		}
		place := strings.Join([]string{tag.AttackRelease, pairOf(tag).Technique, tag.Tactic}, " ")
		if remapping, err := c.Remap(tag.AttackRelease, release); err == nil {
			if mapping := remapping.Map(pairOf(tag)); mapping.Verdict.Placed() {
				place = strings.Join([]string{release, mapping.To.Technique, mapping.To.Tactic}, " ")
			}
		}
		want[place]++
	}
	ctx, got, ofCells, ofRows := context.Background(), map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, cell := range must[[]matrix.Cell](rt)(s.Cells(ctx, scope, ttp.Where(f), ttp.AsOf(release))) {
		got[strings.Join([]string{cell.Release, cell.Technique, cell.Tactic}, " ")] = cell.Count
		ofCells[cell.Technique+" "+cell.Tactic] += cell.Count
	}
	for _, row := range must[[]ttp.TechniqueRollupRow](rt)(s.Rollup(ctx, scope, ttp.Where(f), ttp.AsOf(release))) {
		for _, tactic := range row.Tactics {
			ofRows[cmp.Or(row.SubTechniqueID, row.TechniqueID)+" "+tactic.Tactic] += tactic.Count
		}
	}
	equal(rt, "cells as of "+release, got, want)
	equal(rt, "rows as of "+release, ofRows, ofCells)
}
