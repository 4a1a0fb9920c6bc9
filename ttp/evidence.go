package ttp

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

const (
	maxEvidenceBytes = 64 << 10
	// maxEvidenceDepth is the nesting that every engine reads: JSON_VALID of MariaDB 10.11 gives up
	// beyond 31 levels, MySQL's beyond 100, SQLite's beyond 1000.
	maxEvidenceDepth = 31
)

// refuseEvidence says what the evidence must be, or "" when every engine takes it. MySQL's JSON_VALID
// refuses unpaired surrogates and numbers beyond a double; SQLite's does not.
func refuseEvidence(evidence []byte) string {
	switch {
	case len(evidence) > maxEvidenceBytes:
		return "must be at most " + strconv.Itoa(maxEvidenceBytes) + " bytes"
	case !utf8.Valid(evidence):
		return "must be valid UTF-8"
	case !json.Valid(evidence) || evidence[0] != '{' || evidence[len(evidence)-1] != '}':
		return "must be a JSON object, {} for none, without white space around it"
	}
	depth, number := 0, -1
	for i := 0; i < len(evidence); i++ {
		switch c := evidence[i]; c {
		case '"':
			end, paired := skipString(evidence, i)
			if !paired {
				return "must not contain an unpaired surrogate"
			}
			i = end
		case '{', '[':
			if depth++; depth > maxEvidenceDepth {
				return "must not be nested deeper than " + strconv.Itoa(maxEvidenceDepth) + " levels"
			}
		case '}', ']', ',', ' ', '\t', '\r', '\n':
			if number >= 0 {
				if _, err := strconv.ParseFloat(string(evidence[number:i]), 64); err != nil {
					return "must not contain a number beyond a double's range"
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

// skipString returns the index of the quote that ends the valid JSON string at start, and whether each
// escaped surrogate in it has its other half.
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
