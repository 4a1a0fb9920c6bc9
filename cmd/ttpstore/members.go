package main

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// CSV and tab-separated rows have the members of the row's JSON, under the same names. The members of a nested object
// become separate cells, named after both; any other value that is not a string or number is JSON.

// member is a member of a row.
type member struct {
	name    string
	index   []int
	omitted bool // left out of JSON if zero
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// members returns the members of a struct type in order, with those of embedded structs.
func members(t reflect.Type) []member {
	var all []member
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" || !field.IsExported() && !field.Anonymous {
			continue
		}
		nested, ok := structType(field.Type)
		if !ok {
			all = append(all, member{name, []int{i}, strings.Contains(options, "omit")})
			continue
		}
		for _, m := range members(nested) {
			if name != "" {
				m.name = name + "_" + m.name
			}
			m.index = append([]int{i}, m.index...)
			all = append(all, m)
		}
	}
	return unshadowed(all)
}

// structType returns the struct type of t and whether its JSON is an object, unlike that of times and UUIDs.
func structType(t reflect.Type) (reflect.Type, bool) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t, t.Kind() == reflect.Struct && !t.Implements(jsonMarshaler) && !t.Implements(textMarshaler)
}

// unshadowed drops members of embedded structs that an outer one hides, as encoding/json does.
func unshadowed(all []member) []member {
	return slices.DeleteFunc(slices.Clone(all), func(m member) bool {
		return slices.ContainsFunc(all, func(o member) bool { return o.name == m.name && len(o.index) < len(m.index) })
	})
}

// headings returns the names of the cells of a row.
func headings[T any]() []string {
	var names []string
	for _, m := range members(reflect.TypeFor[T]()) {
		names = append(names, m.name)
	}
	return names
}

// cells returns the texts of a row's members.
func cells(row any) []string {
	v := reflect.ValueOf(row)
	var out []string
	for _, m := range members(v.Type()) {
		value, err := v.FieldByIndexErr(m.index)
		if err != nil || m.omitted && value.IsZero() { // FieldByIndexErr fails in a nil pointer
			out = append(out, "")
			continue
		}
		out = append(out, cell(value.Interface()))
	}
	return out
}

func cell(value any) string {
	if list, ok := value.([]string); ok {
		return strings.Join(list, ";")
	}
	var encoded bytes.Buffer
	if err := newEncoder(&encoded).Encode(value); err != nil {
		return ""
	}
	text := strings.TrimSuffix(encoded.String(), "\n")
	var unquoted string
	switch {
	case text == "null":
		return ""
	case json.Unmarshal([]byte(text), &unquoted) == nil:
		return unquoted
	}
	return text
}
