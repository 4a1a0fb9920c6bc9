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

// Phase is a tactic of an identity that a decky observed at one time, with the number of its tags.
type Phase struct {
	DeckyID    string    `json:"decky_id"`
	Tactic     string    `json:"tactic"`
	ObservedAt time.Time `json:"observed_at"`
	Count      int64     `json:"count"`
	Names                // of the tactic, in the newest release of the phase's tags
}

// ListPhases returns the distinct phases of the identity's tags that match f, ordered by ObservedAt, decky and tactic.
// Tags without a decky are ignored. All phases are held in memory; use a window for identities with many tags.
func (s *Store) ListPhases(ctx context.Context, identity uuid.UUID, f Filter) ([]Phase, error) {
	const op = "list phases"
	filter, err := f.checked()
	if err != nil {
		return nil, s.refuse(ctx, op, err)
	}
	names, err := s.names(ctx, op)
	if err != nil {
		return nil, err
	}
	return inScope(ctx, s, op, OfIdentity(identity), false, filter, func(ctx context.Context, q queries, m members, a args) ([]Phase, error) {
		rows, err := inMemberChunks(ctx, q, listPhasesByMembers, m, a)
		slices.SortFunc(rows, func(a, b phaseRow) int {
			return cmp.Or(a.ObservedAt.Compare(b.ObservedAt), strings.Compare(a.DeckyID, b.DeckyID), strings.Compare(a.Tactic, b.Tactic),
				cmp.Compare(b.key, a.key))
		})
		return mergePhases(names, rows), err
	})
}

// phaseRow is a phase of the tags of one release.
type phaseRow struct {
	Phase
	key groupKey // without a technique
}

// mergePhases adds up the rows of equal phases, which are neighbours, and names their tactics.
func mergePhases(names *catalogue, rows []phaseRow) []Phase {
	phases, newest := []Phase{}, groupKey(0)
	for i, row := range rows {
		if i == 0 || !row.samePhase(rows[i-1]) {
			phases, newest = append(phases, Phase{DeckyID: row.DeckyID, Tactic: row.Tactic, ObservedAt: row.ObservedAt}), 0
		}
		newest = names.newer(newest, row.key%tacticUnit, row.Tactic, "", "")
		phase := &phases[len(phases)-1]
		phase.Count += row.Count
		phase.Names = names.names(newest.release(), row.Tactic, "", "")
	}
	return phases
}

func (r phaseRow) samePhase(o phaseRow) bool {
	return r.DeckyID == o.DeckyID && r.Tactic == o.Tactic && r.ObservedAt.Equal(o.ObservedAt)
}

func toPhase[R sqlitegen.ListPhasesByMembersRow | mysqlgen.ListPhasesByMembersRow](row R) phaseRow {
	r := sqlitegen.ListPhasesByMembersRow(row)
	key := groupKey(r.TacticKey)
	return phaseRow{Phase{DeckyID: r.DeckyID.String, Tactic: key.tactic(), ObservedAt: toTime(r.ObservedAt), Count: r.Tags}, key}
}
