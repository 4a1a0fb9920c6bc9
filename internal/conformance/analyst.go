package conformance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

var analystCases = []testCase{
	{name: "WhoShowsAllOrAnyTechniques", run: whoShowsAllOrAnyTechniques},
	{name: "WhoShowsRefusesBadQueries", run: whoShowsRefusesBadQueries},
	{name: "ConfidencesAreCountedByTenths", run: confidencesAreCountedByTenths},
	{name: "DeckiesAreOrderedByTags", run: deckiesAreOrderedByTags},
	{name: "RulesHaveTheirConfidence", run: rulesHaveTheirConfidence},
	{name: "TagsAreFoundByTheBeginningOfTheirID", run: tagsAreFoundByTheBeginningOfTheirID},
	{name: "AttackersOfMergedIdentities", run: attackersOfMergedIdentities},
	{name: "AttackersAreReadAtOnce", run: attackersAreReadAtOnce},
	{name: "ViewsShowRowsAsText", run: viewsShowRowsAsText},
}

// by attributes a tag to an attacker.
func by(attacker string) func(*ttp.Tag) {
	return func(tag *ttp.Tag) { tag.AttackerUUID = id(attacker) }
}

func whoShowsAllOrAnyTechniques(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s,
		newTag("1", by("a"), technique("T1110", "T1110.001", "TA0006"), func(tag *ttp.Tag) { tag.ObservedAt = at(1) }),
		newTag("2", by("a"), technique("T1110", "", "TA0006"), func(tag *ttp.Tag) { tag.ObservedAt = at(5) }),
		newTag("3", by("a"), technique("T1078", "", "TA0001"), func(tag *ttp.Tag) { tag.ObservedAt = at(3) }),
		newTag("4", by("b"), technique("T1110", "T1110.001", "TA0006"), func(tag *ttp.Tag) { tag.ObservedAt = at(2) }),
		newTag("5", by("c"), technique("T1078", "", "TA0001"), func(tag *ttp.Tag) { tag.ObservedAt = at(4) }),
	)
	counts := func(counts []ttp.ScopeCount, err error) (text []string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range counts {
			for _, name := range []string{"a", "b", "c"} {
				if c.Scope == ttp.OfAttacker(id(name)) {
					text = append(text, fmt.Sprint(name, c.Count, c.FirstSeen.Sub(at(0)), c.LastSeen.Sub(at(0))))
				}
			}
		}
		slices.Sort(text)
		return text
	}
	sub := ttp.Filter{TechniqueMatch: ttp.WithSubTechniques}
	both := []string{"T1110.001", "T1078"}
	equal(t, "all of two", counts(s.WhoAllOf(ctx, ttp.AttackerScope, ttp.Filter{}, both, 0)), []string{"a2 1µs 3µs"})
	equal(t, "any of two", counts(s.WhoAnyOf(ctx, ttp.AttackerScope, ttp.Filter{}, both, 0)),
		[]string{"a2 1µs 3µs", "b1 2µs 2µs", "c1 4µs 4µs"})
	twice := []string{"T1110", "T1110"}
	equal(t, "the same twice", counts(s.WhoAllOf(ctx, ttp.AttackerScope, ttp.Filter{}, twice, 0)), []string{"a1 5µs 5µs"})
	equal(t, "a technique and its sub-technique", counts(s.WhoAnyOf(ctx, ttp.AttackerScope, sub, []string{"T1110", "T1110.001"}, 0)),
		[]string{"a2 1µs 5µs", "b1 2µs 2µs"})
	exact := []string{"T1110", "T1110.001"}
	equal(t, "a technique itself and a sub-technique", counts(s.WhoAnyOf(ctx, ttp.AttackerScope, ttp.Filter{}, exact, 0)),
		[]string{"a2 1µs 5µs", "b1 2µs 2µs"})
	parent := ttp.Filter{TechniqueMatch: ttp.ParentTechnique}
	siblings := []string{"T1110.001", "T1110.002"}
	equal(t, "any of two with one parent", counts(s.WhoAnyOf(ctx, ttp.AttackerScope, parent, siblings, 0)), []string{"a1 5µs 5µs"})
	equal(t, "all of two with one parent", counts(s.WhoAllOf(ctx, ttp.AttackerScope, parent, siblings, 0)), []string{"a1 5µs 5µs"})
	equal(t, "a sub-technique alone", counts(s.WhoAnyOf(ctx, ttp.AttackerScope, sub, both, 0)),
		[]string{"a2 1µs 3µs", "b1 2µs 2µs", "c1 4µs 4µs"})
	equal(t, "in a window", counts(s.WhoAllOf(ctx, ttp.AttackerScope, ttp.Filter{Since: at(2)}, both, 0)), []string(nil))
	most := must[[]ttp.ScopeCount](t)(s.WhoAnyOf(ctx, ttp.AttackerScope, ttp.Filter{}, both, 1))
	equal(t, "the first one", counts(most, nil), []string{"a2 1µs 3µs"})
}

