package main

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/integration"
)

// The events are those of go test -json, without the fields that are not read.
func TestRunsAreJudgedByTheirEvents(t *testing.T) {
	exit := errors.New("exit status 1")
	const passed = `{"Action":"run","Test":"TestA"}
{"Action":"pass","Test":"TestA"}
`
	skip := func(test, why string) string {
		return passed + `{"Action":"run","Test":"` + test + `"}
{"Action":"output","Test":"` + test + `","Output":"    x_test.go:1: ` + why + `\n"}
{"Action":"skip","Test":"` + test + `"}
`
	}
	passes := map[string]string{"TestA": "pass"}
	skips := func(tests ...string) map[string]string {
		results := maps.Clone(passes)
		for _, test := range tests {
			results[test] = "skip"
		}
		return results
	}
	for what, test := range map[string]struct {
		events  string
		exit    error
		results map[string]string
		want    string
	}{
		"passed":       {passed, nil, passes, "the exception TestE matches no skipped test"},
		"an exception": {skip("TestE", "exception"), nil, skips("TestE"), ""},
		"another skip": {skip("TestB", "why"), nil, skips("TestB"), "TestB was skipped without an exception"},
		"no right":     {skip("TestB", integration.NoRight+"mount") + skip("TestE", ""), nil, skips("TestB", "TestE"), ""},
		"failed": {passed + `{"Action":"run","Test":"TestB"}
{"Action":"fail","Test":"TestB"}
`, exit, map[string]string{"TestA": "pass", "TestB": "fail"}, "exit status 1\nTestB failed"},
		"hung": {passed + `{"Action":"run","Test":"TestB"}
{"Action":"pause","Test":"TestB"}
{"Action":"run","Test":"TestC"}
{"Action":"pause","Test":"TestC"}
{"Action":"cont","Test":"TestC"}
`, exit, map[string]string{"TestA": "pass", "TestB": "pause", "TestC": ""}, "exit status 1\nTestC did not end"},
		"no image":       {`{"Action":"output","Output":"` + integration.NoImagePrefix + `pull mysql:8.4\n"}`, exit, nil, errNoImage.Error()},
		"no Docker":      {`{"Action":"output","Output":"integration: Docker cannot be reached\n"}`, exit, nil, "exit status 1"},
		"does not build": {`{"Action":"build-output","Output":"x.go:1: undefined\n"}`, exit, nil, "exit status 1"},
	} {
		r := run{engine: integration.Engine{Name: "x", Upstream: "mysql:8.4", Except: map[string]string{"TestE": "why"}}}
		if err := r.read(strings.NewReader(test.events)); err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(r.results, test.results) {
			t.Errorf("%s: got %v, want %v", what, r.results, test.results)
		}
		got := ""
		if err := r.check(test.exit); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", what, got, test.want)
		}
	}
}
