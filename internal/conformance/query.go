package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

var queryCases = []testCase{
	{name: "UnsetConditionsAreNotExecuted", run: unsetConditionsAreNotExecuted},
	{name: "InvalidFiltersAreRefusedByEveryRead", run: invalidFiltersAreRefusedByEveryRead},
	{name: "CancelledReadsReturnAnError", run: cancelledReadsReturnAnError},
	{name: "InvalidReadsAreRefused", run: invalidReadsAreRefused},
	{name: "LimitsOfFiltersAreIncluded", run: limitsOfFiltersAreIncluded},
	{name: "ComparisonsWithAnEmptyScope", run: comparisonsWithAnEmptyScope},
	{name: "WindowsRoundUpToMicroseconds", run: windowsRoundUpToMicroseconds},
	{name: "FilterAcceptsTheReleasesOfTags", run: filterAcceptsTheReleasesOfTags},
	{name: "EveryReadRunsInACallersTransaction", run: everyReadRunsInACallersTransaction},
}

// reads returns all reads with a filter.
func reads(s *ttp.Store, f ttp.Filter) map[string]func(context.Context) error {
	scope := ttp.OfIdentity(id("i"))
	return map[string]func(context.Context) error{
		"ListTechniquesByIdentity": func(ctx context.Context) error {
			_, err := s.ListTechniquesByIdentity(ctx, id("i"), ttp.Where(f))
			return err
		},
		"ListTechniquesByAttacker": func(ctx context.Context) error {
			_, err := s.ListTechniquesByAttacker(ctx, id("a"), ttp.Where(f))
			return err
		},
		"ListTechniquesByCampaign": func(ctx context.Context) error {
			_, err := s.ListTechniquesByCampaign(ctx, id("c"), ttp.Where(f))
			return err
		},
		"ListTechniquesBySession": func(ctx context.Context) error {
			_, err := s.ListTechniquesBySession(ctx, "s", ttp.Where(f))
			return err
		},
		"ListDistinctTechniques": func(ctx context.Context) error {
			_, err := s.ListDistinctTechniques(ctx, ttp.Where(f), ttp.CountDistinct())
			return err
		},
		"ListTags":  func(ctx context.Context) error { _, err := s.ListTags(ctx, scope, f, 1, ""); return err },
		"CountTags": func(ctx context.Context) error { _, err := s.CountTags(ctx, scope, f); return err },
		"Timeline": func(ctx context.Context) error {
			_, err := s.Timeline(ctx, scope, f, ttp.Day, ttp.ByTactic)
			return err
		},
		"ListPhases":  func(ctx context.Context) error { _, err := s.ListPhases(ctx, id("i"), f); return err },
		"Who":         func(ctx context.Context) error { _, err := s.Who(ctx, ttp.AttackerScope, f, 1); return err },
		"Compare":     func(ctx context.Context) error { _, err := s.Compare(ctx, scope, ttp.Fleet(), f); return err },
		"ListRules":   func(ctx context.Context) error { _, err := s.ListRules(ctx, f); return err },
		"Confidences": func(ctx context.Context) error { _, err := s.Confidences(ctx, scope, f); return err },
		"ListDeckies": func(ctx context.Context) error { _, err := s.ListDeckies(ctx, f); return err },
		"TagsSeq": func(ctx context.Context) (last error) {
			for _, err := range s.TagsSeq(ctx, scope, f) {
				last = err
			}
			return last
		},
		"SessionTags": func(ctx context.Context) (last error) {
			for _, err := range s.SessionTags(ctx, "s", f) {
				last = err
			}
			return last
		},
		"AttackerRollups": func(ctx context.Context) (last error) {
			for _, err := range s.AttackerRollups(ctx, f) {
				last = err
			}
			return last
		},
		"IdentityRollups": func(ctx context.Context) (last error) {
			for _, err := range s.IdentityRollups(ctx, f) {
				last = err
			}
			return last
		},
		"Export": func(ctx context.Context) error {
			var out bytes.Buffer
			if _, err := s.Export(ctx, &out, f, nil); err != nil && out.Len() == 0 {
				return err
			}
			return nil
		},
	}
}

