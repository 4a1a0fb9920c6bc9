package matrix_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/internal/matrixtest"
	"github.com/decnet/ttpstore/matrix"
)

// outline writes a matrix as one line a technique, its sub-techniques in parentheses.
func outline(m matrix.Matrix) []string {
	var out []string
	for _, column := range m.Columns {
		out = append(out, column.Shortname)
		for _, t := range column.Techniques {
			line := " " + cell(t)
			for _, sub := range t.Subs {
				line += " (" + cell(sub) + ")"
			}
			out = append(out, line)
		}
	}
	return out
}

func cell(t matrix.Technique) string {
	if t.Cell == nil {
		return t.ID
	}
	return t.ID + "!"
}

func TestArrangePlacesCells(t *testing.T) {
	m, err := matrix.Arrange(matrixtest.Cells(), matrixtest.Release())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"execution", " T1059 (T1059.004)", " T1053!",
		"credential-access", " T1110 (T1110.001!) (T1110.003!)", " T1053!",
		"impact",
	}
	if diff := cmp.Diff(want, outline(m)); diff != "" {
		t.Error(diff)
	}
	all := matrixtest.Cells()
	wantUnplaced := []matrix.Unplaced{
		{all[6], "of another release"}, {all[5], "not under this tactic"}, {all[4], "deprecated"}, {all[7], "revoked by T1059.001"},
		{all[8], "unknown technique"},
	}
	if diff := cmp.Diff(wantUnplaced, m.Unplaced); diff != "" {
		t.Errorf("unplaced: %s", diff)
	}
	bruteForce := m.Columns[1].Techniques[0]
	wantTotal := matrix.Cell{Count: 121, FirstSeen: all[0].FirstSeen, LastSeen: all[1].LastSeen, ConfidenceMax: 0.7}
	if diff := cmp.Diff(wantTotal, bruteForce.Total()); diff != "" || !bruteForce.Seen() {
		t.Error(diff)
	}
	wantCoverage := matrix.Coverage{Techniques: 2, KnownTechniques: 2, Subs: 2, KnownSubs: 2}
	if got := m.Columns[1].Coverage(); got != wantCoverage {
		t.Errorf("got coverage %+v, want %+v", got, wantCoverage)
	}
}

func TestArrangeRefusesDuplicates(t *testing.T) {
	twice := []matrix.Cell{matrixtest.Cell("T1110", "TA0006", 1), matrixtest.Cell("T1110", "TA0006", 2)}
	if _, err := matrix.Arrange(twice, matrixtest.Release()); !errors.Is(err, matrix.ErrDuplicate) {
		t.Errorf("got %v, want ErrDuplicate", err)
	}
}

func TestByReleaseMakesOneMatrixEach(t *testing.T) {
	cells := matrixtest.Cells()[:3]
	cells[0].Release = "ics-v18.1"
	matrices, err := matrix.ByRelease(cells, matrixtest.Catalogue())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range matrices {
		names = append(names, m.Release.Name)
		if m.Unplaced != nil {
			t.Errorf("%s has unplaced cells: %v", m.Release.Name, m.Unplaced)
		}
	}
	if diff := cmp.Diff([]string{"enterprise-v18.1", "ics-v18.1"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestByReleaseRefusesUnknownReleases(t *testing.T) {
	_, err := matrix.ByRelease(matrixtest.Cells(), matrixtest.Catalogue()) // one is of enterprise-v17.1
	if !errors.Is(err, attack.ErrUnknownRelease) || !strings.Contains(err.Error(), "enterprise-v18.1, ics-v18.1") {
		t.Errorf("got %v, want ErrUnknownRelease with the catalogue's releases", err)
	}
}
