package conformance

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

var planCases = []testCase{
	{name: "RollupsReadOnlyTheirIndexes", run: rollupsReadOnlyTheirIndexes},
}

// Each query reads the tags by these indexes and no table row, whatever the planner knows of sizes.
func rollupsReadOnlyTheirIndexes(t *testing.T, db *database) {
	ctx, s := context.Background(), overPool(t, db)
	var tags []ttp.Tag
	for i := range 5000 {
		tags = append(tags, newTag(fmt.Sprint(i), named(fmt.Sprint("a", i%97), []string{"", fmt.Sprint("i", i%13)}[i%2], fmt.Sprintf("T%04d", i%50)),
			func(tag *ttp.Tag) { tag.SessionID = fmt.Sprint("s", i%211) }))
	}
	insert(t, s, tags...)
	for i := range 97 {
		succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id(fmt.Sprint("a", i)), IdentityUUID: id(fmt.Sprint("i", i%13))}}))
	}
	for i := range 13 {
		succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id(fmt.Sprint("i", i)), CampaignUUID: id(fmt.Sprint("c", i%3))}}))
	}
	for _, analyzed := range []bool{false, true} {
		if analyzed {
			exec(t, db, map[ttp.Dialect]string{ttp.SQLite: "ANALYZE", ttp.MySQL: "ANALYZE TABLE ttp_tag, ttp_attacker, ttp_identity, ttp_campaign"}[db.Dialect])
		}
		_ = must[[]ttp.TechniqueRollupRow](t)(s.ListTechniquesByIdentity(ctx, id("i1")))
		_ = must[[]ttp.TechniqueRollupRow](t)(s.ListTechniquesByAttacker(ctx, id("a1")))
		_ = must[[]ttp.TechniqueRollupRow](t)(s.ListTechniquesBySession(ctx, "s1"))
		_ = must[[]ttp.CampaignTechniqueRow](t)(s.ListTechniquesByCampaign(ctx, id("c1")))
		_ = must[[]ttp.TechniqueRollupRow](t)(s.ListDistinctTechniques(ctx))
		for name, indexes := range map[string][]string{
			"ListTechniquesByIdentity": {"ttp_tag_identity", "ttp_tag_attacker"},
			"ListTechniquesByCampaign": {"ttp_tag_identity", "ttp_tag_attacker"},
			"CountCampaignIdentities":  {"ttp_tag_identity", "ttp_tag_attacker"},
			"ListTechniquesByAttacker": {"ttp_tag_attacker"},
			"ListTechniquesBySession":  {"ttp_tag_session"},
			"ListDistinctTechniques":   {"ttp_tag_technique"},
		} {
			lookups := tagLookups(t, db, name)
			equal(t, fmt.Sprintf("%s, analyzed %v: number of look-ups", name, analyzed), len(lookups), len(indexes))
			for _, lookup := range lookups {
				if !lookup.covering || (!lookup.keyed && name != "ListDistinctTechniques") || !strings.Contains(strings.Join(indexes, " "), lookup.index) {
					t.Errorf("%s, analyzed %v: reads tags by %+v, want %v", name, analyzed, lookup, indexes)
				}
			}
		}
	}
}

// lookup is how a plan reads ttp_tag.
type lookup struct {
	index    string
	keyed    bool // a range of the index, not the whole
	covering bool // no table row is read
	detail   string
}

// tagLookups explains the last execution of a query.
func tagLookups(t *testing.T, db *database, name string) []lookup {
	t.Helper()
	statement, ok := db.recorder.statement(name)
	if !ok {
		t.Fatalf("%s was not executed", name)
	}
	args := make([]any, len(statement.args))
	for i, arg := range statement.args {
		args[i] = arg.Value
	}
	explain := map[ttp.Dialect]string{ttp.SQLite: "EXPLAIN QUERY PLAN ", ttp.MySQL: "EXPLAIN FORMAT=TRADITIONAL "}[db.Dialect]
	rows, err := db.pool.QueryContext(context.Background(), explain+statement.query, args...)
	succeed(t, err)
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	succeed(t, err)
	var lookups []lookup
	for rows.Next() {
		row := map[string]string{}
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(nullString)
		}
		succeed(t, rows.Scan(values...))
		for i, column := range columns {
			row[column] = string(*values[i].(*nullString))
		}
		if l, ok := tagLookup(db.Dialect, row); ok {
			lookups = append(lookups, l)
		}
	}
	succeed(t, rows.Err())
	return lookups
}

type nullString string

// Scan takes any value, NULL as "".
func (s *nullString) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*s = ""
	case []byte:
		*s = nullString(v)
	default:
		*s = nullString(fmt.Sprint(v))
	}
	return nil
}

// tagLookup reads a row of a plan: https://sqlite.org/eqp.html,
// https://dev.mysql.com/doc/refman/8.4/en/explain-output.html.
func tagLookup(dialect ttp.Dialect, row map[string]string) (lookup, bool) {
	if dialect == ttp.SQLite {
		detail := row["detail"]
		words := strings.Fields(detail)
		if len(words) < 2 || (words[1] != "t" && words[1] != "ttp_tag") {
			return lookup{}, false
		}
		_, index, covering := strings.Cut(detail, "USING COVERING INDEX ")
		index, _, _ = strings.Cut(index, " ")
		return lookup{index, words[0] == "SEARCH", covering, detail}, true
	}
	if row["table"] != "t" && row["table"] != "ttp_tag" {
		return lookup{}, false
	}
	keyed := row["type"] == "ref" || row["type"] == "range" || row["type"] == "ref_or_null"
	return lookup{row["key"], keyed, strings.Contains(row["Extra"], "Using index") && !strings.Contains(row["Extra"], "Using index condition"), fmt.Sprint(row)}, true
}
