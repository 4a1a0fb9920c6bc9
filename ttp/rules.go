package ttp

import (
	"context"
	"time"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var listRules = many((*sqlitegen.Queries).ListRules, (*mysqlgen.Queries).ListRules, toRuleStats, toRuleStats)

// RuleStats summarizes the tags of one version of a rule.
type RuleStats struct {
	RuleID      string `json:"rule_id"`
	RuleVersion int    `json:"rule_version"`
	Count       int64  `json:"count"`      // of tags
	Techniques  int64  `json:"techniques"` // distinct techniques and sub-techniques
	DistinctCounts
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
}

// ListRules summarizes the tags that match f by rule, ordered by rule ID and version. It reads the row of every
// matching tag.
func (s *Store) ListRules(ctx context.Context, f Filter) ([]RuleStats, error) {
	const op = "list rules"
	filter, err := f.checked()
	if err != nil {
		return nil, s.fail(ctx, op, err)
	}
	return query(ctx, s, op, func(q queries) ([]RuleStats, error) {
		return listRules(ctx, q, args{filterArgs: filter})
	})
}

func toRuleStats[R sqlitegen.ListRulesRow | mysqlgen.ListRulesRow](row R) RuleStats {
	r := sqlitegen.ListRulesRow(row)
	return RuleStats{
		RuleID: r.RuleID, RuleVersion: int(r.RuleVersion), Count: r.Tags, Techniques: r.Techniques,
		DistinctCounts: DistinctCounts{r.Sources, r.Attackers, r.Identities},
		FirstSeen:      toTime(r.FirstSeen), LastSeen: toTime(r.LastSeen),
	}
}