func whoShowsRefusesBadQueries(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	fields := func(kind ttp.ScopeKind, f ttp.Filter, techniques []string, limit int) []string {
		_, all := s.WhoAllOf(ctx, kind, f, techniques, limit)
		_, anyOf := s.WhoAnyOf(ctx, kind, f, techniques, limit)
		equal(t, "any of", problemFields(t, anyOf), problemFields(t, all))
		return problemFields(t, all)
	}
	one := []string{"T1110"}
	equal(t, "kind", fields(ttp.FleetScope, ttp.Filter{}, one, 0), []string{"kind"})
	equal(t, "limit", fields(ttp.SessionScope, ttp.Filter{}, one, ttp.MaxPage+1), []string{"limit"})
	equal(t, "no technique", fields(ttp.SessionScope, ttp.Filter{}, nil, 0), []string{"techniques"})
	equal(t, "an empty technique", fields(ttp.SessionScope, ttp.Filter{}, []string{"", "T1110"}, 0), []string{"techniques"})
	equal(t, "two ways", fields(ttp.SessionScope, ttp.Filter{Technique: "T1110"}, one, 0), []string{"technique"})
	equal(t, "no technique's id", fields(ttp.SessionScope, ttp.Filter{}, []string{"T1"}, 0), []string{"technique"})
}

func confidencesAreCountedByTenths(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	sure := func(confidence float64) func(*ttp.Tag) { return func(tag *ttp.Tag) { tag.Confidence = confidence } }
	in := func(tag *ttp.Tag) { tag.SessionID, tag.IdentityUUID = "s", id("i") }
	insert(t, s, newTag("1", sure(0.3), in), newTag("2", sure(0.39), in), newTag("3", sure(0.7), in), newTag("4", sure(1), in),
		newTag("5", sure(0.9), in, technique("T1110", "T1110.001", "TA0006")),
		newTag("6", sure(0.7), in, technique("T1110", "T1110.001", "TA0001")))
	want := []ttp.ConfidenceRow{
		{TechniqueID: "T1110", Count: 4, Counts: [ttp.ConfidenceSteps]int64{3: 2, 7: 1, 9: 1}},
		{TechniqueID: "T1110", SubTechniqueID: "T1110.001", Count: 2, Counts: [ttp.ConfidenceSteps]int64{7: 1, 9: 1}},
	}
	rows := must[[]ttp.ConfidenceRow](t)
	for _, scope := range []ttp.Scope{ttp.Fleet(), ttp.OfSession("s"), ttp.OfIdentity(id("i")), ttp.OfAttacker(id("attacker"))} {
		equal(t, scope.String(), rows(s.Confidences(ctx, scope, ttp.Filter{})), want)
	}
	equal(t, "the sure ones", rows(s.Confidences(ctx, ttp.Fleet(), ttp.Filter{MinConfidence: 0.75})), []ttp.ConfidenceRow{
		{TechniqueID: "T1110", Count: 1, Counts: [ttp.ConfidenceSteps]int64{9: 1}},
		{TechniqueID: "T1110", SubTechniqueID: "T1110.001", Count: 1, Counts: [ttp.ConfidenceSteps]int64{9: 1}},
	})
	equal(t, "nobody's", rows(s.Confidences(ctx, ttp.OfSession("none"), ttp.Filter{})), []ttp.ConfidenceRow{})
	_, err := s.Confidences(ctx, ttp.Fleet(), ttp.Filter{Tactic: "x"})
	equal(t, "fields", problemFields(t, err), []string{"tactic"})
}

