package navigator_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/decnet/ttpstore/internal/matrixtest"
	"github.com/decnet/ttpstore/matrix"
	"github.com/decnet/ttpstore/navigator"
)

var update = flag.Bool("update", false, "write the golden files")

// arranged returns the cells in the small release's matrix.
func arranged(t *testing.T, cells ...matrix.Cell) matrix.Matrix {
	t.Helper()
	m, err := matrix.Arrange(cells, matrixtest.Release())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// layer returns the layer of the cells, which must be valid.
func layer(t *testing.T, o navigator.Options, cells ...matrix.Cell) navigator.Layer {
	t.Helper()
	l, err := navigator.New(arranged(t, cells...), o)
	if err != nil {
		t.Fatal(err)
	}
	valid(t, l)
	return l
}

func valid(t *testing.T, l navigator.Layer) {
	t.Helper()
	if err := l.Validate(matrixtest.Release()); err != nil {
		t.Error(err)
	}
}

// golden compares a file of the layers with one in testdata.
func golden(t *testing.T, name string, layers ...navigator.Layer) {
	t.Helper()
	var b bytes.Buffer
	if err := navigator.Write(&b, layers...); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestLayerOfMatrix(t *testing.T) {
	golden(t, "fleet.json", layer(t, navigator.Options{
		Name: "fleet", Description: "All tags.", Metadata: []navigator.Metadata{{Name: "Scope", Value: "fleet"}},
	}, matrixtest.Cells()...))
}

func TestLayerDoesNotDependOnOrder(t *testing.T) {
	cells := matrixtest.Cells()
	want := layer(t, navigator.Options{}, cells...)
	for i := range cells {
		rotated := append(append([]matrix.Cell{}, cells[i:]...), cells[:i]...)
		if diff := cmp.Diff(want, layer(t, navigator.Options{}, rotated...)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestFileOfSeveralLayers(t *testing.T) {
	cells := matrixtest.Cells()[:3]
	cells[0].Release = "ics-v18.1"
	matrices, err := matrix.ByRelease(cells, matrixtest.Catalogue())
	if err != nil {
		t.Fatal(err)
	}
	var layers []navigator.Layer
	for _, m := range matrices {
		l, err := navigator.New(m, navigator.Options{Name: "fleet"})
		if err != nil {
			t.Fatal(err)
		}
		layers = append(layers, l)
	}
	var b bytes.Buffer
	if err := navigator.Write(&b, layers...); err != nil {
		t.Fatal(err)
	}
	if err := navigator.Validate(b.Bytes(), matrices[0].Release, matrices[1].Release); err != nil {
		t.Error(err)
	}
	want := []navigator.Problem{{
		Field: "[1].versions.attack", Reason: "must be, with the domain, one of enterprise-v18.1",
	}}
	wantProblems(t, navigator.Validate(b.Bytes(), matrices[0].Release), want)
	golden(t, "several.json", layers...)
}

func TestWriteRefusesNoLayer(t *testing.T) {
	if err := navigator.Write(&bytes.Buffer{}); err == nil {
		t.Error("a file without a layer was written")
	}
}

func TestScores(t *testing.T) {
	cell := matrixtest.Cell("T1110.001", "TA0006", 12)
	other := matrixtest.Cell("T1110.003", "TA0006", 3)
	other.ConfidenceMax = 0.333333
	for _, test := range []struct {
		score     navigator.Score
		want      [2]float64
		aggregate string
		highest   float64
		legend    string
	}{
		{"", [2]float64{12, 3}, "sum", 15, "15 tags"},
		{navigator.Count, [2]float64{12, 3}, "sum", 15, "15 tags"},
		{navigator.Sources, [2]float64{12, 3}, "max", 12, "12 sources"},
		{navigator.Attackers, [2]float64{2, 2}, "max", 2, "2 attackers"},
		{navigator.Identities, [2]float64{1, 1}, "max", 1, "1 identities"},
		{navigator.Confidence, [2]float64{70, 33.33}, "max", 100, "100 % confidence"},
	} {
		t.Run(string(test.score), func(t *testing.T) {
			l := layer(t, navigator.Options{Score: test.score}, cell, other)
			got := [2]float64{*l.Techniques[1].Score, *l.Techniques[2].Score}
			if got != test.want || l.Layout.AggregateFunction != test.aggregate || l.Gradient.MaxValue != test.highest {
				t.Errorf("got scores %v, aggregate %s, maximum %v", got, l.Layout.AggregateFunction, l.Gradient.MaxValue)
			}
			if legend := l.LegendItems[len(l.LegendItems)-1].Label; legend != test.legend {
				t.Errorf("got legend %q, want %q", legend, test.legend)
			}
		})
	}
}

func TestScoreNeedsWhatItCounts(t *testing.T) {
	cell := matrixtest.Cell("T1110", "TA0006", 1)
	cell.Distinct = nil
	if _, err := navigator.New(arranged(t, cell), navigator.Options{Score: navigator.Sources}); !errors.Is(err, navigator.ErrNotCounted) {
		t.Errorf("got %v, want ErrNotCounted", err)
	}
	if _, err := navigator.New(arranged(t, cell), navigator.Options{Score: "fame"}); !errors.Is(err, navigator.ErrUnknownScore) {
		t.Errorf("got %v, want ErrUnknownScore", err)
	}
}

func TestGradientOfEmptyAndOneScoreLayers(t *testing.T) {
	golden(t, "empty.json", layer(t, navigator.Options{Name: "nothing"}))
	one := layer(t, navigator.Options{}, matrixtest.Cell("T1110", "TA0006", 1))
	if one.Gradient.MinValue != 0 || one.Gradient.MaxValue != 1 {
		t.Errorf("got gradient %+v", one.Gradient)
	}
	uncertain := matrixtest.Cell("T1110", "TA0006", 1)
	uncertain.ConfidenceMax = 0
	layer(t, navigator.Options{Score: navigator.Confidence}, uncertain)
}

func TestDiff(t *testing.T) {
	here := arranged(t, matrixtest.Cell("T1110.001", "TA0006", 5), matrixtest.Cell("T1053", "TA0002", 2), matrixtest.Cell("T1064", "TA0002", 1))
	there := arranged(t, matrixtest.Cell("T1110.003", "TA0006", 1), matrixtest.Cell("T1053", "TA0002", 7))
	l, err := navigator.Diff(here, there, navigator.DiffOptions{
		Options: navigator.Options{Name: "fleet"}, Here: "this week", There: "last week",
	})
	if err != nil {
		t.Fatal(err)
	}
	valid(t, l)
	golden(t, "diff.json", l)
}

func TestDiffRefusesDifferentReleases(t *testing.T) {
	c := matrixtest.Catalogue()
	ics, _ := c.Release("ics-v18.1")
	there, err := matrix.Arrange(nil, ics)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := navigator.Diff(arranged(t), there, navigator.DiffOptions{}); !errors.Is(err, navigator.ErrReleasesDiffer) {
		t.Errorf("got %v, want ErrReleasesDiffer", err)
	}
}

func TestHostileTextStaysText(t *testing.T) {
	const text = `</script><script>alert("'1'")</script>`
	cell := matrixtest.Cell("T1110.001", "TA0006", 5)
	cell.Rules = []string{text}
	m, err := matrix.Arrange([]matrix.Cell{cell}, matrixtest.Hostile(text))
	if err != nil {
		t.Fatal(err)
	}
	l, err := navigator.New(m, navigator.Options{Name: text, Description: text, Metadata: []navigator.Metadata{{Name: text, Value: text}}})
	if err != nil {
		t.Fatal(err)
	}
	valid(t, l)
	if l.Techniques[1].Links != nil {
		t.Errorf("a URL that is none became a link: %v", l.Techniques[1].Links)
	}
	var b bytes.Buffer
	if err := navigator.Write(&b, l); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b.Bytes(), []byte("<script>")) {
		t.Error("the file has a script element")
	}
}
