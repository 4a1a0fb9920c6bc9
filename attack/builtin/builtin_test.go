package builtin_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/attack/builtin"
)

// official returns the paths of the official bundles that match a pattern. It skips the test if there are none.
func official(tb testing.TB, pattern string) []string {
	tb.Helper()
	folder := os.Getenv("TTPSTORE_ATTACK_DATA")
	if folder == "" {
		folder = "../../../shared/attack"
	}
	paths, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil {
		tb.Fatal(err)
	}
	if len(paths) == 0 {
		tb.Skipf("no %s in %s: set TTPSTORE_ATTACK_DATA to a folder of official bundles", pattern, folder)
	}
	return paths
}

// read reads an official bundle, such as enterprise-attack-18.1.json.
func read(tb testing.TB, path string) *attack.Release {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	name, _, _ := strings.Cut(filepath.Base(path), ".json")
	r, err := attack.Read(f, attack.WithRelease(strings.Replace(name, "-attack-", "-v", 1)))
	if err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	return r
}

func release(tb testing.TB, name string) *attack.Release {
	tb.Helper()
	r, ok := builtin.Catalogue().Release(name)
	if !ok {
		tb.Fatalf("no release %s", name)
	}
	return r
}

func TestReleases(t *testing.T) {
	var want []string
	for _, domain := range []string{"enterprise", "ics", "mobile"} {
		for _, version := range []string{"8.2", "9.0", "10.1", "11.3", "12.1", "13.1", "14.1", "15.1", "16.1", "17.1", "18.1"} {
			want = append(want, domain+"-v"+version)
		}
	}
	if diff := cmp.Diff(want, builtin.Catalogue().Releases()); diff != "" {
		t.Error(diff)
	}
}

func TestDataIsWhatTheOfficialBundlesSay(t *testing.T) {
	var c attack.Catalogue
	for _, path := range official(t, "releases/*.json.gz") {
		c.Add(read(t, path))
	}
	rebuilt, err := c.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	// Another version of Go may compress differently, so that only the text must be the same.
	if diff := cmp.Diff(text(t, stored(t)), text(t, rebuilt)); diff != "" {
		t.Errorf("releases.gz is out of date, run go generate:\n%s", diff)
	}
	for _, name := range c.Releases() {
		want, _ := c.Release(name)
		if diff := cmp.Diff(want, release(t, name), cmp.AllowUnexported(attack.Release{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func text(tb testing.TB, compact []byte) []string {
	tb.Helper()
	z, err := gzip.NewReader(bytes.NewReader(compact))
	if err != nil {
		tb.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}

// The whole bundles have descriptions, citations and other objects. They must give the same releases.
func TestWholeBundles(t *testing.T) {
	for _, path := range official(t, "*-attack-*.json") {
		want := read(t, path)
		if diff := cmp.Diff(want, release(t, want.Name), cmp.AllowUnexported(attack.Release{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", want.Name, diff)
		}
	}
}

func TestSize(t *testing.T) {
	if size := len(stored(t)); size > 200_000 {
		t.Errorf("releases.gz has %d bytes, more than 200,000", size)
	}
}

func TestLicense(t *testing.T) {
	if !strings.Contains(builtin.License, attack.Copyright) {
		t.Error("the licence lacks the copyright line")
	}
	for _, path := range official(t, "LICENSE.txt") {
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), builtin.License); diff != "" {
			t.Error(diff)
		}
	}
}

func TestCataloguesAreIndependent(t *testing.T) {
	r, err := attack.NewRelease("enterprise-v18.1", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	mine := builtin.Catalogue()
	mine.Add(r)
	if got, _ := mine.Release(r.Name); got != r {
		t.Error("an added release does not replace the built-in one")
	}
	if release(t, r.Name) == r {
		t.Error("an added release is in other catalogues too")
	}
	if one, other := release(t, "ics-v18.1"), release(t, "ics-v18.1"); one != other {
		t.Error("catalogues do not share releases")
	}
}