func deckiesAreOrderedByTags(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	seen := func(decky string, when int) func(*ttp.Tag) {
		return func(tag *ttp.Tag) { tag.DeckyID, tag.ObservedAt = decky, at(when) }
	}
	insert(t, s, newTag("1", seen("x", 3)), newTag("2", seen("y", 1)), newTag("3", seen("y", 2)), newTag("4", seen("a", 4)), newTag("5"))
	deckies := must[[]ttp.DeckyCount](t)
	equal(t, "all", deckies(s.ListDeckies(ctx, ttp.Filter{})), []ttp.DeckyCount{
		{DeckyID: "y", Count: 2, FirstSeen: at(1), LastSeen: at(2)},
		{DeckyID: "a", Count: 1, FirstSeen: at(4), LastSeen: at(4)},
		{DeckyID: "x", Count: 1, FirstSeen: at(3), LastSeen: at(3)},
	})
	equal(t, "since", deckies(s.ListDeckies(ctx, ttp.Filter{Since: at(4)})),
		[]ttp.DeckyCount{{DeckyID: "a", Count: 1, FirstSeen: at(4), LastSeen: at(4)}})
	equal(t, "none", deckies(s.ListDeckies(ctx, ttp.Filter{RuleID: "R9"})), []ttp.DeckyCount{})
	_, err := s.ListDeckies(ctx, ttp.Filter{Tactic: "x"})
	equal(t, "fields", problemFields(t, err), []string{"tactic"})
}

func rulesHaveTheirConfidence(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	for i, confidence := range []float64{0.5, 0.75, 1} { // whose mean is exact
		insert(t, s, newTag(fmt.Sprint(i), func(tag *ttp.Tag) { tag.Confidence = confidence }))
	}
	for _, rule := range must[[]ttp.RuleStats](t)(s.ListRules(ctx, ttp.Filter{})) {
		equal(t, "least, mean, most", []float64{rule.ConfidenceMin, rule.ConfidenceMean, rule.ConfidenceMax}, []float64{0.5, 0.75, 1})
	}
}

func tagsAreFoundByTheBeginningOfTheirID(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTags(20)...)
	all := stored(t, s)
	page := must[[]ttp.Tag](t)
	equal(t, "all", page(s.ListTagsByUUID(ctx, uuid.Nil, 20)), all)
	equal(t, "after the third", page(s.ListTagsByUUID(ctx, all[2].UUID, 2)), all[3:5])
	equal(t, "after the last", page(s.ListTagsByUUID(ctx, all[19].UUID, 2)), []ttp.Tag{})
	_, err := s.ListTagsByUUID(ctx, uuid.Nil, 0)
	equal(t, "fields", problemFields(t, err), []string{"limit"})
}

