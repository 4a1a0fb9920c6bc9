package ttp

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// checker collects what is wrong with the fields of one row.
type checker struct{ problems []Problem }

func (c *checker) refuse(field, reason string) {
	c.problems = append(c.problems, Problem{Field: field, Reason: reason})
}

type textRule int

const (
	required    textRule = iota // not empty
	noSeparator                 // no "|", which separates the inputs of a tag's uuid
)

func (c *checker) text(field, value string, most int, rules ...textRule) {
	for _, rule := range rules {
		switch {
		case rule == required && value == "":
			c.refuse(field, "must not be empty")
		case rule == noSeparator && strings.Contains(value, "|"):
			c.refuse(field, `must not contain "|"`)
		}
	}
	if len(value) <= most && isPlain(value) {
		return
	}
	first, _ := utf8.DecodeRuneInString(value)
	last, _ := utf8.DecodeLastRuneInString(value)
	switch {
	case !utf8.ValidString(value):
		c.refuse(field, "must be valid UTF-8")
	case utf8.RuneCountInString(value) > most:
		c.refuse(field, "must be at most "+strconv.Itoa(most)+" characters")
	case unicode.IsSpace(first) || unicode.IsSpace(last):
		c.refuse(field, "must not begin or end with a space")
	case strings.ContainsFunc(value, unicode.IsControl):
		c.refuse(field, "must not contain control characters")
	}
}

// isPlain tells whether a text is printable ASCII without any space, or empty: nearly all are, and
// need no closer look.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// time returns the instant in UTC, in microseconds. RFC 3339, which exports use, ends with the year 9999.
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
