package attack_test

import (
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/decnet/ttpstore/attack"
)

func catalogueOf(tb testing.TB, names ...string) *attack.Catalogue {
	tb.Helper()
	c := &attack.Catalogue{}
	for _, name := range names {
		c.Add(makeRelease(tb, name))
	}
	return c
}

func TestReleases(t *testing.T) {
	c := catalogueOf(t, "mobile-v2.0", "enterprise-v10.1", "enterprise-v9.0", "ics-v1.0", "enterprise-v10.0", "enterprise-v9.0")
	want := []string{"enterprise-v9.0", "enterprise-v10.0", "enterprise-v10.1", "ics-v1.0", "mobile-v2.0"}
	if diff := cmp.Diff(want, c.Releases()); diff != "" {
		t.Error(diff)
	}
	var empty attack.Catalogue
	if got := empty.Releases(); len(got) != 0 {
		t.Errorf("an empty catalogue has %v", got)
	}
}

func TestNearest(t *testing.T) {
	c := catalogueOf(t, "enterprise-v9.0", "enterprise-v10.1", "ics-v8.2")
	for name, want := range map[string]string{
		"enterprise-v9.0":   "enterprise-v9.0",
		"enterprise-v9.9":   "enterprise-v9.0", // the newest older one
		"enterprise-v10.0":  "enterprise-v9.0",
		"enterprise-v10.1":  "enterprise-v10.1",
		"enterprise-v100.0": "enterprise-v10.1",
		"enterprise-v1.0":   "enterprise-v9.0", // the oldest newer one
		"ics-v18.1":         "ics-v8.2",
		"mobile-v9.0":       "",
		"9.0":               "",
		"":                  "",
	} {
		r, ok := c.Nearest(name)
		if ok != (want != "") || ok && r.Name != want {
			t.Errorf("nearest to %q: %v, want %q", name, r, want)
		}
	}
}

func TestAddReplaces(t *testing.T) {
	c := catalogueOf(t, "ics-v1.0", "ics-v2.0")
	replacement := makeRelease(t, "ics-v1.0", "T0801 Gauge")
	copied := c.Clone()
	c.Add(replacement)
	if r, _ := c.Release("ics-v1.0"); r != replacement {
		t.Error("Add kept the release of the same name")
	}
	if r, _ := copied.Release("ics-v1.0"); r == replacement {
		t.Error("Add changed a clone")
	}
	if _, ok := c.Release("ics-v3.0"); ok {
		t.Error("found a release that was not added")
	}
}

func TestNewReleaseNeedsAName(t *testing.T) {
	for _, name := range []string{"", "18.1", "enterprise-18.1", "pre-v8.2", "enterprise-v18", "enterprise-v18.1.2", "enterprise-v1000.0"} {
		if r, err := attack.NewRelease(name, nil, nil); r != nil || !errors.Is(err, attack.ErrUnknownRelease) {
			t.Errorf("%q: %v, %v, want ErrUnknownRelease", name, r, err)
		}
	}
}

func TestCompactForm(t *testing.T) {
	want := diggers(t)
	odd, err := attack.NewRelease("mobile-v1.0",
		[]attack.Tactic{{ID: "TA0027", Name: "Tab\there", Shortname: `back\slash`, Deprecated: true}},
		[]attack.Technique{
			{ID: "T1401", Name: "A|B\n\n=C\\i", Platforms: []string{"A|B", "", `C\t`}, Tactics: []string{"TA0027"}},
			{ID: "T1402"},
		})
	if err != nil {
		t.Fatal(err)
	}
	want.Add(odd)
	want.Add(makeRelease(t, "mobile-v2.0"))
	want.Add(mustRead(t, "enterprise-stix20.json", attack.WithRelease("enterprise-v4.0")))
	compact, err := want.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	got := catalogueOf(t, "ics-v1.0")
	if err := got.UnmarshalBinary(compact); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Releases(), got.Releases()); diff != "" {
		t.Fatal(diff)
	}
	for _, name := range want.Releases() {
		x, _ := want.Release(name)
		y, _ := got.Release(name)
		if diff := cmp.Diff(contentOf(x), contentOf(y), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for length := range compact {
		if err := got.UnmarshalBinary(compact[:length]); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			t.Fatalf("truncated to %d bytes: %v", length, err)
		}
	}
	if len(got.Releases()) != len(want.Releases()) {
		t.Error("a failed UnmarshalBinary changed the catalogue")
	}
}

func TestCompactFormOfNothing(t *testing.T) {
	var empty attack.Catalogue
	compact, err := empty.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	c := catalogueOf(t, "ics-v1.0")
	if err := c.UnmarshalBinary(compact); err != nil || len(c.Releases()) != 0 {
		t.Errorf("read %v, %v, want nothing", c.Releases(), err)
	}
	if err := c.UnmarshalBinary([]byte("plain")); err == nil {
		t.Error("read plain text")
	}
}

func TestConcurrentReads(t *testing.T) {
	compact, err := diggers(t).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var c attack.Catalogue
	if err := c.UnmarshalBinary(compact); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			m, err := c.Remap("enterprise-v1.0", "enterprise-v3.0")
			if err != nil || m.Map(pair("T1004 TA0003")).Verdict != attack.Moved {
				t.Errorf("remap: %v", err)
			}
			if _, err := c.Search("", attack.Techniques, "shovel"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
