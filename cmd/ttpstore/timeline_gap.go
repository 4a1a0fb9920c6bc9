package main

import (
	"slices"
	"strconv"
)

// mostEmpty is the maximum number of consecutive empty buckets in a table; a longer gap is one line.
const mostEmpty = 10

// drawnBucket is a line of the table: a bucket, or the number of omitted empty buckets.
type drawnBucket struct {
	timeBucket
	leftOut int
}

// note returns a note on the omitted buckets, "" for a bucket.
func (b drawnBucket) note() string {
	if b.leftOut == 0 {
		return ""
	}
	return count(b.leftOut, "empty bucket")
}

// withoutGaps omits long runs of empty buckets.
func withoutGaps(buckets []timeBucket) []drawnBucket {
	var out []drawnBucket
	for i := 0; i < len(buckets); {
		empty := slices.IndexFunc(buckets[i:], func(b timeBucket) bool {
			return b.Count > 0 || b.Against != nil && *b.Against > 0
		})
		if empty > mostEmpty {
			out = append(out, drawnBucket{leftOut: empty})
			i += empty
			continue
		}
		out = append(out, drawnBucket{timeBucket: buckets[i]})
		i++
	}
	return out
}

// drawn returns a function that formats a bucket with text, and omitted buckets as leftOut.
func drawn(leftOut string, text func(timeBucket) string) func(drawnBucket) string {
	return func(b drawnBucket) string {
		if b.leftOut > 0 {
			return leftOut
		}
		return text(b.timeBucket)
	}
}

// bucketCount is a column with a count of each bucket.
func bucketCount(name string, value func(timeBucket) int64) column[drawnBucket] {
	return column[drawnBucket]{name: name, number: true, uncut: true, text: drawn("", func(b timeBucket) string {
		return strconv.FormatInt(value(b), 10)
	})}
}
