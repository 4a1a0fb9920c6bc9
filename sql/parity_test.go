// Package sql_test checks what sqlc does not: that both dialects have the same queries, and only safe ones.
package sql_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var dialects = []string{"sqlite", "mysql"}

// files returns the contents of the files that match the pattern, by base name.
func files(t *testing.T, pattern ...string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(pattern...))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files %v: %v", pattern, err)
	}
	out := map[string]string{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(path)] = string(content)
	}
	return out
}

var queryName = regexp.MustCompile(`(?m)^-- name: (.*)$`)

func TestDialectsHaveTheSameQueriesInTheSameOrder(t *testing.T) {
	var lists [2]string
	for i, dialect := range dialects {
		queries := files(t, "queries", dialect, "*.sql")
		for _, file := range slices.Sorted(maps.Keys(queries)) {
			for _, name := range queryName.FindAllStringSubmatch(queries[file], -1) {
				lists[i] += fmt.Sprintln(file, name[1])
			}
		}
	}
	if lists[0] != lists[1] {
		t.Errorf("sqlite has\n%s\nmysql has\n%s", lists[0], lists[1])
	}
}

// spelling lists the differences in spelling. SQLite's rowid saves a lookup by UUID.
var spelling = strings.NewReplacer(
	"AS INTEGER)", "AS SIGNED)", "AS REAL)", "AS DOUBLE)", "AS BLOB)", "AS BINARY(16))", " / ", " DIV ",
	"LIMIT sqlc.arg(limit)", "LIMIT ?", "OFFSET sqlc.arg(offset)", "OFFSET ?", "CROSS JOIN", "STRAIGHT_JOIN",
	"d.rowid = t.rowid", "d.uuid = t.uuid", "d.rowid = r.rowid", "d.uuid = r.uuid",
	"r.source_kind || '|' || r.source_id", "CONCAT(r.source_kind, '|', r.source_id)",
	"t.source_kind || '|' || t.source_id", "CONCAT(t.source_kind, '|', t.source_id)",
)

var index = regexp.MustCompile(`INDEXED BY (\w+)`)

// spellAsMySQL returns an SQLite query in MySQL's spelling.
func spellAsMySQL(query string) string {
	query = index.ReplaceAllString(strings.ReplaceAll(query, "sqlite_autoindex_ttp_tag_1", "PRIMARY"), "FORCE INDEX ($1)")
	return spelling.Replace(query)
}

// A comment must explain every difference beyond spelling.
func TestDeviationsAreExplained(t *testing.T) {
	for file, sqlite := range files(t, "queries", "sqlite", "*.sql") {
		mysql := files(t, "queries", "mysql", file)[file]
		ours, theirs := queryName.Split(sqlite, -1), queryName.Split(mysql, -1)
		if len(ours) != len(theirs) {
			t.Fatalf("%s: %d and %d queries", file, len(ours), len(theirs))
		}
		for i := range ours {
			// SQLite needs no row locks: a writing transaction locks the database.
			differ := spellAsMySQL(statement(ours[i])) != strings.ReplaceAll(statement(theirs[i]), " FOR UPDATE", "")
			// DO UPDATE and ON DUPLICATE KEY UPDATE are spelling too, over several lines.
			upsert := strings.Contains(ours[i], "ON CONFLICT") && strings.Contains(ours[i], "DO UPDATE")
			if differ && !upsert && (!strings.Contains(ours[i], "-- Differs from MySQL") || !strings.Contains(theirs[i], "-- Differs from SQLite")) {
				t.Errorf("%s: the dialects differ without a comment that explains why:\n%s\n%s", file, ours[i], theirs[i])
			}
		}
	}
}

// statement returns a query without its comments.
func statement(query string) string {
	var kept []string
	for line := range strings.Lines(query) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			kept = append(kept, line)
		}
	}
	return strings.TrimSpace(strings.Join(kept, ""))
}

func TestMigrationsComeInPairsAndAlike(t *testing.T) {
	var lists [2][]string
	for i, dialect := range dialects {
		lists[i] = slices.Sorted(maps.Keys(files(t, "schema", dialect, "*.sql")))
		for _, up := range lists[i] {
			if stem, ok := strings.CutSuffix(up, ".up.sql"); ok && !slices.Contains(lists[i], stem+".down.sql") {
				t.Errorf("%s has no down migration", up)
			}
		}
	}
	if !slices.Equal(lists[0], lists[1]) {
		t.Errorf("sqlite has %v, mysql has %v", lists[0], lists[1])
	}
}

