// Package strictjson reads JSON without changing it: what encoding/json would mend, fold or drop is refused.
package strictjson

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/internal/rfc3339"
)

// Object is a JSON object whose fields are taken one by one, by their exact names.
type Object struct {
	fields map[string]json.RawMessage // not taken yet
	refuse func(field, reason string)
}

// Read splits an object into its fields and reports whether the text is one. It calls refuse for what is wrong
// with a field, also when the field is taken later; an empty field stands for the whole text.
func Read(text []byte, refuse func(field, reason string)) (o Object, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') || !json.Valid(text) {
		return o, false
	}
	if !utf8.Valid(text) {
		refuse("", "must be valid UTF-8")
	}
	o = Object{map[string]json.RawMessage{}, refuse}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return o, false
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return o, false
		}
		name := token.(string)
		if _, twice := o.fields[name]; twice {
			refuse(name, "must not be given twice")
		}
		o.fields[name] = value
	}
	return o, true
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

// RefuseRest refuses the fields that were not taken, since their values would be lost.
func (o Object) RefuseRest() {
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		o.refuse(name, "is no field of this type")
	}
}

// decode returns what the value must be, "" after it was decoded.
func decode(raw json.RawMessage, to any) string {
	reason := "must be a string"
	switch to := to.(type) {
	case *json.RawMessage:
		*to = raw
		return ""
	case *string:
		if raw[0] == '"' && !isPaired(raw) {
			return "must not contain an unpaired surrogate"
		}
	case *uuid.UUID:
		reason = "must be a UUID"
		if len(raw) != len(`""`)+36 { // the package reads other spellings, too
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
