package navigator_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/attack/builtin"
	"github.com/decnet/ttpstore/matrix"
	"github.com/decnet/ttpstore/navigator"
)

// Every pair that an official release shows has a valid entry, and no pair is left out.
func TestLayersOfOfficialReleases(t *testing.T) {
	c := builtin.Catalogue()
	for _, name := range c.Releases() {
		release, _ := c.Release(name)
		var cells []matrix.Cell
		for technique := range release.Techniques() {
			if !technique.Active() {
				continue
			}
			for _, tactic := range technique.Tactics {
				cells = append(cells, matrix.Cell{Release: name, Pair: attack.Pair{Technique: technique.ID, Tactic: tactic}, Count: 1})
			}
		}
		l, _ := official(t, cells, release)
		if len(l.Techniques) != len(cells) {
			t.Errorf("%s: %d entries of %d cells", name, len(l.Techniques), len(cells))
		}
	}
}

// official returns the layer of cells, which must be valid, and the cells without a place.
func official(t *testing.T, cells []matrix.Cell, release *attack.Release) (navigator.Layer, []matrix.Unplaced) {
	t.Helper()
	m, err := matrix.Arrange(cells, release)
	if err != nil {
		t.Fatal(err)
	}
	l, err := navigator.New(m, navigator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Validate(release); err != nil {
		t.Errorf("%s: %v", release.Name, err)
	}
	return l, m.Unplaced
}

// As of an older release a technique may have no place: T1496.001 came with release 16.
func TestLayersOfHoneypotAsOfReleases(t *testing.T) {
	for _, test := range []struct{ path, withoutIn15 string }{
		{"../examples/honeypot.jsonl", "T1496.001, TA0040, enterprise-v18.1: 5 (of another release)"},
		{"../../shared/data/cowrie-2018-tags.jsonl.gz", ""},
	} {
		t.Run(test.path, func(t *testing.T) {
			tags := readTags(t, test.path)
			for _, name := range []string{"enterprise-v15.1", "enterprise-v17.1", "enterprise-v18.1"} {
				release, _ := builtin.Catalogue().Release(name)
				l, unplaced := official(t, cellsAsOf(t, tags, name), release)
				var total float64
				for _, entry := range l.Techniques {
					if entry.Score != nil {
						total += *entry.Score
					}
				}
				for _, c := range unplaced {
					total += float64(c.Count)
				}
				if int(total) != len(tags) {
					t.Errorf("%s: the layer has %v of %d tags", name, total, len(tags))
				}
				want := ""
				if name == "enterprise-v15.1" {
					want = test.withoutIn15
				}
				if got := without(l); got != want {
					t.Errorf("%s: the layer leaves out %q, want %q", name, got, want)
				}
			}
		})
	}
}

// without returns the cells that the layer lists as not in the matrix.
func without(l navigator.Layer) string {
	var out []string
	for _, m := range l.Metadata {
		if m.Name == "Not in the matrix" {
			out = append(out, m.Value)
		}
	}
	return strings.Join(out, "; ")
}

type tag struct {
	Type           string    `json:"type"`
	TechniqueID    string    `json:"technique_id"`
	SubTechniqueID string    `json:"sub_technique_id"`
	Tactic         string    `json:"tactic"`
	AttackRelease  string    `json:"attack_release"`
	Confidence     float64   `json:"confidence"`
	ObservedAt     time.Time `json:"observed_at"`
}

// readTags reads the tags of a record file. It skips the test if the file is absent.
func readTags(t *testing.T, path string) []tag {
	t.Helper()
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		t.Skipf("%s is missing: put the honeypot records there to run this test", path)
	} else if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	var tags []tag
	for lines := bufio.NewScanner(r); lines.Scan(); {
		var one tag
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			t.Fatal(err)
		}
		if one.Type == "tag" {
			tags = append(tags, one)
		}
	}
	if len(tags) == 0 {
		t.Fatalf("%s has no tags", path)
	}
	return tags
}

type place struct {
	release string
	attack.Pair
}

// cellsAsOf sums up the tags by their places in a release. Those that have none keep their release and ids.
func cellsAsOf(t *testing.T, tags []tag, release string) []matrix.Cell {
	t.Helper()
	remaps, cells := map[string]*attack.Remapping{}, map[place]*matrix.Cell{}
	for _, one := range tags {
		remap := remaps[one.AttackRelease]
		if remap == nil {
			var err error
			if remap, err = builtin.Catalogue().Remap(one.AttackRelease, release); err != nil {
				t.Fatal(err)
			}
			remaps[one.AttackRelease] = remap
		}
		id := one.TechniqueID
		if one.SubTechniqueID != "" {
			id = one.SubTechniqueID
		}
		at := place{one.AttackRelease, attack.Pair{Technique: id, Tactic: one.Tactic}}
		if to := remap.Map(at.Pair); to.Verdict.Placed() {
			at = place{release, to.To}
		}
		if cells[at] == nil {
			cells[at] = &matrix.Cell{Release: at.release, Pair: at.Pair}
		}
		cells[at].Add(matrix.Cell{Count: 1, FirstSeen: one.ObservedAt, LastSeen: one.ObservedAt, ConfidenceMax: one.Confidence})
	}
	var out []matrix.Cell
	for _, c := range cells {
		out = append(out, *c)
	}
	return out
}
