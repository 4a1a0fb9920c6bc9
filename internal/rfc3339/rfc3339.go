// Package rfc3339 parses times strictly.
package rfc3339

import (
	"fmt"
	"time"
)

// Parse parses a time. Unlike [time.Parse] it refuses a one-digit hour, a comma before the fraction, and offsets of 24
// hours or 60 minutes, which are not valid RFC 3339.
func Parse(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, err
	}
	const hour, fraction, offset = len("2006-01-02T"), len("2006-01-02T15:04:05"), len("-07:00")
	if s[hour+1] == ':' || s[fraction] == ',' {
		return time.Time{}, fmt.Errorf("%q is not in the format of RFC 3339", s)
	}
	if zone := s[len(s)-offset:]; s[len(s)-1] != 'Z' && (zone[1:3] > "23" || zone[4:] > "59") {
		return time.Time{}, fmt.Errorf("%q has an offset out of range", s)
	}
	return t, nil
}
