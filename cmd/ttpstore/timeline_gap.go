package main

import (
	"slices"
	"strconv"
)

// mostEmpty is how many empty buckets in a row a table has; more are one line.
const mostEmpty = 10

// drawnBucket is a line of the table: a bucket, or the number of empty ones that are left out.
type drawnBucket struct {
	timeBucket
	leftOut int
}

// note says how many buckets are left out, "" for a bucket.
func (b drawnBucket) note() string {
	if b.leftOut == 0 {
		return ""
	}
	return count(b.leftOut, "empty bucket")
}

// withoutGaps leaves out long runs of empty buckets.
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

// drawn returns the text of a bucket, and another one for those that are left out.
func drawn(leftOut string, text func(timeBucket) string) func(drawnBucket) string {
	return func(b drawnBucket) string {
		if b.leftOut > 0 {
			return leftOut
		}
		return text(b.timeBucket)
	}
}

// bucketCount has a count of each bucket.
func bucketCount(name string, value func(timeBucket) int64) column[drawnBucket] {
	return column[drawnBucket]{name: name, number: true, uncut: true, text: drawn("", func(b timeBucket) string {
		return strconv.FormatInt(value(b), 10)
	})}
}