// MySQL commits each DDL statement separately, so that a file with several could be applied in part.
func TestMySQLMigrationsAreOneStatement(t *testing.T) {
	for file, content := range files(t, "schema", "mysql", "*.sql") {
		if n := strings.Count(statement(content), ";"); n != 1 {
			t.Errorf("%s has %d statements", file, n)
		}
	}
}

// sqlc 1.31.1 truncates the SQL of query files with non-ASCII bytes.
func TestQueryFilesAreASCII(t *testing.T) {
	for _, dialect := range dialects {
		for file, content := range files(t, "queries", dialect, "*.sql") {
			if i := strings.IndexFunc(content, func(r rune) bool { return r > 126 }); i >= 0 {
				t.Errorf("%s/%s: byte %d is not ASCII", dialect, file, i)
			}
		}
	}
}

func TestNothingButADuplicateIsIgnored(t *testing.T) {
	swallow := regexp.MustCompile(`(?i)insert\s+(or\s+)?ignore|on\s+conflict\s+do|replace\s+into|load\s+data`)
	for _, dialect := range dialects {
		for file, content := range files(t, "queries", dialect, "*.sql") {
			if found := swallow.FindString(content); found != "" {
				t.Errorf("%s/%s has %q", dialect, file, found)
			}
		}
	}
}

// The compiler would not check a column that sqlc could not type. Variadic arguments of database methods are allowed.
func TestGeneratedColumnsAreTyped(t *testing.T) {
	field := regexp.MustCompile(`(?m)^\t\w+ +(interface\{\}|any)$`)
	for _, dialect := range dialects {
		for file, content := range files(t, "..", "db", dialect+"gen", "*.go") {
			if found := field.FindString(content); found != "" || strings.Contains(content, "]interface{}, error") {
				t.Errorf("%sgen/%s has an untyped column: %s", dialect, file, found)
			}
		}
	}
}

// Every query that reads tags repeats the filter, since sqlc cannot share SQL text.
func TestTheFilterIsTheSameEverywhere(t *testing.T) {
	begin := regexp.MustCompile(`\b[tr]\.observed_at >= sqlc\.arg\(since\)`)
	const end = "AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))"
	var first string
	for _, dialect := range dialects {
		for file, content := range files(t, "queries", dialect, "*.sql") {
			text := strings.Join(strings.Fields(spellAsMySQL(content)), " ")
			starts := begin.FindAllStringIndex(text, -1)
			if len(starts) != strings.Count(text, "sqlc.arg(min_confidence)") {
				t.Errorf("%s/%s: has %d filters, and another number of confidences", dialect, file, len(starts))
			}
			for _, start := range starts {
				filter, _, whole := strings.Cut(text[start[0]:], end)
				filter = strings.ReplaceAll(filter, text[start[0]:start[0]+2], "t.")
				if first == "" {
					first = filter
				}
				if !whole || filter != first {
					t.Errorf("%s/%s: a filter is\n%s\nand another\n%s", dialect, file, filter, first)
				}
			}
		}
	}
	if first == "" {
		t.Error("no query has a filter")
	}
}

// SQLite numbers the placeholders of an expanded slice from the highest number before it, so that a parameter numbered
// after a slice would be bound to a value of the slice.
func TestSlicesFollowEveryNumberedParameter(t *testing.T) {
	query := regexp.MustCompile("(?s)= `-- name: (\\w+)(.*?)`")
	placeholder := regexp.MustCompile(`/\*SLICE:\w+\*/\?|\?(\d+)`)
	slices := 0
	for _, content := range files(t, "..", "db", "sqlitegen", "*.go") {
		for _, q := range query.FindAllStringSubmatch(content, -1) {
			highest, sliced := 0, false
			for _, p := range placeholder.FindAllStringSubmatch(q[2], -1) {
				if p[1] == "" {
					sliced = true
					slices++
					continue
				}
				number, err := strconv.Atoi(p[1])
				if err != nil {
					t.Fatal(err)
				}
				if sliced && number > highest {
					t.Errorf("%s: parameter %d is numbered after a slice: name it before", q[1], number)
				}
				highest = max(highest, number)
			}
		}
	}
	if slices == 0 {
		t.Error("no query has a slice")
	}
}
