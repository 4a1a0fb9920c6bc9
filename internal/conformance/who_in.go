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

var whoInCases = []testCase{{name: "WhoInRefusesOtherKinds", run: whoInRefusesOtherKinds}}

func whoInRefusesOtherKinds(t *testing.T, db *database) {
	_, err := db.store(t).WhoIn(context.Background(), ttp.Fleet(), ttp.SessionScope, ttp.Filter{MinConfidence: 2}, -1)
	equal(t, "fields", problemFields(t, err), []string{"min_confidence", "limit", "kind"})
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
