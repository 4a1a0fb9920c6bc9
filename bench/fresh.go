package main

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

// freshTags generates any number of distinct tags for concurrent writers. It changes prepared tags, which is cheap enough to
// run during a measurement.
type freshTags struct {
	tags []ttp.Tag
	used atomic.Int64
}

const freshPool = 10_000

func newFreshTags(next func() ttp.Tag) *freshTags { return &freshTags{tags: take(next, freshPool)} }

// take returns the next n tags. Each pass over the prepared tags sets other sources, sessions and times.
func (f *freshTags) take(n int) []ttp.Tag {
	out := make([]ttp.Tag, n)
	last := f.used.Add(int64(n))
	for i := range out {
		at := int(last) - n + i
		out[i] = f.tags[at%len(f.tags)]
		if pass := at / len(f.tags); pass > 0 {
			suffix := "." + strconv.Itoa(pass)
			out[i].SourceID += suffix
			out[i].SessionID += suffix
			out[i].ObservedAt = out[i].ObservedAt.Add(time.Duration(pass*len(f.tags)) * pause)
		}
	}
	return out
}

// ofOneTechnique sets the same technique for all tags of a source.
func ofOneTechnique(next func() ttp.Tag) func() ttp.Tag {
	return func() ttp.Tag {
		t := next()
		t.Tactic, t.TechniqueID, t.SubTechniqueID = "TA0002", "T1059", ""
		return t
	}
}