func attackersOfMergedIdentities(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	attacker := func(name, identity string) ttp.Attacker {
		return ttp.Attacker{UUID: id(name), IdentityUUID: id(identity)}
	}
	err := errors.Join(
		s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i")}, {UUID: id("j")}, {UUID: id("k")}}),
		s.UpsertAttackers(ctx, []ttp.Attacker{attacker("a", "i"), attacker("b", "j"), attacker("c", "k"), attacker("d", "stranger")}),
		s.MergeIdentity(ctx, id("j"), id("i")))
	if err != nil {
		t.Fatal(err)
	}
	got := must[map[uuid.UUID][]ttp.Attacker](t)(s.AttackersOfIdentities(ctx, id("i"), id("j"), id("stranger"), id("nobody")))
	for _, attackers := range got {
		equal(t, "order", slices.IsSortedFunc(attackers, func(a, b ttp.Attacker) int { return slices.Compare(a.UUID[:], b.UUID[:]) }), true)
	}
	names := map[string][]uuid.UUID{}
	for identity, attackers := range got {
		for _, a := range attackers {
			names[identity.String()] = append(names[identity.String()], a.UUID)
		}
	}
	both := []uuid.UUID{id("a"), id("b")}
	slices.SortFunc(both, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	equal(t, "attackers", names, map[string][]uuid.UUID{
		id("i").String(): both, id("j").String(): {id("b")}, id("stranger").String(): {id("d")},
	})
	got = must[map[uuid.UUID][]ttp.Attacker](t)(s.AttackersOfIdentities(ctx, id("i")))
	equal(t, "identity with attackers of another", slices.Collect(maps.Keys(got)), []uuid.UUID{id("i")})
	equal(t, "its attackers", []uuid.UUID{got[id("i")][0].UUID, got[id("i")][1].UUID}, both)

	var many []ttp.Identity // more than one statement takes
	var theirs []ttp.Attacker
	for n := range 200 {
		many = append(many, ttp.Identity{UUID: id(fmt.Sprint("of many ", n)), MergedIntoUUID: id("survivor")})
		theirs = append(theirs, attacker(fmt.Sprint(n), fmt.Sprint("of many ", n)))
	}
	succeed(t, errors.Join(s.UpsertIdentities(ctx, many), s.UpsertAttackers(ctx, theirs)))
	slices.SortFunc(theirs, func(a, b ttp.Attacker) int { return slices.Compare(a.UUID[:], b.UUID[:]) })
	got = must[map[uuid.UUID][]ttp.Attacker](t)(s.AttackersOfIdentities(ctx, id("survivor")))
	equal(t, "attackers of many", got, map[uuid.UUID][]ttp.Attacker{id("survivor"): theirs})
}

func attackersAreReadAtOnce(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	want := map[uuid.UUID]ttp.Attacker{}
	for i := range 300 { // more than one statement takes
		a := ttp.Attacker{UUID: id(fmt.Sprint(i))}
		want[a.UUID] = a
	}
	if err := s.UpsertAttackers(ctx, slices.Collect(maps.Values(want))); err != nil {
		t.Fatal(err)
	}
	ids := append(slices.Collect(maps.Keys(want)), id("nobody"), id("1"))
	equal(t, "attackers", maps.Equal(must[map[uuid.UUID]ttp.Attacker](t)(s.GetAttackers(ctx, ids...)), want), true)
	equal(t, "none", len(must[map[uuid.UUID]ttp.Attacker](t)(s.GetAttackers(ctx))), 0)
}

func viewsShowRowsAsText(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	names, err := s.CreateViews(ctx)
	if !must[ttp.Capabilities](t)(s.Capabilities(ctx)).Snapshots { // a sharded engine
		if err == nil {
			t.Error("views of several keyspaces")
		}
		return
	}
	succeed(t, err)
	equal(t, "views", names, []string{"ttp_attacker_view", "ttp_campaign_view", "ttp_identity_view", "ttp_tag_view"})
	tag := newTag("1", func(tag *ttp.Tag) {
		tag.DeckyID, tag.ObservedAt = "d", time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	})
	insert(t, s, tag)
	succeed(t, errors.Join(
		s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: id("c"), Name: "Heron"}}),
		s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i"), CampaignUUID: id("c")}}),
		s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("attacker"), IP: netip.MustParseAddr("192.0.2.7"), IdentityUUID: id("i")}})))
	row := func(query string, columns int) []string {
		t.Helper()
		cells := make([]sql.NullString, columns)
		into := make([]any, columns)
		for i := range cells {
			into[i] = &cells[i]
		}
		succeed(t, db.pool.QueryRowContext(ctx, query).Scan(into...))
		var text []string
		for _, cell := range cells {
			text = append(text, cell.String)
		}
		return text
	}
	equal(t, "tag", row(`SELECT uuid, attacker_uuid, identity_uuid, session_id, decky_id, technique_id, rule_version, evidence, observed_at
		FROM ttp_tag_view`, 9), []string{
		tag.ComputeUUID().String(), id("attacker").String(), "", "", "d", "T1110", "1", "{}", "1969-12-31T23:59:59.999999Z",
	})
	equal(t, "joined", row(`SELECT a.ip, i.survivor_uuid, c.name, c.merged_into_uuid FROM ttp_tag_view t
		JOIN ttp_attacker_view a ON a.uuid = t.attacker_uuid JOIN ttp_identity_view i ON i.uuid = a.identity_uuid
		JOIN ttp_campaign_view c ON c.uuid = i.campaign_uuid`, 4), []string{"192.0.2.7", id("i").String(), "Heron", ""})
	again := must[[]string](t)(s.CreateViews(ctx))
	equal(t, "again", again, names)
	usable := func() bool {
		_, err := db.pool.ExecContext(ctx, "SELECT 1 FROM ttp_tag_view")
		return err == nil
	}
	exec(t, db, "UPDATE ttp_schema_migrations SET dirty = 1")
	if err := s.MigrateDown(ctx, 0); !errors.Is(err, ttp.ErrSchemaDirty) {
		t.Errorf("migrating a dirty schema down: got %v", err)
	}
	exec(t, db, "UPDATE ttp_schema_migrations SET dirty = 0")
	equal(t, "views of a schema that was not reverted", usable(), true)
	succeed(t, s.MigrateDown(ctx, must[ttp.SchemaStatus](t)(s.SchemaStatus(ctx)).Latest-1))
	equal(t, "views of the version before the latest", usable(), true)
	succeed(t, s.MigrateDown(ctx, 0))
	succeed(t, s.Migrate(ctx)) // a view could be read again
	equal(t, "views of a schema that was reverted", usable(), false)
}
