package navigator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/decnet/ttpstore/attack"
)

// ErrInvalidLayer means that the Navigator would refuse a layer, or not show a part of it; the error is an
// [*InvalidError].
var ErrInvalidLayer = errors.New("invalid Navigator layer")

// InvalidError lists the problems of the layers in a file.
type InvalidError struct{ Problems []Problem }

// Problem is one invalid field of a layer.
type Problem struct {
	Field  string // such as "techniques[3].score", of a file of several layers "[1].techniques[3].score"
	Reason string // what the field must be
}

// Error names the first problems; Problems holds them all.
func (e *InvalidError) Error() string {
	const shown = 5
	var b strings.Builder
	b.WriteString(ErrInvalidLayer.Error())
	separator := ": "
	for i, p := range e.Problems {
		if i == shown {
			fmt.Fprintf(&b, "; and %d more", len(e.Problems)-shown)
			break
		}
		b.WriteString(separator + strings.TrimPrefix(p.Field+" "+p.Reason, " "))
		separator = "; "
	}
	return b.String()
}

// Unwrap returns [ErrInvalidLayer].
func (e *InvalidError) Unwrap() error { return ErrInvalidLayer }

// Validate checks a file of one layer or of a list of layers against format 4.5 and the releases of the layers: a
// layer's domain and version select its release. Every technique must be where that release's matrix shows it, once,
// in the order of [New]. Colors must be hexadecimal and links go to http or https. Unknown properties are ignored, as
// the Navigator does.
func Validate(file []byte, releases ...*attack.Release) error {
	layers, problems := parse(file)
	for i := range layers {
		c := checker{releases: releases}
		if len(layers) > 1 {
			c.prefix = fmt.Sprintf("[%d].", i)
		}
		c.layer(&layers[i])
		problems = append(problems, c.problems...)
	}
	if len(problems) > 0 {
		return &InvalidError{problems}
	}
	return nil
}

// Validate checks a file of this layer. See the function [Validate].
func (l Layer) Validate(releases ...*attack.Release) error {
	file, err := json.Marshal(l)
	if err != nil {
		return &InvalidError{[]Problem{{Reason: err.Error()}}}
	}
	return Validate(file, releases...)
}

// parse decodes a file and returns the problems of its types.
func parse(file []byte) ([]Layer, []Problem) {
	layers := make([]Layer, 1)
	var target any = &layers[0]
	if bytes.HasPrefix(bytes.TrimSpace(file), []byte("[")) {
		target = &layers
	}
	err := json.Unmarshal(file, target)
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mistyped):
		return nil, []Problem{{mistyped.Field, "must be a JSON " + jsonType(mistyped) + ", not " + mistyped.Value}}
	case err != nil:
		return nil, []Problem{{Reason: err.Error()}}
	case len(layers) == 0:
		return nil, []Problem{{Reason: "must hold at least one layer"}}
	case hasNull(file):
		return nil, []Problem{{Reason: "must not hold null: leave the property out"}}
	}
	return layers, nil
}

func jsonType(e *json.UnmarshalTypeError) string {
	switch kind := e.Type.Kind().String(); kind {
	case "float64", "int":
		return "number"
	case "bool":
		return "boolean"
	case "slice":
		return "array"
	case "struct":
		return "object"
	default:
		return kind
	}
}

// hasNull reports whether a valid file has a null.
func hasNull(file []byte) bool {
	for d := json.NewDecoder(bytes.NewReader(file)); ; {
		switch token, err := d.Token(); {
		case err != nil:
			return false
		case token == nil:
			return true
		}
	}
}

// checker collects the problems of one layer.
type checker struct {
	releases []*attack.Release
	prefix   string
	problems []Problem
}

func (c *checker) refuse(field, reason string) {
	c.problems = append(c.problems, Problem{c.prefix + field, reason})
}

func (c *checker) layer(l *Layer) {
	if l.Name == "" {
		c.refuse("name", "must not be empty")
	}
	c.oneOf("domain", l.Domain, "enterprise-attack", "mobile-attack", "ics-attack")
	c.versions(l.Versions)
	if l.Sorting < 0 || l.Sorting > 3 {
		c.refuse("sorting", "must be from 0 to 3")
	}
	if l.Layout != nil {
		c.oneOf("layout.layout", l.Layout.Layout, "", "side", "flat", "mini")
		c.oneOf("layout.aggregateFunction", l.Layout.AggregateFunction, "", "average", "min", "max", "sum")
		c.oneOf("layout.expandedSubtechniques", l.Layout.ExpandedSubtechniques, "", "none", "annotated", "all")
	}
	c.gradient(l.Gradient)
	for i, item := range l.LegendItems {
		field := fmt.Sprintf("legendItems[%d].", i)
		if item.Label == "" {
			c.refuse(field+"label", "must not be empty")
		}
		c.color(field+"color", item.Color)
	}
	if l.TacticRowBackground != "" {
		c.color("tacticRowBackground", l.TacticRowBackground)
	}
	c.metadata("", l.Metadata)
	c.links("", l.Links)
	if release := c.release(l); release != nil {
		c.techniques(l.Techniques, release)
	}
}

func (c *checker) oneOf(field, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		c.refuse(field, "must be "+strings.Join(slices.DeleteFunc(allowed, func(s string) bool { return s == "" }), ", "))
	}
}

var firstNumber = regexp.MustCompile(`\d+`)

func (c *checker) versions(v *Versions) {
	if v == nil {
		return
	}
	if v.Layer != layerVersion {
		c.refuse("versions.layer", "must be "+layerVersion)
	}
	if v.Attack != "" && !firstNumber.MatchString(v.Attack) {
		c.refuse("versions.attack", "must hold a number")
	}
	var parts [3]int
	for i, part := range strings.SplitN(v.Navigator, ".", 3) {
		n, err := strconv.Atoi(part)
		if err != nil {
			n = -1
		}
		parts[i] = n
	}
	if slices.Contains(parts[:], -1) || slices.Compare(parts[:], []int{4, 9, 0}) < 0 {
		c.refuse("versions.navigator", "must be 4.9.0 or later")
	}
}

// release returns the release of the layer's domain and version. The version may be absent or only the first number.
func (c *checker) release(l *Layer) *attack.Release {
	var known []string
	for _, r := range c.releases {
		known = append(known, r.Name)
		if r.Domain+"-attack" != l.Domain {
			continue
		}
		if l.Versions == nil || l.Versions.Attack == "" || l.Versions.Attack == r.Version {
			return r
		}
		major, _, _ := strings.Cut(r.Version, ".")
		if l.Versions.Attack == major {
			return r
		}
	}
	c.refuse("versions.attack", "must be, with the domain, one of "+strings.Join(known, ", "))
	return nil
}

func (c *checker) gradient(g *Gradient) {
	if g == nil {
		return
	}
	if len(g.Colors) < 2 {
		c.refuse("gradient.colors", "must be two or more")
	}
	for i, color := range g.Colors {
		c.color(fmt.Sprintf("gradient.colors[%d]", i), color)
	}
	if g.MinValue >= g.MaxValue {
		c.refuse("gradient.maxValue", "must be greater than minValue")
	}
}

var hexColor = regexp.MustCompile(`^#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})$`)

func (c *checker) color(field, color string) {
	if !hexColor.MatchString(color) {
		c.refuse(field, `must be a hexadecimal color, such as "#e69f00"`)
	}
}
