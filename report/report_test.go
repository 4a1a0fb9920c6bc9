package report_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/internal/matrixtest"
	"github.com/decnet/ttpstore/matrix"
	"github.com/decnet/ttpstore/report"
)

var update = flag.Bool("update", false, "write the golden files")

var march = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// page returns a page with all parts and the text in each text field.
func page(t *testing.T, r *attack.Release, text string) report.Page {
	t.Helper()
	cells := matrixtest.Cells()
	cells[0].Rules = []string{text, "R1002"}
	m, err := matrix.Arrange(cells, r)
	if err != nil {
		t.Fatal(err)
	}
	return report.Page{
		Subject: text, Filters: []report.Filter{{Name: text, Value: text}},
		Since: march, Until: march.AddDate(0, 0, 7), Made: march.AddDate(0, 0, 8), Matrices: []matrix.Matrix{m},
		Timeline: report.Timeline{Start: march, Bucket: 24 * time.Hour, Counts: []int64{1000, 0, 1, 250}},
		Actors: []report.Actor{
			{Kind: "session", ID: text, Name: text, Count: 1234, FirstSeen: march, LastSeen: march.AddDate(0, 0, 2)},
			{Kind: "attacker", ID: "7f223160-4c7d-5b0f-a01f-ae36646d3370", Count: 1, FirstSeen: march, LastSeen: march},
		},
		Before: &report.Before{Since: march.AddDate(0, 0, -7), Until: march, Cells: cells[1:6]},
	}
}

func write(t *testing.T, p report.Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestReport(t *testing.T) {
	golden(t, "fleet.html", write(t, page(t, matrixtest.Release(), "fleet")))
	golden(t, "empty.html", write(t, report.Page{Subject: "fleet"}))
}

// Attackers may write any text, and so may the author of a loaded bundle.
func TestHostileTextStaysText(t *testing.T) {
	for _, text := range []string{
		`</style></title><script>alert('1')</script>`, `" onfocus="alert(1)" autofocus="`, `' onfocus='alert(1)`, `javascript:alert(1)`,
	} {
		html := write(t, page(t, matrixtest.Hostile(text), text))
		for _, bad := range []string{"<script", `" onfocus`, `' onfocus`, `href="javascript:`} {
			if strings.Contains(html, bad) {
				t.Errorf("%q became %q", text, bad)
			}
		}
	}
}

func TestReportCarriesLicence(t *testing.T) {
	html := write(t, report.Page{Subject: "fleet"})
	for _, want := range []string{"© 2025 The MITRE Corporation", "hereby grants you a non-exclusive, royalty-free license"} {
		if !strings.Contains(html, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
}
