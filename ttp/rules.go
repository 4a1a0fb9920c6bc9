package ttp

import (
	"context"
	"slices"
	"time"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listRules        = many((*sqlitegen.Queries).ListRules, (*mysqlgen.Queries).ListRules, toRuleStats, toRuleStats)
	listActorsByRule = many((*sqlitegen.Queries).ListActorsByRule, (*mysqlgen.Queries).ListActorsByRule, toRuleActor, toRuleActor)

	listRulesByTechnique = many((*sqlitegen.Queries).ListRulesByTechnique, (*mysqlgen.Queries).ListRulesByTechnique, toRuleKey, toRuleKey)
	listRulesByMembers   = many((*sqlitegen.Queries).ListRulesByMembers, (*mysqlgen.Queries).ListRulesByMembers, toRuleKey, toRuleKey)
	listRulesBySession   = many((*sqlitegen.Queries).ListRulesBySession, (*mysqlgen.Queries).ListRulesBySession, toRuleKey, toRuleKey)
)

var rulesByScope = scopeQueries[ruleKey]{fleet: listRulesByTechnique, session: listRulesBySession, members: listRulesByMembers}

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
	// Cells are the distinct techniques and tactics, in that order.
	Cells []RuleCell `json:"cells"`
}

// RuleCell is a technique or sub-technique and a tactic of a rule's tags.
type RuleCell struct {
	attack.Pair
	Names // in the newest release of the tags
}

// ListRules summarizes the tags that match f by rule, ordered by rule ID and version. It reads the row of every
// matching tag twice.
func (s *Store) ListRules(ctx context.Context, f Filter) ([]RuleStats, error) {
	const op = "list rules"
	filter, err := f.checked()
	if err != nil {
		return nil, s.refuse(ctx, op, err)
	}
	names, err := s.names(ctx, op)
	if err != nil {
		return nil, err
	}
	return snapshot(ctx, s, op, func(q queries) ([]RuleStats, error) {
		return summarizeRules(ctx, q, args{filterArgs: filter}, names)
	})
}

type ruleVersion struct {
	id      string
	version int
}

// ruleActor is one combination of rule, technique and actor among tags.
type ruleActor struct {
	ruleVersion
	key groupKey
	actor
}

// summarizeRules counts distinct actors and techniques in Go, since a sharded engine supports only one COUNT(DISTINCT)
// per statement.
func summarizeRules(ctx context.Context, q queries, a args, names *catalogue) ([]RuleStats, error) {
	rules, err := listRules(ctx, q, a)
	if err != nil {
		return nil, err
	}
	rows, err := listActorsByRule(ctx, q, a)
	if err != nil {
		return nil, err
	}
	keys := map[ruleVersion][]groupKey{}
	occurrences := make([]occurrence[ruleVersion], len(rows))
	for i, row := range rows {
		occurrences[i] = occurrence[ruleVersion]{key: row.ruleVersion, actor: row.actor}
		keys[row.ruleVersion] = append(keys[row.ruleVersion], row.key)
	}
	counts, err := countOccurrences(ctx, q, occurrences)
	for i := range rules {
		rule := ruleVersion{rules[i].RuleID, rules[i].RuleVersion}
		rules[i].Techniques, rules[i].Cells = ruleCells(keys[rule], names)
		if c := counts[rule]; c != nil { // statements in a caller's transaction may see different tags
			rules[i].Attackers, rules[i].Identities = c.Attackers, c.Identities
		}
	}
	return rules, err
}

// ruleCells returns the number of distinct techniques of keys, and their cells.
func ruleCells(keys []groupKey, names *catalogue) (techniques int64, cells []RuleCell) {
	slices.Sort(keys)
	cells = []RuleCell{}
	newest := groupKey(0)
	for i, key := range keys {
		if i == 0 || keys[i-1]/tacticUnit != key/tacticUnit {
			cells, newest = append(cells, RuleCell{Pair: key.pair()}), 0
		}
		technique, sub := key.technique().ids()
		newest = names.newer(newest, key%tacticUnit, key.tactic(), technique, sub)
		cells[len(cells)-1].Names = names.names(newest.release(), key.tactic(), technique, sub)
		if i == 0 || keys[i-1].technique() != key.technique() {
			techniques++
		}
	}
	return techniques, cells
}

// ruleKey is one combination of rule and technique_key among tags.
type ruleKey struct {
	rule string
	key  groupKey
}

// rulesOf returns the sorted IDs of the rules of each row. The function keyOfRow returns the key of a group's row.
func rulesOf[K comparable](ctx context.Context, q queries, m members, a args, groups []group, keyOfRow func(group) K,
) (map[K][]string, error) {
	all, err := rulesByScope.read(ctx, q, m, a)
	if err != nil {
		return nil, err
	}
	rows, rules := rowsOf(groups, keyOfRow), map[K][]string{}
	for _, r := range all {
		if row, ok := rows[r.key]; ok { // statements in a caller's transaction may see different tags
			rules[row] = append(rules[row], r.rule)
		}
	}
	for row, ids := range rules {
		slices.Sort(ids)
		rules[row] = slices.Compact(ids)
	}
	return rules, nil
}

type ruleKeyRow interface {
	sqlitegen.ListRulesByTechniqueRow | mysqlgen.ListRulesByTechniqueRow |
		sqlitegen.ListRulesByMembersRow | mysqlgen.ListRulesByMembersRow |
		sqlitegen.ListRulesBySessionRow | mysqlgen.ListRulesBySessionRow
}

func toRuleKey[R ruleKeyRow](row R) ruleKey {
	r := sqlitegen.ListRulesByTechniqueRow(row)
	return ruleKey{r.RuleID, groupKey(r.TechniqueKey)}
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
	return ruleActor{ruleVersion{r.RuleID, int(r.RuleVersion)}, groupKey(r.TechniqueKey), actor{toID(r.IdentityUUID), toID(r.AttackerUUID)}}
}
