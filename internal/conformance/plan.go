package conformance

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

var planCases = []testCase{
	{name: "ReadsAreKeyedRanges", run: readsAreKeyedRanges},
}

// plannedRead is a frequent read, a generated query that it executes, and the expected plan of that query.
type plannedRead struct {
	query   string
	read    func(context.Context, *ttp.Store) error
	indexes []string // the only ones that may be used
	rows    bool     // also reads table rows, since the index does not cover the query
}

var plannedReads = []plannedRead{
	{"ListTechniquesByIdentity", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.ListTechniquesByIdentity(ctx, id("i1"))
	}), byMembers, false},
	{"ListTechniquesByAttacker", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.ListTechniquesByAttacker(ctx, id("a1"), ttp.Where(ttp.Filter{Since: at(5), Tactic: "TA0006", Domain: "ics"}))
	}), []string{"ttp_tag_attacker"}, false},
	{"ListTechniquesByMembers", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.ListTechniquesByIdentity(ctx, id("i1"), ttp.CountDistinct())
	}), byMembers, false},
	{"ListTechniquesByCampaign", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.ListTechniquesByCampaign(ctx, id("c1"))
	}), byMembers, false},
	{"ListTechniquesBySession", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.ListTechniquesBySession(ctx, "s1")
	}), []string{"ttp_tag_session"}, false},
	{"ListDistinctTechniques", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.ListDistinctTechniques(ctx, ttp.Where(ttp.Filter{Technique: "T0007", MinConfidence: 0.5}))
	}), []string{"ttp_tag_technique"}, false},
	{"ListDistinctTechniquesByTime", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.ListDistinctTechniques(ctx, ttp.Where(ttp.Filter{Since: at(100), Until: at(200)}))
	}), []string{"ttp_tag_observed"}, false},
	{"CountByTime", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.Timeline(ctx, ttp.Fleet(), ttp.Filter{Since: at(100), Until: at(200)}, ttp.Day, ttp.ByTactic)
	}), []string{"ttp_tag_observed"}, false},
	{"CountMembersByTime", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.Timeline(ctx, ttp.OfIdentity(id("i1")), ttp.Filter{Since: at(100)}, ttp.Day, ttp.ByTactic)
	}), byMembers, false},
	{"CountSessionByTime", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.Timeline(ctx, ttp.OfSession("s1"), ttp.Filter{Since: at(100)}, ttp.Day, ttp.ByTactic)
	}), []string{"ttp_tag_session"}, false},
	{"ListTags", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.ListTags(ctx, ttp.Fleet(), ttp.Filter{}, 10, "")
	}), []string{"ttp_tag_observed"}, true},
	{"ListTagsByTechnique", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.ListTags(ctx, ttp.Fleet(), ttp.Filter{Technique: "T0007"}, 100, "")
	}), []string{"ttp_tag_technique"}, true},
	{"ListTagsByAttacker", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.ListTags(ctx, ttp.OfAttacker(id("a1")), ttp.Filter{}, 10, "")
	}), []string{"ttp_tag_attacker"}, true},
	{"ListTagsBySession", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.ListTags(ctx, ttp.OfSession("s1"), ttp.Filter{}, 10, "")
	}), []string{"ttp_tag_session"}, true},
	{"ListPageStarts", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.ListTags(ctx, ttp.OfIdentity(id("i1")), ttp.Filter{}, 10, "")
	}), byMembers, false},
	{"ListTagsByMembers", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.ListTags(ctx, ttp.OfIdentity(id("i1")), ttp.Filter{}, 10, "")
	}), byMembers, false},
	{"ListTagKeysByMembers", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.ListTags(ctx, ttp.OfCampaign(id("c1")), ttp.Filter{}, 10, "") // of several chunks of attackers
	}), byMembers, false},
	{"ListTagsByUUID", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.ListTags(ctx, ttp.OfCampaign(id("c1")), ttp.Filter{}, 10, "")
	}), byUUID, true},
	{"ListTagsBySessionInOrder", func(ctx context.Context, s *ttp.Store) error {
		for _, err := range s.SessionTags(ctx, "s1", ttp.Filter{}) {
			return err
		}
		return nil
	}, []string{"ttp_tag_session"}, true},
	{"ListTagsAfter", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.Export(ctx, io.Discard, ttp.Filter{Since: at(100)}, nil)
	}), byUUID, true},
	{"WhoActorsByTechnique", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.Who(ctx, ttp.AttackerScope, ttp.Filter{Technique: "T0007"}, 10)
	}), []string{"ttp_tag_technique"}, true},
	{"WhoAttackers", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.Who(ctx, ttp.AttackerScope, ttp.Filter{}, 10)
	}), []string{"ttp_tag_attacker"}, false},
	{"WhoIdentities", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.Who(ctx, ttp.IdentityScope, ttp.Filter{}, 10)
	}), []string{"ttp_tag_identity"}, false},
	{"WhoSessions", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.Who(ctx, ttp.SessionScope, ttp.Filter{}, 10)
	}), []string{"ttp_tag_session"}, false},
	{"ListTechniquesByEachMember", func(ctx context.Context, s *ttp.Store) error {
		for _, err := range s.IdentityRollups(ctx, ttp.Filter{}) {
			return err
		}
		return nil
	}, byMembers, false},
	{"LockTagsToMove", func(ctx context.Context, s *ttp.Store) error {
		return s.AssignAttackers(ctx, id("i2"), id("a1"))
	}, []string{"ttp_tag_attacker"}, false},
	{"ListTagsInBatch", discard(func(ctx context.Context, s *ttp.Store) (any, error) {
		return s.RollbackBatch(ctx, id("b"), ttp.DryRun())
	}), byUUID, true},
}

