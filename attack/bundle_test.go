package attack_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/decnet/ttpstore/attack"
)

// content holds all data of a release.
type content struct {
	Name, Domain, Version string
	Tactics               []attack.Tactic
	Techniques            []attack.Technique
}

func contentOf(r *attack.Release) content {
	return content{r.Name, r.Domain, r.Version, r.Tactics, slices.Collect(r.Techniques())}
}

// readFile reads a bundle of testdata.
func readFile(tb testing.TB, name string, options ...attack.ReadOption) (*attack.Release, error) {
	tb.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	return attack.Read(f, options...)
}

func mustRead(tb testing.TB, name string, options ...attack.ReadOption) *attack.Release {
	tb.Helper()
	r, err := readFile(tb, name, options...)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

const (
	tacticSTIX    = "x-mitre-tactic--00000000-0000-4000-8000-00000000000"
	techniqueSTIX = "attack-pattern--00000000-0000-4000-8000-00000000000"
	tacticURL     = "https://attack.example/tactics/"
	techniqueURL  = "https://attack.example/techniques/"
)

func TestRead(t *testing.T) {
	mobile := content{
		"mobile-v18.1", "mobile", "18.1",
		[]attack.Tactic{
			{ID: "TA0027", Name: "Arriving", Shortname: "arriving", STIXID: tacticSTIX + "1", URL: tacticURL + "TA0027"},
			{
				ID: "TA0038", Name: "Eavesdropping", Shortname: "eavesdropping", STIXID: tacticSTIX + "2", URL: tacticURL + "TA0038",
				Deprecated: true, // as its matrix is
			},
		},
		[]attack.Technique{
			{
				ID: "T1401", Name: "Antenna", STIXID: techniqueSTIX + "1", URL: techniqueURL + "T1401",
				Tactics: []string{"TA0027"}, Platforms: []string{"Android"},
			},
			{
				ID: "T1402", Name: "Receiver", STIXID: techniqueSTIX + "2", URL: techniqueURL + "T1402",
				Tactics: []string{"TA0038"}, Deprecated: true,
			},
		},
	}
	for _, c := range []struct {
		file    string
		options []attack.ReadOption
		want    content
	}{
		{"enterprise-stix20.json", []attack.ReadOption{attack.WithRelease("enterprise-v8.02")}, content{
			"enterprise-v8.2", "enterprise", "8.2",
			[]attack.Tactic{
				{ID: "TA0001", Name: "Arriving", Shortname: "arriving", STIXID: tacticSTIX + "2", URL: tacticURL + "TA0001"},
				{ID: "TA0002", Name: "Digging", Shortname: "digging", STIXID: tacticSTIX + "1", URL: tacticURL + "TA0002"},
				{ID: "TA0003", Name: "Leaving", Shortname: "leaving", STIXID: tacticSTIX + "3", URL: tacticURL + "TA0003"},
			},
			[]attack.Technique{
				{
					ID: "T1001", Name: "Shovel", STIXID: techniqueSTIX + "1", URL: techniqueURL + "T1001",
					Tactics: []string{"TA0002", "TA0003"}, Platforms: []string{"Windows", "Linux"},
				},
				{
					ID: "T1001.001", Name: "Spade", STIXID: techniqueSTIX + "2", URL: techniqueURL + "T1001/001",
					Tactics: []string{"TA0002", "TA0003"}, // its technique's
				},
				{
					ID: "T1002", Name: "Bucket", STIXID: techniqueSTIX + "3", URL: techniqueURL + "T1002",
					Revoked: true, Successor: "T1001.001", // of the newer relationship
				},
				{
					ID: "T1003", Name: "Crane", STIXID: techniqueSTIX + "4", URL: techniqueURL + "T1003",
					Tactics: []string{"TA0001"}, Deprecated: true,
				},
				{
					ID: "T1004", Name: "Wheelbarrow", STIXID: techniqueSTIX + "5", URL: techniqueURL + "T1004",
					Tactics: []string{"TA0001"}, Revoked: true, Deprecated: true,
				},
			},
		}},
		{"mobile-stix21.json", nil, mobile},
		{"mobile-stix21.json.gz", []attack.ReadOption{attack.WithRelease("mobile-v18.1")}, mobile},
		{"ics-stix20.json", []attack.ReadOption{attack.WithRelease("ics-v19.0")}, content{
			"ics-v19.0", "ics", "19.0",
			[]attack.Tactic{
				{ID: "TA0100", Name: "Collecting", Shortname: "collecting-ics", STIXID: tacticSTIX + "1", URL: tacticURL + "TA0100"},
			},
			[]attack.Technique{
				{ID: "T0801", Name: "Gauge", STIXID: techniqueSTIX + "1", URL: techniqueURL + "T0801", Tactics: []string{"TA0100"}},
				{ID: "T1691", Name: "Valve", STIXID: techniqueSTIX + "2", URL: techniqueURL + "T1691", Tactics: []string{"TA0100"}},
				{ID: "T1691.001", Name: "Hatch", STIXID: techniqueSTIX + "3", URL: techniqueURL + "T1691/001", Tactics: []string{"TA0100"}},
			},
		}},
	} {
		t.Run(c.file, func(t *testing.T) {
			if diff := cmp.Diff(c.want, contentOf(mustRead(t, c.file, c.options...)), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadRefusesBadBundles(t *testing.T) {
	const (
		relationship = "relationship--00000000-0000-4000-8000-000000000001"
		collection   = "x-mitre-collection--00000000-0000-4000-8000-00000000000"
		missing      = techniqueSTIX + "9, which the bundle does not have"
		oneRelease   = "; a bundle holds one release"
	)
	want := map[string][2]string{ // the object and the reason
		"circular.json":                  {relationship, "closes a circle of revoked-by at T1002"},
		"dangling-source.json":           {relationship, "is a revoked-by of " + missing},
		"dangling-target.json":           {relationship, "is a revoked-by of " + missing},
		"empty.json":                     {"", "cannot be read"},
		"list.json":                      {"", "has [ before byte 1, want {"},
		"malformed-attack-id.json":       {techniqueSTIX + "3", `its ATT&CK id "T1" is malformed`},
		"malformed-object.json":          {techniqueSTIX + "3", "cannot be read"},
		"malformed-version.json":         {collection + "1", `its version "the newest" must be such as "18.1"`},
		"no-attack-id.json":              {techniqueSTIX + "3", `its ATT&CK id "" is malformed`},
		"no-domain.json":                 {"", "no technique is in a tactic of a known domain"},
		"no-shortname.json":              {tacticSTIX + "2", "has no x_mitre_shortname"},
		"no-techniques.json":             {"", "no technique is in a tactic of a known domain"},
		"not-json.json":                  {"", "cannot be read"},
		"object-of-no-type.json":         {"", "an object cannot be read"},
		"objects-not-a-list.json":        {"", "has { before byte 31, want ["},
		"other-type.json":                {"", `its type "report" must be "bundle"`},
		"truncated-between-objects.json": {"", "cannot be read"},
		"truncated.json":                 {"", "cannot be read"},
		"truncated.json.gz":              {"", "cannot be read"},
		"two-bundles.json":               {"", "another value follows the bundle"},
		"two-collections.json":           {collection + "2", "is a second collection" + oneRelease},
		"two-domains.json":               {techniqueSTIX + "3", "is of another domain than the techniques before it"},
		"two-of-one-id.json":             {techniqueSTIX + "7", "the object or T1001 appears twice" + oneRelease},
		"two-of-one-object.json":         {techniqueSTIX + "1", "the object or T1009 appears twice" + oneRelease},
		"unknown-tactic.json":            {techniqueSTIX + "3", `is in the tactic "flying", which the bundle does not have`},
	}
	files, err := os.ReadDir("testdata/bad")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(file.Name(), func(t *testing.T) {
			r, err := readFile(t, filepath.Join("bad", file.Name()), attack.WithRelease("enterprise-v18.1"))
			var bad *attack.BundleError
			if r != nil || !errors.Is(err, attack.ErrInvalidBundle) || !errors.As(err, &bad) {
				t.Fatalf("read %v, %v, want no release and a BundleError", r, err)
			}
			if got := [2]string{bad.Object, bad.Reason}; got != want[file.Name()] {
				t.Errorf("refused by %q, want %q", got, want[file.Name()])
			}
			truncated := strings.HasPrefix(file.Name(), "truncated") || file.Name() == "empty.json"
			if errors.Is(err, io.ErrUnexpectedEOF) != truncated {
				t.Errorf("refused by %v, io.ErrUnexpectedEOF expected: %t", err, truncated)
			}
		})
	}
	if len(files) != len(want) {
		t.Errorf("testdata has %d bad bundles, want %d", len(files), len(want))
	}
}

func TestReadNeedsARelease(t *testing.T) {
	_, err := readFile(t, "enterprise-stix20.json")
	const want = "unnamed ATT&CK release: the bundle has no x-mitre-collection; its domain is enterprise"
	if !errors.Is(err, attack.ErrNoRelease) || err.Error() != want {
		t.Errorf("without a release: %v, want %s", err, want)
	}
	if _, err := readFile(t, "enterprise-stix20.json", attack.WithRelease("18.1")); !errors.Is(err, attack.ErrUnknownRelease) {
		t.Errorf("with a malformed release: %v, want ErrUnknownRelease", err)
	}
	for _, c := range []struct{ file, release, want string }{
		{"enterprise-stix20.json", "mobile-v18.1", "invalid ATT&CK bundle: is of enterprise, not mobile-v18.1"},
		{"mobile-stix21.json", "mobile-v17.1", "invalid ATT&CK bundle: is of mobile-v18.1, not mobile-v17.1"},
	} {
		_, err := readFile(t, c.file, attack.WithRelease(c.release))
		if !errors.Is(err, attack.ErrInvalidBundle) || err.Error() != c.want {
			t.Errorf("%s as %s: %v, want %s", c.file, c.release, err, c.want)
		}
	}
}

// endless is the beginning of a bundle followed by the same text for ever.
type endless struct {
	start io.Reader
	again string
}

func (e *endless) Read(p []byte) (int, error) {
	if n, err := e.start.Read(p); err == nil {
		return n, nil
	}
	e.start = strings.NewReader(strings.Repeat(e.again, 1<<10))
	return e.start.Read(p)
}

func TestReadRefusesAnEndlessObject(t *testing.T) {
	start := strings.NewReader(`{"type": "bundle", "objects": [{"type": "x-note", "text": "`)
	_, err := attack.Read(&endless{start, "x"})
	if !errors.Is(err, attack.ErrInvalidBundle) || !strings.HasSuffix(err.Error(), "too large") {
		t.Errorf("an endless bundle: %v, want too large", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"testdata/*.json", "testdata/*.gz", "testdata/bad/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			bundle, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(bundle)
		}
	}
	f.Fuzz(func(t *testing.T, bundle []byte) {
		r, err := attack.Read(bytes.NewReader(bundle), attack.WithRelease("enterprise-v18.1"))
		if err != nil {
			if r != nil || !errors.Is(err, attack.ErrInvalidBundle) {
				t.Fatalf("read %v, %v, want no release and ErrInvalidBundle", r, err)
			}
			return
		}
		checkRelease(t, r)
		var c, again attack.Catalogue
		c.Add(r)
		compact, err := c.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := again.UnmarshalBinary(compact); err != nil {
			t.Fatal(err)
		}
		read, _ := again.Release(r.Name)
		if diff := cmp.Diff(contentOf(r), contentOf(read), cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}

// checkRelease checks that all ids which a release refers to are its own.
func checkRelease(tb testing.TB, r *attack.Release) {
	tb.Helper()
	for technique := range r.Techniques() {
		for _, id := range technique.Tactics {
			if _, ok := r.Tactic(id); !ok {
				tb.Errorf("%s: %s is in the unknown tactic %s", r.Name, technique.ID, id)
			}
		}
		if _, ok := r.Technique(technique.Successor); technique.Successor != "" && !ok {
			tb.Errorf("%s: %s has the unknown successor %s", r.Name, technique.ID, technique.Successor)
		}
	}
}
