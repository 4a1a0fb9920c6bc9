package attack_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/decnet/ttpstore/attack"
)

// named is a catalogue of names.
func named(tb testing.TB) *attack.Catalogue {
	tb.Helper()
	c := &attack.Catalogue{}
	c.Add(makeRelease(tb, "enterprise-v1.0",
		"TA0001 Digging", "TA0002 Hauling",
		"T1001 Shovel", "T1001.001 Long", "T1001.002 Short",
		"T1002 Pan",
		"T1003 Barrow", "T1003.001 Long",
		"T1004 Spade revoked >T1005", "T1005 Spade",
		"T1006 Jack deprecated",
	))
	c.Add(makeRelease(tb, "enterprise-v2.0",
		"TA0001 Burrowing", "TA0002 Hauling",
		"T1001 Shovel", "T1001.001 Long", "T1001.002 Short",
		"T1002 Sieve",
		"T1003 Barrow", "T1003.001 Long",
		"T1004 Spade revoked >T1005", "T1005 Spade",
		"T1007 Pan",
	))
	c.Add(makeRelease(tb, "mobile-v1.0", "TA0027 Hauling", "T1401 Antenna"))
	return c
}

func TestSearch(t *testing.T) {
	c := named(t)
	for _, s := range []struct {
		scope string
		kind  attack.Kind
		name  string
		want  attack.Match
	}{
		{"enterprise-v1.0", attack.Tactics, "Digging", attack.Match{ID: "TA0001", Name: "Digging", Release: "enterprise-v1.0"}},
		{"enterprise-v1.0", attack.Tactics, "ta0001", attack.Match{ID: "TA0001", Name: "Digging", Release: "enterprise-v1.0"}},
		{"", attack.Tactics, " digging ", attack.Match{ID: "TA0001", Name: "Digging", Release: "enterprise-v1.0"}},
		{"enterprise", attack.Tactics, "HAULING", attack.Match{ID: "TA0002", Name: "Hauling", Release: "enterprise-v2.0"}},
		{"enterprise-v1.7", attack.Techniques, "shovel", attack.Match{ID: "T1001", Name: "Shovel", Release: "enterprise-v1.0"}},
		{"enterprise-v1.0", attack.Techniques, "t1001.001", attack.Match{ID: "T1001.001", Name: "Shovel: Long", Release: "enterprise-v1.0"}},
		{"", attack.Techniques, "barrow: long", attack.Match{ID: "T1003.001", Name: "Barrow: Long", Release: "enterprise-v2.0"}},
		{"", attack.Techniques, "Short", attack.Match{ID: "T1001.002", Name: "Shovel: Short", Release: "enterprise-v2.0"}},
		{"", attack.Techniques, "Spade", attack.Match{ID: "T1005", Name: "Spade", Release: "enterprise-v2.0"}}, // not the revoked
		{"", attack.Techniques, "Jack", attack.Match{ID: "T1006", Name: "Jack", Release: "enterprise-v1.0"}},
		{"mobile", attack.Techniques, "Antenna", attack.Match{ID: "T1401", Name: "Antenna", Release: "mobile-v1.0"}},
	} {
		got, err := c.Search(s.scope, s.kind, s.name)
		if err != nil || got != s.want {
			t.Errorf("%s %q in %q: %+v, %v, want %+v", s.kind, s.name, s.scope, got, err, s.want)
		}
	}
}

func TestSearchListsCandidates(t *testing.T) {
	c := named(t)
	for _, s := range []struct {
		scope string
		kind  attack.Kind
		name  string
		is    error
		want  string
	}{
		{
			"", attack.Tactics, "hauling", attack.ErrAmbiguousName,
			`ambiguous name: the tactic "hauling" may be TA0027 Hauling (mobile-v1.0) or TA0002 Hauling (enterprise-v2.0)`,
		},
		{
			"enterprise-v1.0", attack.Techniques, "Long", attack.ErrAmbiguousName,
			`ambiguous name: the technique "Long" may be T1001.001 Shovel: Long (enterprise-v1.0) or T1003.001 Barrow: Long (enterprise-v1.0)`,
		},
		// The name went to another technique.
		{
			"", attack.Techniques, "Pan", attack.ErrAmbiguousName,
			`ambiguous name: the technique "Pan" may be T1007 Pan (enterprise-v2.0) or T1002 Pan (enterprise-v1.0)`,
		},
		{
			"enterprise-v2.0", attack.Techniques, "Shovle", attack.ErrUnknownName,
			`unknown name: no technique is called "Shovle"; the nearest are T1001 Shovel (enterprise-v2.0)`,
		},
		{
			"", attack.Tactics, "burrwing", attack.ErrUnknownName,
			`unknown name: no tactic is called "burrwing"; the nearest are TA0001 Burrowing (enterprise-v2.0)`,
		},
		{
			"", attack.Techniques, "bar", attack.ErrUnknownName,
			`unknown name: no technique is called "bar"; the nearest are T1003 Barrow (enterprise-v2.0), T1003.001 Barrow: Long (enterprise-v2.0)`,
		},
		{
			"", attack.Techniques, "Submarine", attack.ErrUnknownName,
			`unknown name: no technique is called "Submarine" or similarly`,
		},
		{
			"", attack.Techniques, "", attack.ErrUnknownName,
			`unknown name: no technique is called "" or similarly`,
		},
	} {
		got, err := c.Search(s.scope, s.kind, s.name)
		var list *attack.NameError
		if got != (attack.Match{}) || !errors.Is(err, s.is) || !errors.As(err, &list) {
			t.Errorf("%s %q in %q: %+v, %v, want a NameError of %v", s.kind, s.name, s.scope, got, err, s.is)
			continue
		}
		if diff := cmp.Diff(s.want, err.Error()); diff != "" {
			t.Errorf("%q: %s", s.name, diff)
		}
	}
	if _, err := c.Search("ics", attack.Tactics, "Digging"); !errors.Is(err, attack.ErrUnknownRelease) {
		t.Errorf("in an unknown domain: %v, want ErrUnknownRelease", err)
	}
}
