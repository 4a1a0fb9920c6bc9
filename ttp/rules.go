package ttp

import (
	"context"
	"time"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listRules        = many((*sqlitegen.Queries).ListRules, (*mysqlgen.Queries).ListRules, toRuleStats, toRuleStats)
	listActorsByRule = many((*sqlitegen.Queries).ListActorsByRule, (*mysqlgen.Queries).ListActorsByRule, toRuleActor, toRuleActor)
)

// RuleStats summarizes the tags of one version of a rule.
type RuleStats struct {
	RuleID      string `json:"rule_id"`
	RuleVersion int    `json:"rule_version"`
	Count       int64  `json:"count"`      // of tags
	Techniques  int64  `json:"techniques"` // distinct techniques and sub-techniques
	DistinctCounts
	FirstSeen      time.Time `json:"first_seen"`
	LastSeen       time.Time `json:"last_seen"`
	ConfidenceMin  float64   `json:"confidence_min"`
	ConfidenceMean float64   `json:"confidence_mean"`
	ConfidenceMax  float64   `json:"confidence_max"`
}

// ListRules summarizes the tags that match f by rule, ordered by rule ID and version. It reads the row of every
// matching tag twice.
func (s *Store) ListRules(ctx context.Context, f Filter) ([]RuleStats, error) {
	const op = "list rules"
	filter, err := f.checked()
	if err != nil {
		return nil, s.fail(ctx, op, err)
	}
	return snapshot(ctx, s, op, func(q queries) ([]RuleStats, error) {
		return summarizeRules(ctx, q, args{filterArgs: filter})
	})
}

type ruleVersion struct {
	id      string
	version int
}

// ruleActor is one combination of rule, technique and actor among tags.
type ruleActor struct {
	ruleVersion
	technique techniqueKey
	actor
}

// summarizeRules counts distinct actors and techniques in Go, since a sharded engine supports only one COUNT(DISTINCT)
// per statement.
func summarizeRules(ctx context.Context, q queries, a args) ([]RuleStats, error) {
	rules, err := listRules(ctx, q, a)
	if err != nil {
		return nil, err
	}
	rows, err := listActorsByRule(ctx, q, a)
	if err != nil {
		return nil, err
	}
	type ruleTechnique struct {
		ruleVersion
		techniqueKey
	}
	seen := map[ruleTechnique]bool{}
	techniques := map[ruleVersion]int64{}
	occurrences := make([]occurrence[ruleVersion], len(rows))
	for i, row := range rows {
		occurrences[i] = occurrence[ruleVersion]{key: row.ruleVersion, actor: row.actor}
		if t := (ruleTechnique{row.ruleVersion, row.technique}); !seen[t] {
			seen[t] = true
			techniques[row.ruleVersion]++
		}
	}
	counts, err := countOccurrences(ctx, q, occurrences)
	for i := range rules {
		rule := ruleVersion{rules[i].RuleID, rules[i].RuleVersion}
		rules[i].Techniques = techniques[rule]
		if c := counts[rule]; c != nil { // statements in a caller's transaction may see different tags
			rules[i].Attackers, rules[i].Identities = c.Attackers, c.Identities
		}
	}
	return rules, err
}

func toRuleStats[R sqlitegen.ListRulesRow | mysqlgen.ListRulesRow](row R) RuleStats {
	r := sqlitegen.ListRulesRow(row)
	return RuleStats{
		RuleID: r.RuleID, RuleVersion: int(r.RuleVersion), Count: r.Tags, DistinctCounts: DistinctCounts{Sources: r.Sources},
		FirstSeen: toTime(r.FirstSeen), LastSeen: toTime(r.LastSeen),
		ConfidenceMin: r.ConfidenceMin, ConfidenceMean: r.ConfidenceSum / float64(r.Tags), ConfidenceMax: r.ConfidenceMax,
	}
}

func toRuleActor[R sqlitegen.ListActorsByRuleRow | mysqlgen.ListActorsByRuleRow](row R) ruleActor {
	r := sqlitegen.ListActorsByRuleRow(row)
	return ruleActor{ruleVersion{r.RuleID, int(r.RuleVersion)}, techniqueKey(r.Technique), actor{toID(r.IdentityUUID), toID(r.AttackerUUID)}}
}
