package ttp

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestFiltersAreCut(t *testing.T) {
	const filter = "t.confidence >= %3 AND (CAST(%4 AS T) = 1 OR EXISTS (SELECT 1 WHERE COALESCE(d.decky_id, '') = COALESCE(%5, d.decky_id, '')))"
	query := "SELECT %6 FROM ttp_tag t WHERE t.observed_at >= %1 AND t.observed_at < %2 AND " + filter + " AND t.uuid IN (?,?)"
	numbered := strings.ReplaceAll(query, "%", "?")
	for query, want := range map[wholeQuery]shortQuery{
		{numbered, false}: {"SELECT ? FROM ttp_tag t WHERE TRUE AND TRUE AND t.uuid IN (?,?)", []int{5, 6, 7}},
		{numbered, true}: {
			"SELECT ? FROM ttp_tag t WHERE t.observed_at >= ? AND t.observed_at < ? AND TRUE AND t.uuid IN (?,?)", []int{5, 0, 1, 6, 7},
		},
		{regexp.MustCompile(`%\d`).ReplaceAllString(query, "?"), false}: {
			"SELECT ? FROM ttp_tag t WHERE TRUE AND TRUE AND t.uuid IN (?,?)", []int{0, 6, 7},
		},
	} {
		if got := withoutFilter(query); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nbecame %+v", query, got)
		}
	}
}

// Every generated query with the parameters of a filter loses all of them.
func TestEveryGeneratedFilterIsCut(t *testing.T) {
	for _, folder := range []string{"../db/sqlitegen", "../db/mysqlgen"} {
		filtered := 0
		for name, query := range generatedQueries(t, folder) {
			n := strings.Count(query, ".confidence >=")
			if n == 0 {
				continue
			}
			filtered++
			for _, windowed := range []bool{false, true} {
				short := withoutFilter(wholeQuery{query, windowed})
				if strings.Contains(short.text, ".confidence >=") || strings.Contains(short.text, "d.decky_id, ''") {
					t.Errorf("%s keeps a part of its filter:\n%s", name, short.text)
				}
				if windows := strings.Count(short.text, ".observed_at >= ? AND"); windowed != (windows == n) || !windowed && windows > 0 {
					t.Errorf("%s has %d filters and keeps %d windows:\n%s", name, n, windows, short.text)
				}
				if strings.Count(short.text, "(") != strings.Count(short.text, ")") {
					t.Errorf("%s has unbalanced parentheses:\n%s", name, short.text)
				}
				if n := strings.Count(short.text, "?"); n != len(short.params) {
					t.Errorf("%s has %d parameters for %d", name, len(short.params), n)
				}
			}
		}
		if filtered < 30 {
			t.Errorf("%s has %d queries with a filter", folder, filtered)
		}
	}
}

// generatedQueries returns the queries in the files of a folder by their names.
func generatedQueries(t *testing.T, folder string) map[string]string {
	t.Helper()
	packages, err := parser.ParseDir(token.NewFileSet(), folder, nil, 0) //nolint:staticcheck // no types are needed
	if err != nil {
		t.Fatal(err)
	}
	queries := map[string]string{}
	for _, pkg := range packages {
		ast.Inspect(pkg, func(node ast.Node) bool {
			if value, ok := node.(*ast.ValueSpec); ok && len(value.Values) == 1 {
				if literal, ok := value.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
					query, err := strconv.Unquote(literal.Value)
					if err != nil {
						t.Fatal(err)
					}
					queries[value.Names[0].Name] = query
				}
			}
			return true
		})
	}
	return queries
}