func cancelledReadsReturnAnError(t *testing.T, db *database) {
	s := db.store(t)
	insert(t, s, newTag("1", named("a", "i", "T1110")))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, read := range reads(s, ttp.Filter{}) {
		if err := read(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func invalidFiltersAreRefusedByEveryRead(t *testing.T, db *database) {
	s := db.store(t)
	insert(t, s, newTag("1"))
	const tactic, technique = `must be "TA" and four digits`, `must be such as "T1110" or "T1110.001"`
	const release = `must be such as "enterprise-v18.1", "ics-v18.1" or "mobile-v18.1"`
	type one = ttp.Problem
	for _, c := range []struct {
		filter ttp.Filter
		want   []one
	}{
		{ttp.Filter{Since: at(2), Until: at(1)}, []one{{Field: "until", Reason: "must be after since"}}},
		{ttp.Filter{Since: at(1), Until: at(1)}, []one{{Field: "until", Reason: "must be after since"}}},
		{ttp.Filter{Since: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, []one{{Field: "since", Reason: "must lie in the years 1 to 9999"}}},
		{ttp.Filter{MinConfidence: -0.1}, []one{{Field: "min_confidence", Reason: "must be a number from 0 to 1"}}},
		{ttp.Filter{MinConfidence: 1.1}, []one{{Field: "min_confidence", Reason: "must be a number from 0 to 1"}}},
		{ttp.Filter{MinConfidence: math.NaN()}, []one{{Field: "min_confidence", Reason: "must be a number from 0 to 1"}}},
		{ttp.Filter{Tactic: "credential-access"}, []one{{Field: "tactic", Reason: tactic}}},
		{ttp.Filter{Tactic: "ta0006"}, []one{{Field: "tactic", Reason: tactic}}},
		{ttp.Filter{Technique: "T111"}, []one{{Field: "technique", Reason: technique}}},
		{ttp.Filter{Technique: "t1110"}, []one{{Field: "technique", Reason: technique}}},
		{ttp.Filter{Technique: "T1110."}, []one{{Field: "technique", Reason: technique}}},
		{ttp.Filter{Technique: "T1110.01"}, []one{{Field: "technique", Reason: technique}}},
		{ttp.Filter{TechniqueMatch: ttp.WithSubTechniques}, []one{{Field: "technique", Reason: "must be set for technique_match"}}},
		{ttp.Filter{Technique: "T1110", TechniqueMatch: "all"},
			[]one{{Field: "technique_match", Reason: `must be "", "with-sub-techniques" or "parent"`}}},
		{ttp.Filter{Release: "18"}, []one{{Field: "release", Reason: release}}},
		{ttp.Filter{Release: "ics-v1000.1"}, []one{{Field: "release", Reason: release}}},
		{ttp.Filter{Domain: "Enterprise"}, []one{{Field: "domain", Reason: "must be enterprise, ics or mobile"}}},
		{ttp.Filter{Domain: "ics", Release: "v18.1"}, []one{{Field: "domain, release", Reason: "must agree"}}},
		{ttp.Filter{RuleVersion: new(1)}, []one{{Field: "rule_id", Reason: "must be set for rule_version"}}},
		{ttp.Filter{RuleID: "R1", RuleVersion: new(-1)}, []one{{Field: "rule_version", Reason: "must not be negative"}}},
		{ttp.Filter{RuleID: "R|1"}, []one{{Field: "rule_id", Reason: `must not contain "|"`}}},
		{ttp.Filter{SourceKind: " command"}, []one{{Field: "source_kind", Reason: "must not begin or end with a space"}}},
		{ttp.Filter{SourceKind: " "}, []one{{Field: "source_kind", Reason: "must not begin or end with a space"}}},
		{ttp.Filter{DeckyID: "a\x00"}, []one{{Field: "decky_id", Reason: "must not contain control characters"}}},
		{ttp.Filter{MinConfidence: 2, Tactic: "x"},
			[]one{{Field: "min_confidence", Reason: "must be a number from 0 to 1"}, {Field: "tactic", Reason: tactic}}},
	} {
		for name, read := range reads(s, c.filter) {
			equal(t, fmt.Sprintf("%s of %+v", name, c.filter), problemsOf(t, read(context.Background())), c.want)
		}
	}
}

func limitsOfFiltersAreIncluded(t *testing.T, db *database) {
	s := db.store(t)
	insert(t, s, newTag("1", func(tag *ttp.Tag) { tag.Confidence, tag.RuleVersion = 1, 0 }), newTag("2"))
	for _, f := range []ttp.Filter{
		{MinConfidence: 1}, {RuleID: "R1001", RuleVersion: new(0)}, {MinConfidence: 1, Tactic: "TA0006", Domain: "enterprise"},
	} {
		equal(t, fmt.Sprintf("%+v", f), must[int64](t)(s.CountTags(context.Background(), ttp.Fleet(), f)), 1)
	}
}

func comparisonsWithAnEmptyScope(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTag("1"))
	rows := must[[]ttp.TechniqueRollupRow](t)(s.ListDistinctTechniques(ctx))
	none := []ttp.TechniqueRollupRow{}
	equal(t, "with none", must[ttp.Comparison](t)(s.Compare(ctx, ttp.Fleet(), ttp.OfAttacker(id("none")), ttp.Filter{})),
		ttp.Comparison{Shared: []ttp.SharedTechnique{}, OnlyA: rows, OnlyB: none})
	equal(t, "of none", must[ttp.Comparison](t)(s.Compare(ctx, ttp.OfAttacker(id("none")), ttp.Fleet(), ttp.Filter{})),
		ttp.Comparison{Shared: []ttp.SharedTechnique{}, OnlyA: none, OnlyB: rows})
}

func invalidReadsAreRefused(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTag("1"))
	list := func(scope ttp.Scope, limit int) error {
		_, err := s.ListTags(ctx, scope, ttp.Filter{}, limit, "")
		return err
	}
	line := func(bucket time.Duration, by ttp.SeriesBy) error {
		_, err := s.Timeline(ctx, ttp.Fleet(), ttp.Filter{}, bucket, by)
		return err
	}
	who := func(kind ttp.ScopeKind, limit int) error { _, err := s.Who(ctx, kind, ttp.Filter{}, limit); return err }
	fresh := func(since time.Time, f ttp.Filter) error {
		_, err := s.NewTechniques(ctx, ttp.Fleet(), since, f)
		return err
	}
	_, compared := s.Compare(ctx, ttp.Fleet(), ttp.Scope{Kind: ttp.CampaignScope, SessionID: "x"}, ttp.Filter{})
	parse := func(text string) error { _, err := ttp.ParseScope(text); return err }
	twice := ttp.Where(ttp.Filter{})
	_, rolledUp := s.Rollup(ctx, ttp.Fleet(), twice, twice)
	sweep := func(opt ttp.RollupOption) (last error) {
		for _, err := range s.AttackerRollups(ctx, ttp.Filter{}, opt) {
			last = err
		}
		return last
	}
	_, ofIdentity := s.Rollup(ctx, ttp.Scope{Kind: ttp.IdentityScope, SessionID: "x"})
	const (
		limit    = "must be from 1 to 10000"
		bucket   = "must be a week, or whole microseconds that divide a day"
		uuidOnly = "must have a UUID, not a session's id"
	)
	for _, c := range []struct {
		err           error
		field, reason string
	}{
		{list(ttp.Fleet(), 0), "limit", limit},
		{list(ttp.Fleet(), -1), "limit", limit},
		{list(ttp.Fleet(), 10_001), "limit", limit},
		{who(ttp.AttackerScope, -1), "limit", limit + ", or 0 for all"},
		{who(ttp.AttackerScope, 10_001), "limit", limit + ", or 0 for all"},
		{who(ttp.FleetScope, 1), "kind", "must be identity, attacker, session or campaign"},
		{list(ttp.Scope{Kind: ttp.AttackerScope, SessionID: "x"}, 1), "scope", uuidOnly},
		{list(ttp.Scope{Kind: ttp.SessionScope, UUID: id("a")}, 1), "scope", "must have no UUID, and only a session has a session's id"},
		{list(ttp.Scope{SessionID: "x"}, 1), "scope", "must have no UUID, and only a session has a session's id"},
		{parse("attacker x"), "scope", `must have a UUID as its id, not "x"`},
		{parse("identity"), "scope", `must have a UUID as its id, not ""`},
		{parse("session"), "scope", "must have a session's id"},
		{parse("fleet x"), "scope", "must have no id for the fleet"},
		{parse("host x"), "scope", "must be fleet, or identity, attacker, campaign or session and an id"},
		{rolledUp, "filter", "must be given once: combine the fields in one Where"},
		{list(ttp.Scope{Kind: "host", UUID: id("a")}, 1), "scope",
			"must be of kind identity, attacker, campaign or session, or empty for the fleet"},
		{compared, "scope", uuidOnly},
		{ofIdentity, "scope", uuidOnly},
		{sweep(ttp.CountDistinct()), "distinct, rules", "must not be set"},
		{sweep(ttp.WithRules()), "distinct, rules", "must not be set"},
		{line(0, ttp.ByTactic), "bucket", bucket},
		{line(-time.Hour, ttp.ByTactic), "bucket", bucket},
		{line(time.Nanosecond, ttp.ByTactic), "bucket", bucket},
		{line(1500*time.Nanosecond, ttp.ByTactic), "bucket", bucket},
		{line(7*time.Hour, ttp.ByTactic), "bucket", bucket},
		{line(36*time.Hour, ttp.ByTactic), "bucket", bucket},
		{line(2*ttp.Week, ttp.ByTactic), "bucket", bucket},
		{line(ttp.Day, "rule"), "by", "must be technique or tactic"},
		{fresh(time.Time{}, ttp.Filter{}), "since", "must be set"},
		{fresh(at(0), ttp.Filter{Since: at(0)}), "filter.since", "must not be set: older tags decide which techniques are new"},
		{fresh(at(0), ttp.Filter{Until: at(0)}), "until", "must be after since"},
	} {
		equal(t, "problems", problemsOf(t, c.err), []ttp.Problem{{Field: c.field, Reason: c.reason}})
	}
	for name, err := range readsOf(s, ttp.Scope{UUID: id("a")}, ttp.Filter{Tactic: "x"}) {
		equal(t, "problems of "+name, problemFields(t, err), []string{"scope", "tactic"})
	}
	_, campaigns := s.ListCampaigns(ctx, ttp.OfSession("s"), uuid.Nil, 0)
	equal(t, "problems of a list of campaigns", problemFields(t, campaigns), []string{"scope", "limit"})
	if got, want := list(ttp.Fleet(), 0).Error(), "ttp: list tags: invalid query: limit: must be from 1 to 10000"; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}

// readsOf returns the errors of reads of a scope's tags.
func readsOf(s *ttp.Store, scope ttp.Scope, f ttp.Filter) map[string]error {
	ctx, errs := context.Background(), map[string]error{}
	_, errs["CountTags"] = s.CountTags(ctx, scope, f)
	_, errs["ListTags"] = s.ListTags(ctx, scope, f, 1, "")
	for _, err := range s.TagsSeq(ctx, scope, f) {
		errs["TagsSeq"] = err
	}
	_, errs["Timeline"] = s.Timeline(ctx, scope, f, ttp.Day, ttp.ByTactic)
	_, errs["Rollup"] = s.Rollup(ctx, scope, ttp.Where(f))
	_, errs["Cells"] = s.Cells(ctx, scope, ttp.Where(f))
	_, errs["NewTechniques"] = s.NewTechniques(ctx, scope, at(0), f)
	_, errs["WhoIn"] = s.WhoIn(ctx, scope, ttp.AttackerScope, f, 0)
	return errs
}

// Stored times are whole microseconds, but the bounds of a window need not be.
func windowsRoundUpToMicroseconds(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	first := time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)
	last := time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	insert(t, s, newTag("1", func(tag *ttp.Tag) { tag.ObservedAt = first }), newTag("2", func(tag *ttp.Tag) { tag.ObservedAt = last }))
	for since, n := range map[time.Time]int{first: 1, first.Add(1): 0, first.Add(500): 0, last.Add(999): 0} {
		fresh := must[[]ttp.TechniqueRollupRow](t)(s.NewTechniques(ctx, ttp.Fleet(), since, ttp.Filter{}))
		equal(t, fmt.Sprint("new since ", since), len(fresh), n)
	}
	for since, n := range map[time.Time]int64{first: 2, first.Add(1): 1, last: 1, last.Add(999): 0} {
		equal(t, fmt.Sprint("tags since ", since), must[int64](t)(s.CountTags(ctx, ttp.Fleet(), ttp.Filter{Since: since})), n)
	}
	for until, n := range map[time.Time]int64{first: 0, first.Add(1): 1, last: 1, last.Add(999): 2} {
		equal(t, fmt.Sprint("tags until ", until), must[int64](t)(s.CountTags(ctx, ttp.Fleet(), ttp.Filter{Until: until})), n)
	}
	line := must[ttp.Timeline](t)(s.Timeline(ctx, ttp.Fleet(), ttp.Filter{Until: first.Add(time.Hour)}, ttp.Day, ttp.ByTactic))
	equal(t, "start of the year 1", line.Start, time.Time{})
	equal(t, "counts", line.Counts, []int64{1})
}

func filterAcceptsTheReleasesOfTags(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTag("1"), newTag("2", func(tag *ttp.Tag) { tag.AttackRelease = "ics-v18.1" }))
	for release, n := range map[string]int64{"enterprise-v18.1": 1, "v18.1": 1, "18.1": 1, "ics-v18.1": 1, "v18.2": 0, "": 2} {
		equal(t, "tags of "+release, must[int64](t)(s.CountTags(ctx, ttp.Fleet(), ttp.Filter{Release: release})), n)
	}
}

