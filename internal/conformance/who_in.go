package conformance

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/decnet/ttpstore/ttp"
)

var whoInCases = []testCase{
	{name: "WhoInRefusesOtherKinds", run: whoInRefusesOtherKinds},
	{name: "LargestPageIsOfTenThousand", run: largestPageIsOfTenThousand},
	{name: "BusiestScopesAreSums", run: busiestScopesAreSums},
}

func whoInRefusesOtherKinds(t *testing.T, db *database) {
	_, err := db.store(t).WhoIn(context.Background(), ttp.Fleet(), ttp.SessionScope, ttp.Filter{MinConfidence: 2}, -1)
	equal(t, "fields", problemFields(t, err), []string{"min_confidence", "limit", "kind"})
}

func largestPageIsOfTenThousand(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTag("1", named("a", "", "T1110"), func(tag *ttp.Tag) { tag.SessionID = "s" }))
	want := []ttp.ScopeCount{{Scope: ttp.OfAttacker(id("a")), Count: 1, FirstSeen: at(0), LastSeen: at(0)}}
	equal(t, "who", must[[]ttp.ScopeCount](t)(s.Who(ctx, ttp.AttackerScope, ttp.Filter{}, ttp.MaxPage)), want)
	for _, scope := range []ttp.Scope{ttp.Fleet(), ttp.OfSession("s")} {
		equal(t, "who in "+scope.String(), must[[]ttp.ScopeCount](t)(s.WhoIn(ctx, scope, ttp.AttackerScope, ttp.Filter{}, ttp.MaxPage)), want)
		_, err := s.WhoIn(ctx, scope, ttp.AttackerScope, ttp.Filter{}, ttp.MaxPage+1)
		equal(t, "fields", problemFields(t, err), []string{"limit"})
	}
}

// The attackers of the busiest identity and campaign are not the busiest ones.
func busiestScopesAreSums(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	succeed(t, s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: id("x"), MergedIntoUUID: id("y")}, {UUID: id("y")}}))
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i"), CampaignUUID: id("x")}, {UUID: id("j"), CampaignUUID: id("z")}}))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{
		{UUID: id("a"), IdentityUUID: id("i")}, {UUID: id("b"), IdentityUUID: id("i")}, {UUID: id("c"), IdentityUUID: id("j")},
	}))
	for attacker, n := range map[string]int{"a": 2, "b": 2, "c": 3} {
		for i := range n {
			insert(t, s, newTag(fmt.Sprint(attacker, i), named(attacker, "", "T1110")))
		}
	}
	for _, want := range []ttp.Scope{ttp.OfIdentity(id("i")), ttp.OfCampaign(id("y"))} {
		equal(t, "busiest "+string(want.Kind), must[[]ttp.ScopeCount](t)(s.Who(ctx, want.Kind, ttp.Filter{}, 1)),
			[]ttp.ScopeCount{{Scope: want, Count: 4, FirstSeen: at(0), LastSeen: at(0)}})
	}
}

// checkActorsIn compares the busiest actors of a scope with the model's.
func (m *model) checkActorsIn(rt *rapid.T, s *ttp.Store, scope ttp.Scope, f ttp.Filter, wanted func(ttp.Tag) bool) {
	for kind, idOf := range map[ttp.ScopeKind]func(ttp.Tag) uuid.UUID{
		ttp.IdentityScope: m.identityOf,
		ttp.AttackerScope: func(tag ttp.Tag) uuid.UUID { return tag.AttackerUUID },
	} {
		want := []ttp.ScopeCount{}
		for _, tag := range m.tags {
			actor := idOf(tag)
			if actor == uuid.Nil || !wanted(tag) {
				continue
			}
			i := slices.IndexFunc(want, func(c ttp.ScopeCount) bool { return c.UUID == actor })
			if i < 0 {
				i = len(want)
				want = append(want, ttp.ScopeCount{
					Scope: ttp.Scope{Kind: kind, UUID: actor}, FirstSeen: tag.ObservedAt, LastSeen: tag.ObservedAt,
				})
			}
			c := &want[i]
			c.Count++
			c.FirstSeen = slices.MinFunc([]time.Time{c.FirstSeen, tag.ObservedAt}, time.Time.Compare)
			c.LastSeen = slices.MaxFunc([]time.Time{c.LastSeen, tag.ObservedAt}, time.Time.Compare)
		}
		slices.SortFunc(want, func(a, b ttp.ScopeCount) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.ID(), b.ID()))
		})
		what := fmt.Sprintf("%s actors in %s", kind, scope)
		counts := must[[]ttp.ScopeCount](rt)
		equal(rt, what, counts(s.WhoIn(context.Background(), scope, kind, f, 0)), want)
		equal(rt, "the first of "+what, counts(s.WhoIn(context.Background(), scope, kind, f, 1)), want[:min(1, len(want))])
	}
}
