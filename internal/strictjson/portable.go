package strictjson

import (
	"cmp"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxDepth is the maximum nesting that every engine accepts: JSON_VALID is limited to 31 levels on MariaDB 10.11, 100 on
// MySQL and 1000 on SQLite.
const MaxDepth = 31

// CheckPortable returns why the text is not a JSON object that every engine accepts, or "". Unlike SQLite's, MySQL's
// JSON_VALID refuses unpaired surrogates and numbers beyond a double.
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

// isPortableNumber reports whether MySQL accepts the number. MySQL's parser limits the digits and the exponent as
// written, even if the value is small.
func isPortableNumber(number string) bool {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	whole, _, _ := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	if power, err := strconv.Atoi(cmp.Or(exponent, "0")); err != nil || power > 308 {
		return len(whole) <= 308 && strings.HasPrefix(exponent, "-") // a long negative exponent is zero
	}
	value, err := strconv.ParseFloat(number, 64)
	return err == nil && math.Abs(value) < 1e308 && len(whole) <= 308
}

// isPaired reports whether all escaped surrogates of a JSON string are paired. encoding/json would replace others.
func isPaired(text []byte) bool {
	_, paired := skipString(text, 0)
	return paired
}

// skipString returns the index of the closing quote of the valid JSON string at start, and whether all escaped surrogates
// in it are paired.
func skipString(b []byte, start int) (end int, paired bool) {
	paired = true
	high := false // the previous escape is a high surrogate
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