// Reads in the caller's transaction see its uncommitted writes.
func everyReadRunsInACallersTransaction(t *testing.T, db *database) {
	ctx, s := context.Background(), overPool(t, db)
	tx, err := db.pool.BeginTx(ctx, nil)
	succeed(t, err)
	defer func() { _ = tx.Rollback() }()
	inner := s.WithTx(tx)
	insert(t, inner, newTag("1", func(tag *ttp.Tag) { tag.SessionID, tag.IdentityUUID = "s", id("i") }))
	for name, read := range reads(inner, ttp.Filter{}) {
		if err := read(ctx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	equal(t, "tags in the transaction", must[int64](t)(inner.CountTags(ctx, ttp.OfAttacker(id("attacker")), ttp.Filter{})), 1)
	equal(t, "stream in the transaction", len(collect(t, inner.TagsSeq(ctx, ttp.OfSession("s"), ttp.Filter{}))), 1)
}

func unsetConditionsAreNotExecuted(t *testing.T, db *database) {
	s := overPool(t, db)
	for _, c := range []struct {
		filter             ttp.Filter
		window, conditions bool
	}{
		{ttp.Filter{}, false, false},
		{ttp.Filter{Since: at(0)}, true, false},
		{ttp.Filter{MinConfidence: 0.5}, true, true},
	} {
		must[[]ttp.TechniqueRollupRow](t)(s.Rollup(context.Background(), ttp.OfAttacker(id("a")), ttp.Where(c.filter)))
		executed, _ := db.recorder.statement("ListTechniquesByAttacker")
		equal(t, fmt.Sprintf("window of %+v", c.filter), strings.Contains(executed.query, "observed_at >="), c.window)
		equal(t, fmt.Sprintf("conditions of %+v", c.filter), strings.Contains(executed.query, "confidence >="), c.conditions)
	}
}
