package strictjson

import (
	"bytes"
	"encoding/json"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// read decodes an object by take and returns its problems.
func read(text string, take func(Object)) (refused []string, ok bool) {
	o, ok := Read([]byte(text), func(field, reason string) { refused = append(refused, field+": "+reason) })
	if ok {
		take(o)
		o.RefuseRest()
	}
	return refused, ok
}

func TestValidValuesAreDecoded(t *testing.T) {
	var got struct {
		text     string
		id       uuid.UUID
		at       time.Time
		ip       netip.Addr
		x        float64
		n        int
		raw      json.RawMessage
		absent   string
		isNull   string
		returned []bool
	}
	refused, ok := read(` {"text":"\ud83d\ude00","id":"05205c50-66b3-53b4-af13-06b4501c4815","at":"2026-03-15T17:06:27Z","ip":"2001:db8::1",`+
		`"x":0.5,"n":-3,"raw":{ "a":[ ] },"null":null} `, func(o Object) {
		o.Require("text", &got.text)
		o.Require("id", &got.id)
		o.Require("at", &got.at)
		o.Require("ip", &got.ip)
		o.Require("x", &got.x)
		o.Require("n", &got.n)
		o.Require("raw", &got.raw)
		got.returned = []bool{o.Take("absent", &got.absent), o.Take("null", &got.isNull), o.Take("x", &got.x)}
	})
	if !ok || refused != nil {
		t.Errorf("got %v, %q", ok, refused)
	}
	if got.text != "😀" || got.id != uuid.MustParse("05205c50-66b3-53b4-af13-06b4501c4815") || got.x != 0.5 || got.n != -3 ||
		!got.at.Equal(time.Date(2026, 3, 15, 17, 6, 27, 0, time.UTC)) || got.ip != netip.MustParseAddr("2001:db8::1") ||
		string(got.raw) != `{ "a":[ ] }` || !slices.Equal(got.returned, []bool{false, false, false}) {
		t.Errorf("got %+v", got)
	}
}

func TestOtherValuesAreRefused(t *testing.T) {
	for _, c := range []struct {
		value string
		to    any
		want  string
	}{
		{`1`, new(string), "must be a string"},
		{`"\ud83d"`, new(string), "must not contain an unpaired surrogate"},
		{`"05205c5066b353b4af1306b4501c4815"`, new(uuid.UUID), "must be a UUID"},
		{`"{5205c50-66b3-53b4-af13-06b4501c481}"`, new(uuid.UUID), "must be a UUID"},
		{`"2026-03-15T0:00:00Z"`, new(time.Time), "must be an RFC 3339 time"},
		{`"2026-03-15T00:00:00,5Z"`, new(time.Time), "must be an RFC 3339 time"},
		{`"2026-03-15T00:00:00+24:00"`, new(time.Time), "must be an RFC 3339 time"},
		{`"2026-03-15T00:00:00Z\""`, new(time.Time), "must be an RFC 3339 time"},
		{`20260315`, new(time.Time), "must be an RFC 3339 time"},
		{`"192.0.2"`, new(netip.Addr), "must be an IP address"},
		{`"0.5"`, new(float64), "must be a number"},
		{`1e999`, new(float64), "must be a number"},
		{`2.5`, new(int), "must be a whole number"},
		{`null`, new(int), "must be set"},
	} {
		refused, ok := read(`{"f":`+c.value+`}`, func(o Object) { o.Require("f", c.to) })
		if !ok || !slices.Equal(refused, []string{"f: " + c.want}) {
			t.Errorf("%s: got %v, %q", c.value, ok, refused)
		}
		if v := reflect.ValueOf(c.to).Elem(); !v.IsZero() {
			t.Errorf("%s left %v", c.value, v)
		}
	}
}

func TestObjectsWithLossAreRefused(t *testing.T) {
	for text, want := range map[string][]string{
		`{"a":1,"a":1}`:       {"a: must not be given twice", "a: is not a field of this type"},
		`{"b":1,"A":1,"a":1}`: {"A: is not a field of this type", "a: is not a field of this type", "b: is not a field of this type"},
		"{\"a\":\"\xff\"}":    {": must be valid UTF-8", "a: is not a field of this type"},
		`{"":1,"":1}`:         {`"": must not be given twice`, `"": is not a field of this type`},
		`{}`:                  nil,
	} {
		if refused, ok := read(text, func(Object) {}); !ok || !slices.Equal(refused, want) {
			t.Errorf("%s: got %v, %q", text, ok, refused)
		}
	}
	for _, text := range []string{"", "null", "[]", `"{}"`, "{", "{}{}", "{} x", `{"a"}`, `{"a":1,}`, `{a:1}`} {
		if _, ok := read(text, func(Object) {}); ok {
			t.Errorf("%q was read as an object", text)
		}
	}
}

// FuzzRead checks that objects without problems are decoded like by encoding/json.
func FuzzRead(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		taken := map[string]json.RawMessage{}
		names := map[string]json.RawMessage{}
		valid := json.Unmarshal(text, &names) == nil && names != nil
		refused, ok := read(string(text), func(o Object) {
			for name := range names {
				var raw json.RawMessage
				if o.Take(name, &raw) {
					taken[name] = raw
				}
			}
		})
		if ok != valid {
			t.Fatalf("%q: got ok %v, but encoding/json got %v", text, ok, valid)
		}
		for name, raw := range names {
			if string(raw) == "null" {
				delete(names, name)
			}
		}
		if ok && refused == nil && !reflect.DeepEqual(taken, names) {
			t.Errorf("%q: got %q, want %q", text, taken, names)
		}
	})
}

