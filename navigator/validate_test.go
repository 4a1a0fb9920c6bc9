package navigator_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/decnet/ttpstore/internal/matrixtest"
	"github.com/decnet/ttpstore/navigator"
)

func wantProblems(t *testing.T, err error, want []navigator.Problem) {
	t.Helper()
	var invalid *navigator.InvalidError
	if !errors.As(err, &invalid) || !errors.Is(err, navigator.ErrInvalidLayer) {
		t.Errorf("got %v, want an InvalidError", err)
		return
	}
	if diff := cmp.Diff(want, invalid.Problems); diff != "" {
		t.Error(diff)
	}
}

func TestValidateRefusesValues(t *testing.T) {
	number := func(n float64) *float64 { return &n }
	for _, test := range []struct {
		name   string
		change func(*navigator.Layer)
		want   navigator.Problem
	}{
		{"NoName", func(l *navigator.Layer) { l.Name = "" }, navigator.Problem{Field: "name", Reason: "must not be empty"}},
		{"LayerVersion", func(l *navigator.Layer) { l.Versions.Layer = "4.4" },
			navigator.Problem{Field: "versions.layer", Reason: "must be 4.5"}},
		{"NavigatorVersion", func(l *navigator.Layer) { l.Versions.Navigator = "4.8.2" },
			navigator.Problem{Field: "versions.navigator", Reason: "must be 4.9.0 or later"}},
		{"NavigatorVersionMissing", func(l *navigator.Layer) { l.Versions.Navigator = "" },
			navigator.Problem{Field: "versions.navigator", Reason: "must be 4.9.0 or later"}},
		{"OtherRelease", func(l *navigator.Layer) { l.Versions.Attack = "17" },
			navigator.Problem{Field: "versions.attack", Reason: "must be, with the domain, one of enterprise-v18.1"}},
		{"Sorting", func(l *navigator.Layer) { l.Sorting = 4 }, navigator.Problem{Field: "sorting", Reason: "must be from 0 to 3"}},
		{"Layout", func(l *navigator.Layer) { l.Layout.Layout = "round" },
			navigator.Problem{Field: "layout.layout", Reason: "must be side, flat, mini"}},
		{"Aggregate", func(l *navigator.Layer) { l.Layout.AggregateFunction = "median" },
			navigator.Problem{Field: "layout.aggregateFunction", Reason: "must be average, min, max, sum"}},
		{"Expanded", func(l *navigator.Layer) { l.Layout.ExpandedSubtechniques = "some" },
			navigator.Problem{Field: "layout.expandedSubtechniques", Reason: "must be none, annotated, all"}},
		{"OneColor", func(l *navigator.Layer) { l.Gradient.Colors = l.Gradient.Colors[:1] },
			navigator.Problem{Field: "gradient.colors", Reason: "must be two or more"}},
		{"NoColor", func(l *navigator.Layer) { l.Gradient.Colors = []string{"#ffffff", "reddish"} },
			navigator.Problem{Field: "gradient.colors[1]", Reason: `must be a hexadecimal color, such as "#e69f00"`}},
		{"EmptyGradient", func(l *navigator.Layer) { l.Gradient.MaxValue = l.Gradient.MinValue },
			navigator.Problem{Field: "gradient.maxValue", Reason: "must be greater than minValue"}},
		{"LegendLabel", func(l *navigator.Layer) { l.LegendItems[1].Label = "" },
			navigator.Problem{Field: "legendItems[1].label", Reason: "must not be empty"}},
		{"LegendColor", func(l *navigator.Layer) { l.LegendItems[0].Color = "" },
			navigator.Problem{Field: "legendItems[0].color", Reason: `must be a hexadecimal color, such as "#e69f00"`}},
		{"TacticRowBackground", func(l *navigator.Layer) { l.TacticRowBackground = "#12" },
			navigator.Problem{Field: "tacticRowBackground", Reason: `must be a hexadecimal color, such as "#e69f00"`}},
		{"MalformedTechnique", func(l *navigator.Layer) { l.Techniques[3].TechniqueID = "T1110.00" },
			navigator.Problem{Field: "techniques[3].techniqueID", Reason: `must be such as "T1110" or "T1110.001"`}},
		{"UnknownTechnique", func(l *navigator.Layer) { l.Techniques[4].TechniqueID = "T9999" },
			navigator.Problem{Field: "techniques[4].techniqueID", Reason: "must be an active technique of enterprise-v18.1"}},
		{"RevokedTechnique", func(l *navigator.Layer) { l.Techniques[1] = navigator.Technique{TechniqueID: "T1086"} },
			navigator.Problem{Field: "techniques[1].techniqueID", Reason: "must be an active technique of enterprise-v18.1"}},
		{"DeprecatedTechnique", func(l *navigator.Layer) {
			l.Techniques[1] = navigator.Technique{TechniqueID: "T1064", Tactic: "execution"}
		},
			navigator.Problem{Field: "techniques[1].techniqueID", Reason: "must be an active technique of enterprise-v18.1"}},
		{"TacticID", func(l *navigator.Layer) { l.Techniques[2].Tactic = "TA0006" }, navigator.Problem{
			Field: "techniques[2].tactic", Reason: `must be the shortname of a tactic of T1110 in enterprise-v18.1: ["credential-access"]`}},
		{"OtherTactic", func(l *navigator.Layer) { l.Techniques[4].Tactic = "execution" }, navigator.Problem{
			Field: "techniques[4].tactic", Reason: `must be the shortname of a tactic of T1110.003 in enterprise-v18.1: ["credential-access"]`}},
		{"Twice", func(l *navigator.Layer) { l.Techniques[4] = l.Techniques[3] }, navigator.Problem{
			Field:  "techniques[4].tactic",
			Reason: "must be annotated once: the Navigator keeps the last annotation of T1110.001 under credential-access"}},
		{"TwiceByEveryTactic", func(l *navigator.Layer) { l.Techniques[0].Tactic = "" }, navigator.Problem{
			Field:  "techniques[1].tactic",
			Reason: "must be annotated once: the Navigator keeps the last annotation of T1053 under execution"}},
		{"Order", func(l *navigator.Layer) { l.Techniques[3], l.Techniques[4] = l.Techniques[4], l.Techniques[3] }, navigator.Problem{
			Field: "techniques[4].techniqueID", Reason: "must come in the order of technique and tactic"}},
		{"ShowSubtechniques", func(l *navigator.Layer) { l.Techniques[0].ShowSubtechniques = true }, navigator.Problem{
			Field: "techniques[0].showSubtechniques", Reason: "must be on a technique that has sub-techniques"}},
		{"TechniqueColor", func(l *navigator.Layer) { l.Techniques[0].Color = "red;" }, navigator.Problem{
			Field: "techniques[0].color", Reason: `must be a hexadecimal color, such as "#e69f00"`}},
		{"Metadata", func(l *navigator.Layer) { l.Techniques[0].Metadata[0].Value = "" }, navigator.Problem{
			Field: "techniques[0].metadata[0]", Reason: "must be a name and a value that are not empty, or a divider"}},
		{"LayerMetadata", func(l *navigator.Layer) { l.Metadata[0].Divider = true }, navigator.Problem{
			Field: "metadata[0]", Reason: "must be a name and a value that are not empty, or a divider"}},
		{"LinkLabel", func(l *navigator.Layer) { l.Techniques[0].Links[0].Label = "" }, navigator.Problem{
			Field: "techniques[0].links[0]", Reason: "must be a label and a URL, or a divider"}},
		{"LinkWithoutProtocol", func(l *navigator.Layer) { l.Links = []navigator.Link{{Label: "MITRE", URL: "attack.mitre.org"}} },
			navigator.Problem{Field: "links[0].url", Reason: "must be an http or https URL"}},
		{"LinkToScript", func(l *navigator.Layer) { l.Links = []navigator.Link{{Label: "MITRE", URL: "javascript:alert(1)"}} },
			navigator.Problem{Field: "links[0].url", Reason: "must be an http or https URL"}},
		{"InfiniteScore", func(l *navigator.Layer) { l.Techniques[0].Score = number(math.Inf(1)) },
			navigator.Problem{Reason: "json: unsupported value: +Inf"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := layer(t, navigator.Options{Name: "fleet"}, matrixtest.Cells()...)
			test.change(&l)
			wantProblems(t, l.Validate(matrixtest.Release()), []navigator.Problem{test.want})
		})
	}
}

