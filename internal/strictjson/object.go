// Package strictjson decodes JSON objects strictly: it refuses values that encoding/json would replace, coerce or drop.
package strictjson

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/internal/rfc3339"
)

// usualFields is at least the number of fields of most objects. A map that grows takes twice as long to fill.
const usualFields = 24

// Object is a JSON object whose fields are decoded one by one, by their exact names.
type Object struct {
	fields map[string]json.RawMessage // not decoded yet
	refuse func(field, reason string)
}

// Read splits an object into its fields, and reports whether the text is a JSON object. It calls refuse for each problem,
// also those that are found when a field is decoded later. The field is "" for a problem of the whole text, and two
// quotes for a field whose name is empty. The Object refers to the text.
func Read(text []byte, refuse func(field, reason string)) (o Object, ok bool) {
	if !json.Valid(text) {
		return o, false
	}
	text = bytes.TrimSpace(text)
	if text[0] != '{' {
		return o, false
	}
	if !utf8.Valid(text) {
		refuse("", "must be valid UTF-8")
	}
	o = Object{make(map[string]json.RawMessage, usualFields), refuse}
	for i := nextToken(text, 1); text[i] != '}'; i = nextToken(text, i) {
		end := endOfValue(text, i)
		name := text[i:end]
		i = nextToken(text, end)
		end = endOfValue(text, i)
		o.add(unquote(name), text[i:end])
		i = end
	}
	return o, true
}

func (o Object) add(name string, value json.RawMessage) {
	if _, twice := o.fields[name]; twice {
		o.refuse(cmp.Or(name, `""`), "must not be given twice")
	}
	o.fields[name] = value
}

// nextToken returns the index of the next token of valid JSON, except colons and commas.
func nextToken(text []byte, i int) int {
	for {
		switch text[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
		default:
			return i
		}
	}
}

// endOfValue returns the index after the valid JSON value at start.
func endOfValue(text []byte, start int) int {
	depth := 0
	for i := start; ; i++ {
		switch text[i] {
		case '"':
			if i, _ = skipString(text, i); depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // of a number or literal
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
}

// unquote returns the text of a valid JSON string.
func unquote(raw []byte) (text string) {
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw[1 : len(raw)-1])
	}
	_ = json.Unmarshal(raw, &text) // replaces invalid UTF-8, which Read refuses
	return text
}

// Take decodes an optional field and reports whether it was present; null is absent. The target is a pointer to a
// [json.RawMessage], [uuid.UUID], [time.Time], [netip.Addr], float64, int or string.
func (o Object) Take(name string, to any) bool {
	raw, ok := o.fields[name]
	delete(o.fields, name)
	if !ok || string(raw) == "null" {
		return false
	}
	if reason := decode(raw, to); reason != "" {
		o.refuse(name, reason)
	}
	return true
}

// Require is [Object.Take] for a field that must be present.
func (o Object) Require(name string, to any) {
	if !o.Take(name, to) {
		o.refuse(name, "must be set")
	}
}

// RefuseRest refuses the fields that were not decoded, since their values would be lost.
func (o Object) RefuseRest() {
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		o.refuse(cmp.Or(name, `""`), "is not a field of this type")
	}
}

// decode decodes a value, or returns why it cannot.
func decode(raw json.RawMessage, to any) string {
	reason := "must be a string"
	switch to := to.(type) {
	case *json.RawMessage:
		*to = bytes.Clone(raw)
		return ""
	case *string:
		switch {
		case raw[0] != '"':
			return reason
		case !isPaired(raw):
			return "must not contain an unpaired surrogate"
		}
		*to = unquote(raw)
		return ""
	case *uuid.UUID:
		reason = "must be a UUID"
		if len(raw) != len(`""`)+36 { // the package accepts other formats too
			return reason
		}
	case *time.Time:
		var err error
		if *to, err = rfc3339.Parse(string(bytes.Trim(raw, `"`))); err != nil || raw[0] != '"' {
			return "must be an RFC 3339 time"
		}
		return ""
	case *netip.Addr:
		reason = "must be an IP address"
	case *float64:
		reason = "must be a number"
	case *int:
		reason = "must be a whole number"
	}
	if json.Unmarshal(raw, to) != nil {
		return reason
	}
	return ""
}
