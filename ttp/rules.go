package ttp

import (
	"context"
	"time"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var listRules = many((*sqlitegen.Queries).ListRules, (*mysqlgen.Queries).ListRules, toRuleStats, toRuleStats)

// RuleStats sums up what one version of a rule has tagged.
type RuleStats struct {
	RuleID      string `json:"rule_id"`
	RuleVersion int    `json:"rule_version"`
	Count       int64  `json:"count"` // of tags
	// Techniques is the number of techniques and sub-techniques.
	Techniques int64 `json:"techniques"`
	DistinctCounts
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
}

// ListRules sums up the tags that match the filter by rule and version, in their order. It reads every
// such tag's row.
func (s *Store) ListRules(ctx context.Context, f Filter) ([]RuleStats, error) {
	const op = "list rules"
	b, err := f.checked()
	if err != nil {
		return nil, s.fail(ctx, op, err)
	}
	return query(ctx, s, op, func(q queries) ([]RuleStats, error) { return listRules(ctx, q, args{filterArgs: b}) })
}

func toRuleStats[R sqlitegen.ListRulesRow | mysqlgen.ListRulesRow](row R) RuleStats {
	r := sqlitegen.ListRulesRow(row)
	return RuleStats{
		RuleID: r.RuleID, RuleVersion: int(r.RuleVersion), Count: r.Tags, Techniques: r.Techniques,
		DistinctCounts: DistinctCounts{r.Sources, r.Attackers, r.Identities},
		FirstSeen:      toTime(r.FirstSeen), LastSeen: toTime(r.LastSeen),
	}
}
