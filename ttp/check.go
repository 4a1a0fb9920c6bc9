package ttp

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// checker collects the problems of one row or query.
type checker struct{ problems []Problem }

func (c *checker) refuse(field, reason string) {
	c.problems = append(c.problems, Problem{Field: field, Reason: reason})
}

type textRule int

const (
	required    textRule = iota // not empty
	noSeparator                 // no "|", the separator of a tag UUID's inputs
)

func (c *checker) text(field, value string, maxLen int, rules ...textRule) {
	for _, rule := range rules {
		switch {
		case rule == required && value == "":
			c.refuse(field, "must not be empty")
		case rule == noSeparator && strings.Contains(value, "|"):
			c.refuse(field, `must not contain "|"`)
		}
	}
	if len(value) <= maxLen && isPlain(value) {
		return
	}
	first, _ := utf8.DecodeRuneInString(value)
	last, _ := utf8.DecodeLastRuneInString(value)
	switch {
	case !utf8.ValidString(value):
		c.refuse(field, "must be valid UTF-8")
	case utf8.RuneCountInString(value) > maxLen:
		c.refuse(field, "must be at most "+strconv.Itoa(maxLen)+" characters")
	case unicode.IsSpace(first) || unicode.IsSpace(last):
		c.refuse(field, "must not begin or end with a space")
	case strings.ContainsFunc(value, unicode.IsControl):
		c.refuse(field, "must not contain control characters")
	}
}

// isPlain reports whether s is empty or printable ASCII without spaces. It is the fast path of text.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// time returns t in UTC, truncated to microseconds. RFC 3339, the format of exports, ends with the year 9999.
func (c *checker) time(field string, t time.Time) time.Time {
	t = t.UTC().Truncate(time.Microsecond)
	switch {
	case t.IsZero():
		c.refuse(field, "must be set")
	case t.Year() < 1 || t.Year() > 9999:
		c.refuse(field, "must lie in the years 1 to 9999")
	}
	return t
}

func (c *checker) id(field string, id uuid.UUID) {
	if id == uuid.Nil {
		c.refuse(field, "must be set")
	}
}
