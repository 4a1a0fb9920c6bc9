package ttp_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// FuzzParseScope checks that a scope is written as the text that it was read from, except for the form of a UUID.
func FuzzParseScope(f *testing.F) {
	const id = "05205c50-66b3-53b4-af13-06b4501c4815"
	for _, text := range []string{
		"fleet", "fleet ", "fleet x", "", " ", "session s", "session  s ", "session ", "session", "session \xff",
		"identity " + id, "attacker urn:uuid:" + id, "campaign {" + id + "}", "campaign (" + id + ")", "Attacker " + id,
		"identity 05205C5066B353B4AF1306B4501C4815", "identity", "identity  " + id,
		"campaign 00000000-0000-0000-0000-000000000000",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		scope, err := ttp.ParseScope(text)
		if err != nil {
			problems := invalidQuery(t, err).Problems
			if len(problems) != 1 || problems[0].Field != "scope" || scope != (ttp.Scope{}) {
				t.Errorf("%q: got %+v, %q", text, scope, problems)
			}
			return
		}
		want := text
		if kind, id, ok := strings.Cut(text, " "); ok && kind != "session" {
			if uuid.Validate(id) != nil {
				t.Errorf("%q: got %v", text, scope)
			}
			want = kind + " " + scope.UUID.String()
		}
		again, err := ttp.ParseScope(scope.String())
		if scope.String() != want || err != nil || again != scope {
			t.Errorf("%q: got %v, which is read as %v, %v", text, scope, again, err)
		}
	})
}
