package stix_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/internal/matrixtest"
	"github.com/decnet/ttpstore/matrix"
	"github.com/decnet/ttpstore/stix"
)

var update = flag.Bool("update", false, "write the golden files")

// export returns the bundle of the cells, which must be valid.
func export(t *testing.T, o stix.Options, cells ...matrix.Cell) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := stix.Write(&b, cells, matrixtest.Catalogue(), o); err != nil {
		t.Fatal(err)
	}
	valid(t, b.Bytes())
	return b.Bytes()
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

type object = map[string]any

func objects(t *testing.T, file []byte) []object {
	t.Helper()
	var bundle struct {
		Type, ID string
		Objects  []object
	}
	if err := json.Unmarshal(file, &bundle); err != nil {
		t.Fatal(err)
	}
	if bundle.Type != "bundle" || !strings.HasPrefix(bundle.ID, "bundle--") {
		t.Errorf("got type %q and id %q", bundle.Type, bundle.ID)
	}
	return bundle.Objects
}

// required are the properties that STIX 2.1 requires of each kind of object, beside type, spec_version and id.
var required = map[string][]string{
	"marking-definition": {"created", "definition_type", "definition"},
	"identity":           {"created", "modified", "name"},
	"ipv4-addr":          {"value"},
	"ipv6-addr":          {"value"},
	"observed-data":      {"created", "modified", "first_observed", "last_observed", "number_observed", "object_refs"},
	"sighting":           {"created", "modified", "sighting_of_ref"},
}

var (
	idPattern        = regexp.MustCompile(`^([a-z0-9-]+)--[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	timestampPattern = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,}Z$`)
)

// valid checks a bundle against the rules of STIX 2.1 for the objects that it may hold.
func valid(t *testing.T, file []byte) {
	t.Helper()
	all := objects(t, file)
	ids := map[string]bool{}
	for _, o := range all {
		ids[o["id"].(string)] = true
	}
	if len(all) == 0 || len(ids) != len(all) {
		t.Errorf("%d objects have %d ids", len(all), len(ids))
	}
	for _, o := range all {
		kind := o["type"].(string)
		properties, ok := required[kind]
		if !ok {
			t.Errorf("the bundle holds an object of type %s", kind)
		}
		for _, name := range append([]string{"type", "spec_version", "id"}, properties...) {
			if o[name] == nil {
				t.Errorf("%s lacks %s", o["id"], name)
			}
		}
		if o["spec_version"] != "2.1" || !strings.HasPrefix(o["id"].(string), kind+"--") {
			t.Errorf("%s %s is of version %v", kind, o["id"], o["spec_version"])
		}
		for name, value := range o {
			property(t, ids, name, value)
		}
		inOrder(t, o, "created", "modified")
		inOrder(t, o, "first_seen", "last_seen")
		inOrder(t, o, "first_observed", "last_observed")
	}
}

func inOrder(t *testing.T, o object, first, last string) {
	t.Helper()
	if o[last] != nil && o[last].(string) < o[first].(string) {
		t.Errorf("%s: %s is before %s", o["id"], last, first)
	}
}

func property(t *testing.T, ids map[string]bool, name string, value any) {
	t.Helper()
	switch name {
	case "created", "modified", "first_seen", "last_seen", "first_observed", "last_observed":
		if !timestampPattern.MatchString(value.(string)) {
			t.Errorf("%s is %v", name, value)
		}
	case "confidence":
		if n := value.(float64); n < 0 || n > 100 {
			t.Errorf("confidence is %v", n)
		}
	case "count", "number_observed":
		if n := value.(float64); n < 1 || n > 999_999_999 {
			t.Errorf("%s is %v", name, n)
		}
	case "sighting_of_ref":
		if id := value.(string); !idPattern.MatchString(id) || !strings.HasPrefix(id, "attack-pattern--") {
			t.Errorf("sighting_of_ref is %v", value)
		}
	case "id", "created_by_ref":
		value = []any{value}
		fallthrough
	case "where_sighted_refs", "observed_data_refs", "object_refs", "object_marking_refs":
		for _, id := range value.([]any) {
			if !idPattern.MatchString(id.(string)) || !ids[id.(string)] {
				t.Errorf("%s refers to %v, which is not in the bundle", name, id)
			}
		}
	}
}

var addresses = []netip.Addr{
	netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("::ffff:192.0.2.1"),
}

func TestBundle(t *testing.T) {
	golden(t, "fleet.json", export(t, stix.Options{Subject: "fleet"}, matrixtest.Cells()...))
	golden(t, "attacker.json", export(t, stix.Options{
		Subject: "attacker 7f223160-4c7d-5b0f-a01f-ae36646d3370", Sensor: "decoy network", Addresses: addresses,
	}, matrixtest.Cells()[:2]...))
	golden(t, "empty.json", export(t, stix.Options{Subject: "fleet", Addresses: addresses}))
}