func TestValidateRefusesTypes(t *testing.T) {
	for _, test := range []struct {
		name, old, new string
		want           navigator.Problem
	}{
		{"ScoreOfText", `"score":120`, `"score":"120"`,
			navigator.Problem{Field: "techniques.score", Reason: "must be a JSON number, not string"}},
		{"ScoreOutOfRange", `"score":120`, `"score":1e999`,
			navigator.Problem{Field: "techniques.score", Reason: "must be a JSON number, not number 1e999"}},
		{"ScoreOfNull", `"score":120`, `"score":null`,
			navigator.Problem{Reason: "must not hold null: leave the property out"}},
		{"AttackOfNumber", `"attack":"18.1"`, `"attack":18`,
			navigator.Problem{Field: "versions.attack", Reason: "must be a JSON string, not number"}},
		{"ExpandedByText", `"showSubtechniques":true`, `"showSubtechniques":"yes"`,
			navigator.Problem{Field: "techniques.showSubtechniques", Reason: "must be a JSON boolean, not string"}},
		{"NoList", `[`, `7`, navigator.Problem{Reason: "invalid character '{' after object key:value pair"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			file, err := json.Marshal(layer(t, navigator.Options{}, matrixtest.Cells()...))
			if err != nil {
				t.Fatal(err)
			}
			changed := strings.Replace(string(file), test.old, test.new, 1)
			if changed == string(file) {
				t.Fatalf("the layer has no %s", test.old)
			}
			wantProblems(t, navigator.Validate([]byte(changed), matrixtest.Release()), []navigator.Problem{test.want})
		})
	}
	wantProblems(t, navigator.Validate([]byte("[]"), matrixtest.Release()),
		[]navigator.Problem{{Reason: "must hold at least one layer"}})
	wantProblems(t, navigator.Validate([]byte(`{"name":"x","domain":"enterprise-attack","versions":{"attack":"latest","navigator":"5.1.0","layer":"4.5"}}`),
		matrixtest.Release()), []navigator.Problem{
		{Field: "versions.attack", Reason: "must hold a number"},
		{Field: "versions.attack", Reason: "must be, with the domain, one of enterprise-v18.1"},
	})
	wantProblems(t, navigator.Validate([]byte(`{"name":"x","domain":"mitre-enterprise"}`), matrixtest.Release()), []navigator.Problem{
		{Field: "domain", Reason: "must be enterprise-attack, mobile-attack, ics-attack"},
		{Field: "versions.attack", Reason: "must be, with the domain, one of enterprise-v18.1"},
	})
}

