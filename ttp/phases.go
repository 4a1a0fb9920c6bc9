package ttp

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var listPhasesByMembers = many((*sqlitegen.Queries).ListPhasesByMembers, (*mysqlgen.Queries).ListPhasesByMembers, toPhase, toPhase)

// Phase is an observation of a tactic of an identity by a decky, with the number of its tags.
type Phase struct {
	DeckyID    string    `json:"decky_id"`
	Tactic     string    `json:"tactic"`
	ObservedAt time.Time `json:"observed_at"`
	Count      int64     `json:"count"`
}

// ListPhases returns the distinct phases of the identity's tags that match f, ordered by ObservedAt, decky and tactic.
// Tags without a decky are ignored. All phases are held in memory; use a window for identities with many tags.
func (s *Store) ListPhases(ctx context.Context, identity uuid.UUID, f Filter) ([]Phase, error) {
	const op = "list phases"
	filter, err := f.checked()
	if err != nil {
		return nil, s.fail(ctx, op, err)
	}
	return inScope(ctx, s, op, OfIdentity(identity), filter, func(ctx context.Context, q queries, m members, a args) ([]Phase, error) {
		phases, err := inMemberChunks(ctx, q, listPhasesByMembers, m, a)
		slices.SortFunc(phases, func(a, b Phase) int {
			return cmp.Or(a.ObservedAt.Compare(b.ObservedAt), strings.Compare(a.DeckyID, b.DeckyID), strings.Compare(a.Tactic, b.Tactic))
		})
		return mergePhases(phases), err
	})
}

// mergePhases adds up the tags of equal phases, which are neighbours.
func mergePhases(phases []Phase) []Phase {
	out := phases[:0]
	for _, p := range phases {
		if n := len(out); n > 0 && out[n-1].DeckyID == p.DeckyID && out[n-1].Tactic == p.Tactic && out[n-1].ObservedAt.Equal(p.ObservedAt) {
			out[n-1].Count += p.Count
			continue
		}
		out = append(out, p)
	}
	return out
}

func toPhase[R sqlitegen.ListPhasesByMembersRow | mysqlgen.ListPhasesByMembersRow](row R) Phase {
	r := sqlitegen.ListPhasesByMembersRow(row)
	return Phase{r.DeckyID.String, r.Tactic, toTime(r.ObservedAt), r.Tags}
}
