package strictjson

import (
	"cmp"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxDepth is the nesting that every engine reads: JSON_VALID of MariaDB 10.11 gives up beyond 31 levels, MySQL's
// beyond 100, SQLite's beyond 1000.
const MaxDepth = 31

// CheckPortable returns what the text must be to be a JSON object that every engine takes, "" if it is one.
// MySQL's JSON_VALID refuses unpaired surrogates and numbers beyond a double; SQLite's does not.
func CheckPortable(text []byte) string {
	switch {
	case !utf8.Valid(text):
		return "must be valid UTF-8"
	case !json.Valid(text) || text[0] != '{' || text[len(text)-1] != '}':
		return "must be a JSON object, {} for none, without white space around it"
	}
	depth, number := 0, -1
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			end, paired := skipString(text, i)
			if !paired {
				return "must not contain an unpaired surrogate"
			}
			i = end
		case '{', '[':
			if depth++; depth > MaxDepth {
				return "must not be nested deeper than " + strconv.Itoa(MaxDepth) + " levels"
			}
		case '}', ']', ',', ' ', '\t', '\r', '\n':
			if number >= 0 {
				if !isPortableNumber(string(text[number:i])) {
					return "must not contain a number beyond 1e308"
				}
				number = -1
			}
			if c == '}' || c == ']' {
				depth--
			}
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			if number < 0 {
				number = i
			}
		}
	}
	return ""
}

// isPortableNumber accepts the JSON numbers that MySQL's parser takes, which gives up by the digits and the
// exponent that are written, before it knows the value.
func isPortableNumber(number string) bool {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	whole, _, _ := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	if power, err := strconv.Atoi(cmp.Or(exponent, "0")); err != nil || power > 308 {
		return len(whole) <= 308 && strings.HasPrefix(exponent, "-") // a long negative exponent is zero
	}
	value, err := strconv.ParseFloat(number, 64)
	return err == nil && math.Abs(value) < 1e308 && len(whole) <= 308
}

// isPaired reports whether each escaped surrogate of a JSON string has its other half; encoding/json would replace
// one that has not.
func isPaired(text []byte) bool {
	_, paired := skipString(text, 0)
	return paired
}

// skipString returns the index of the quote that ends the valid JSON string at start, and whether each escaped
// surrogate in it has its other half.
func skipString(b []byte, start int) (end int, paired bool) {
	paired = true
	high := false // the escape just read is the first half of a pair
	for i := start + 1; ; i++ {
		if b[i] == '\\' && b[i+1] == 'u' {
			unit, _ := strconv.ParseUint(string(b[i+2:i+6]), 16, 16)
			low := unit >= 0xDC00 && unit <= 0xDFFF
			paired = paired && high == low
			high = unit >= 0xD800 && unit <= 0xDBFF
			i += 5
			continue
		}
		paired = paired && !high
		high = false
		switch b[i] {
		case '"':
			return i, paired
		case '\\':
			i++
		}
	}
}