// byMembers holds the indexes of identities and attackers.
var byMembers = []string{"ttp_tag_identity", "ttp_tag_attacker"}

// byUUID holds the names of the primary key, and SQLite's of the key by which its indexes locate rows.
var byUUID = []string{"PRIMARY", "sqlite_autoindex_ttp_tag_1", "INTEGER PRIMARY KEY"}

func discard(read func(context.Context, *ttp.Store) (any, error)) func(context.Context, *ttp.Store) error {
	return func(ctx context.Context, s *ttp.Store) error {
		_, err := read(ctx, s)
		return err
	}
}

// Each query reads a range of one of its indexes, with and without statistics, and no table rows if the index covers it.
func readsAreKeyedRanges(t *testing.T, db *database) {
	ctx, s := context.Background(), overPool(t, db)
	var tags []ttp.Tag
	for i := range 5000 {
		identity := []string{"", fmt.Sprint("i", i%13)}[i%2]
		tags = append(tags, newTag(fmt.Sprint(i), named(fmt.Sprint("a", i%997), identity, fmt.Sprintf("T%04d", i%50)),
			func(tag *ttp.Tag) {
				tag.SessionID = fmt.Sprint("s", i%211)
				tag.ObservedAt = at(i)
			}))
	}
	insert(t, s, tags...)
	for i := range 997 {
		succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id(fmt.Sprint("a", i)), IdentityUUID: id(fmt.Sprint("i", i%13))}}))
	}
	identities := make([]ttp.Identity, 500) // enough to use their indexes; 13 in 3 campaigns have tags
	for i := range identities {
		campaign := 3 + i%100
		if i < 13 {
			campaign = i % 3
		}
		identities[i] = ttp.Identity{UUID: id(fmt.Sprint("i", i)), CampaignUUID: id(fmt.Sprint("c", campaign))}
	}
	succeed(t, s.UpsertIdentities(ctx, identities))
	for _, analyzed := range []bool{false, true} {
		if analyzed {
			exec(t, db, map[ttp.Dialect]string{
				ttp.SQLite: "ANALYZE", ttp.MySQL: "ANALYZE TABLE ttp_tag, ttp_attacker, ttp_identity, ttp_campaign",
			}[db.Dialect])
		}
		for _, planned := range plannedReads {
			succeed(t, planned.read(ctx, s))
			if slices.ContainsFunc(explain(t, db, planned.query), scansScopes) {
				t.Errorf("%s, analyzed %v: scans a table of scopes", planned.query, analyzed)
			}
			lookups := tagLookups(t, db, planned.query)
			if len(lookups) == 0 {
				t.Errorf("%s, analyzed %v: reads no tags", planned.query, analyzed)
			}
			for _, lookup := range lookups {
				if lookup.keyed && slices.Contains(byUUID, lookup.index) && len(lookups) > 1 {
					continue // looks up rows by the keys in an index
				}
				if !lookup.keyed || lookup.covering == planned.rows || !slices.Contains(planned.indexes, lookup.index) {
					t.Errorf("%s, analyzed %v: reads tags by %+v, want %v", planned.query, analyzed, lookup, planned.indexes)
				}
			}
		}
	}
	must[[]ttp.Attacker](t)(s.ListAttackersByIP(ctx, netip.MustParseAddr("192.0.2.7")))
	usesIndex := func(row map[string]string) bool {
		return row["key"] == "ttp_attacker_ip" || strings.Contains(row["detail"], "INDEX ttp_attacker_ip ")
	}
	equal(t, "ListAttackersByIP uses its index", slices.ContainsFunc(explain(t, db, "ListAttackersByIP"), usesIndex), true)
}