func TestBundleDoesNotDependOnOrder(t *testing.T) {
	cells := matrixtest.Cells()
	want := export(t, stix.Options{Subject: "fleet", Addresses: addresses}, cells...)
	slices.Reverse(cells)
	reversed := slices.Clone(addresses)
	slices.Reverse(reversed)
	if diff := cmp.Diff(string(want), string(export(t, stix.Options{Subject: "fleet", Addresses: reversed}, cells...))); diff != "" {
		t.Error(diff)
	}
}

// sightings returns the sightings by their id.
func sightings(t *testing.T, file []byte) map[string]object {
	t.Helper()
	out := map[string]object{}
	for _, o := range objects(t, file) {
		if o["type"] == "sighting" {
			out[o["id"].(string)] = o
		}
	}
	return out
}

func TestMoreTagsUpdateTheSighting(t *testing.T) {
	cell := matrixtest.Cell("T1110.001", "TA0006", 5)
	before := sightings(t, export(t, stix.Options{Subject: "fleet"}, cell))
	cell.Count, cell.LastSeen = 6, cell.LastSeen.AddDate(0, 0, 1)
	after := sightings(t, export(t, stix.Options{Subject: "fleet"}, cell))
	for id, old := range before {
		updated := after[id]
		if updated == nil || updated["created"] != old["created"] || updated["modified"].(string) <= old["modified"].(string) {
			t.Errorf("%v does not replace %v", updated, old)
		}
	}
	for _, other := range []stix.Options{{Subject: "fleet, rule R1001"}, {Subject: "fleet", Sensor: "another"}} {
		for id := range sightings(t, export(t, other, cell)) {
			if before[id] != nil {
				t.Errorf("the sighting %s is also of %+v", id, other)
			}
		}
	}
}

func TestCountsAreCapped(t *testing.T) {
	cell := matrixtest.Cell("T1110", "TA0006", 5_000_000_000)
	export(t, stix.Options{Subject: "fleet", Addresses: addresses}, cell) // valid checks the range
}

func TestCellsWithoutOfficialObjectAreReturned(t *testing.T) {
	known := matrixtest.Cell("T1086", "TA0002", 1) // revoked techniques keep their objects
	older := matrixtest.Cell("T1110", "TA0006", 1)
	older.Release = "enterprise-v17.1"
	unknown := matrixtest.Cell("T9999", "TA0002", 1)
	mobile := matrixtest.Cell("T1110", "TA0006", 1)
	mobile.Release = "mobile-v18.1"
	var b bytes.Buffer
	left, err := stix.Write(&b, []matrix.Cell{known, older, unknown, mobile}, matrixtest.Catalogue(), stix.Options{Subject: "fleet"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]matrix.Cell{unknown, mobile}, left); diff != "" {
		t.Error(diff)
	}
	var descriptions []string
	for _, s := range sightings(t, b.Bytes()) {
		descriptions = append(descriptions, s["description"].(string))
	}
	slices.Sort(descriptions)
	want := []string{
		"T1086 PowerShell, tactic TA0002 Execution, enterprise-v18.1",
		"T1110 Brute Force, tactic TA0006 Credential Access, enterprise-v17.1 (names of enterprise-v18.1)",
	}
	if diff := cmp.Diff(want, descriptions); diff != "" {
		t.Error(diff)
	}
}

func TestWriteRefuses(t *testing.T) {
	cell := matrixtest.Cell("T1110", "TA0006", 1)
	for _, test := range []struct {
		name    string
		subject string
		cells   []matrix.Cell
		want    error
	}{
		{"NoSubject", "", nil, stix.ErrNoSubject},
		{"Duplicate", "fleet", []matrix.Cell{cell, cell}, matrix.ErrDuplicate},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b bytes.Buffer
			_, err := stix.Write(&b, test.cells, &attack.Catalogue{}, stix.Options{Subject: test.subject})
			if !errors.Is(err, test.want) || b.Len() > 0 {
				t.Errorf("got %v and %d bytes, want %v", err, b.Len(), test.want)
			}
		})
	}
}

func TestHostileTextStaysText(t *testing.T) {
	const text = `</script><script>alert("'1'")</script>`
	c := &attack.Catalogue{}
	c.Add(matrixtest.Hostile(text))
	var b bytes.Buffer
	if _, err := stix.Write(&b, matrixtest.Cells(), c, stix.Options{Subject: text, Sensor: text}); err != nil {
		t.Fatal(err)
	}
	valid(t, b.Bytes())
	if bytes.Contains(b.Bytes(), []byte("<script>")) {
		t.Error("the file has a script element")
	}
}