// FuzzCheckPortable checks that portable text has the limits of all engines, and that encoding/json decodes it without loss.
func FuzzCheckPortable(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		reason := CheckPortable(text)
		var value map[string]any
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		err := d.Decode(&value)
		numbers, depth, replaced := properties(value)
		beyond := slices.ContainsFunc(numbers, func(n json.Number) bool {
			x, err := n.Float64()
			return err != nil || math.Abs(x) >= 1e308
		})
		switch {
		case reason == "" && (err != nil || depth > MaxDepth || beyond):
			t.Errorf("%q is portable, but has %d levels, numbers %v, error %v", text, depth, numbers, err)
		case reason == "" && replaced && !strings.Contains(strings.ToLower(string(text)), "fffd") && !bytes.ContainsRune(text, '\ufffd'):
			t.Errorf("%q is portable, but encoding/json replaces a surrogate", text)
		case strings.Contains(reason, "surrogate") && !replaced, strings.Contains(reason, "nested") && depth <= MaxDepth:
			if !duplicateNames(text) { // encoding/json keeps the last one
				t.Errorf("%q: %s", text, reason)
			}
		}
	})
}

func duplicateNames(text []byte) bool {
	twice := false
	var walk func(raw json.RawMessage)
	walk = func(raw json.RawMessage) {
		var elements []json.RawMessage
		if json.Unmarshal(raw, &elements) == nil {
			for _, e := range elements {
				walk(e)
			}
			return
		}
		o, ok := Read(raw, func(_, reason string) { twice = twice || strings.Contains(reason, "twice") })
		if ok {
			for _, field := range o.fields {
				walk(field)
			}
		}
	}
	walk(text)
	return twice
}

// properties returns the numbers and the depth of a value, and whether a string in it contains U+FFFD.
func properties(value any) (numbers []json.Number, depth int, replaced bool) {
	within := func(values ...any) {
		for _, v := range values {
			n, d, r := properties(v)
			numbers, depth, replaced = append(numbers, n...), max(depth, d), replaced || r
		}
	}
	switch value := value.(type) {
	case map[string]any:
		for name, field := range value {
			within(name, field)
		}
		depth++
	case []any:
		within(value...)
		depth++
	case json.Number:
		numbers = append(numbers, value)
	case string:
		replaced = strings.ContainsRune(value, '\ufffd')
	}
	return numbers, depth, replaced
}