// scansScopes reports whether a row of a plan reads all rows of ttp_attacker, ttp_campaign or ttp_identity, whose aliases in
// the queries are single letters.
func scansScopes(row map[string]string) bool {
	if detail, ok := row["detail"]; ok {
		return scopeScan.MatchString(detail)
	}
	return slices.Contains([]string{"a", "c", "i", "m", "s"}, row["table"]) && (row["type"] == "ALL" || row["type"] == "index")
}

var scopeScan = regexp.MustCompile(`^SCAN [acims]\b`)

// lookup is an access of a plan to ttp_tag.
type lookup struct {
	index    string
	keyed    bool // reads a range of the index
	covering bool // reads no table rows
	detail   string
}

// explain returns the rows of the plan of a query's last execution, by column.
func explain(t *testing.T, db *database, name string) []map[string]string {
	t.Helper()
	statement, ok := db.recorder.statement(name)
	if !ok {
		t.Fatalf("%s was not executed", name)
	}
	args := make([]any, len(statement.args))
	for i, arg := range statement.args {
		args[i] = arg.Value
	}
	verb := map[ttp.Dialect]string{ttp.SQLite: "EXPLAIN QUERY PLAN ", ttp.MySQL: "EXPLAIN FORMAT=TRADITIONAL "}[db.Dialect]
	rows, err := db.pool.QueryContext(context.Background(), verb+statement.query, args...)
	succeed(t, err)
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	succeed(t, err)
	var plan []map[string]string
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
		plan = append(plan, row)
	}
	succeed(t, rows.Err())
	return plan
}

// tagLookups returns the accesses to ttp_tag in the plan of a query's last execution.
func tagLookups(t *testing.T, db *database, name string) []lookup {
	t.Helper()
	var lookups []lookup
	for _, row := range explain(t, db, name) {
		if l, ok := tagLookup(db.Dialect, row); ok {
			lookups = append(lookups, l)
		}
	}
	return lookups
}

type nullString string

// Scan converts any value to text, and NULL to "".
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

// tagLookup parses a row of a plan: https://sqlite.org/eqp.html,
// https://dev.mysql.com/doc/refman/8.4/en/explain-output.html.
func tagLookup(dialect ttp.Dialect, row map[string]string) (lookup, bool) {
	if dialect == ttp.SQLite {
		detail := row["detail"]
		words := strings.Fields(detail)
		if len(words) < 2 || !readsTags(words[1]) {
			return lookup{}, false
		}
		_, index, _ := strings.Cut(detail, "INDEX ")
		index, _, _ = strings.Cut(index, " ")
		if strings.Contains(detail, "INTEGER PRIMARY KEY") {
			index = "INTEGER PRIMARY KEY"
		}
		covering := strings.Contains(detail, "USING COVERING INDEX ")
		return lookup{index, words[0] == "SEARCH", covering, detail}, true
	}
	if !readsTags(row["table"]) {
		return lookup{}, false
	}
	keyed := row["type"] == "ref" || row["type"] == "eq_ref" || row["type"] == "range" || row["type"] == "ref_or_null"
	covered := strings.Contains(row["Extra"], "Using index") && !strings.Contains(row["Extra"], "Using index condition")
	return lookup{row["key"], keyed, covered, fmt.Sprint(row)}, true
}

// readsTags reports whether a table name or alias in the queries means ttp_tag.
func readsTags(table string) bool { return table == "t" || table == "r" || table == "ttp_tag" }