func TestValidateAcceptsWhatTheFormatAllows(t *testing.T) {
	file := `{"name":"x","domain":"enterprise-attack","filters":{"platforms":["Linux"]},"techniques":[
		{"techniqueID":"T1053","score":0,"color":"","enabled":false},
		{"techniqueID":"T1110","tactic":"credential-access","color":"#ff000080","showSubtechniques":true,
		 "metadata":[{"divider":true}],"links":[{"label":"a","url":"https://example.com"},{"divider":true}]}]}`
	if err := navigator.Validate([]byte(file), matrixtest.Release()); err != nil {
		t.Error(err)
	}
}

// FuzzValidate checks that a valid file is still valid once it was read and written, and that the error of any other
// file says what is wrong.
func FuzzValidate(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		file, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
	for _, file := range []string{"", "null", "{}", "[]", "[{}]", `{"name":null}`, `{"techniques":[{"score":"1"}]}`, "{} {}"} {
		f.Add([]byte(file))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if err := navigator.Validate(file, matrixtest.Release()); err != nil {
			var invalid *navigator.InvalidError
			if !errors.As(err, &invalid) || len(invalid.Problems) == 0 {
				t.Fatalf("got %v, want an InvalidError", err)
			}
			for _, p := range invalid.Problems {
				if p.Reason == "" {
					t.Errorf("%q has no reason", p.Field)
				}
			}
			return
		}
		layers := make([]navigator.Layer, 1)
		if json.Unmarshal(file, &layers[0]) != nil {
			if err := json.Unmarshal(file, &layers); err != nil {
				t.Fatal(err)
			}
		}
		var written bytes.Buffer
		if err := navigator.Write(&written, layers...); err != nil {
			t.Fatal(err)
		}
		if err := navigator.Validate(written.Bytes(), matrixtest.Release()); err != nil {
			t.Errorf("%s is written as %s: %v", file, &written, err)
		}
	})
}
