package ttp

import (
	"database/sql"
	"math"
	"slices"
	"strings"
	"time"
)

// Filter narrows a read to the tags that match all that it names. The zero Filter matches every tag.
//
// A filter that contradicts itself or is misspelt is refused with [ErrInvalidQuery] and an
// [*InvalidError] that names the fields, never answered as if nothing had happened.
type Filter struct {
	// Since and Until are a half-open window on ObservedAt: from Since on, before Until. A zero time
	// leaves that side open.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// MinConfidence is the lowest confidence, from 0 to 1.
	MinConfidence float64 `json:"min_confidence,omitempty"`
	// Release is the ATT&CK release, spelt as in [Tag.AttackRelease].
	Release string `json:"release,omitempty"`
	// Domain is enterprise, ics or mobile: all releases of it.
	Domain string `json:"domain,omitempty"`
	// Tactic is a tactic's id, "TA" and four digits.
	Tactic string `json:"tactic,omitempty"`
	// Technique is the id of a technique or sub-technique, and TechniqueMatch how much of it is meant.
	Technique      string         `json:"technique,omitempty"`
	TechniqueMatch TechniqueMatch `json:"technique_match,omitempty"`
	// RuleID is a rule, and RuleVersion one version of it.
	RuleID      string `json:"rule_id,omitempty"`
	RuleVersion *int   `json:"rule_version,omitempty"`
	SourceKind  string `json:"source_kind,omitempty"`
	DeckyID     string `json:"decky_id,omitempty"`
}

// TechniqueMatch says how much of a technique a [Filter] means.
type TechniqueMatch string

// How a technique is meant, told by a tag's most exact id.
const (
	// ExactTechnique is the technique or sub-technique of that very id, as one row of a rollup has it.
	ExactTechnique TechniqueMatch = ""
	// WithSubTechniques is the technique and all its sub-techniques.
	WithSubTechniques TechniqueMatch = "with-sub-techniques"
	// ParentTechnique is the technique alone, also when one of its sub-techniques is given.
	ParentTechnique TechniqueMatch = "parent"
)

// filterArgs holds a Filter as the parameters of the queries. Its zero value matches every tag.
type filterArgs struct {
	set                   bool  // false: the fields below are those of everything
	Since, Before         int64 // microseconds
	AnyTag                int64 // 1 if no field below narrows the read: the tag itself is not compared
	FirstKey, LastKey     int64 // of technique_key
	MinConfidence         float64
	Modulus, Unit, Digits int64 // technique_key % Modulus / Unit = Digits; 1, 1 and 0 match every key
	AnyRow                int64 // 1 if no field below narrows the read: the index alone decides
	RuleID                sql.NullString
	RuleVersion           sql.NullInt64
	SourceKind, DeckyID   sql.NullString
}

// everything holds the parameters that match every tag.
var everything = filterArgs{
	set:   true,
	Since: math.MinInt64, Before: math.MaxInt64, AnyTag: 1, LastKey: maxGroupKey, Modulus: 1, Unit: 1, AnyRow: 1,
}

// orEverything returns the parameters to bind.
func (b filterArgs) orEverything() filterArgs {
	if !b.set {
		return everything
	}
	return b
}

// windowed reports whether the filter has a window.
func (b filterArgs) windowed() bool {
	b = b.orEverything()
	return b.Since != everything.Since || b.Before != everything.Before
}

// oneTechnique reports whether the filter names a technique.
func (b filterArgs) oneTechnique() bool { return b.orEverything().LastKey != everything.LastKey }

// filterArgs checks the filter.
func (f Filter) filterArgs(c *checker) filterArgs {
	b := everything
	f.window(c, &b)
	if !(f.MinConfidence >= 0 && f.MinConfidence <= 1) { // so that NaN fails
		c.refuse("min_confidence", "must be a number from 0 to 1")
	}
	b.MinConfidence = f.MinConfidence
	f.digits(c, &b)
	f.technique(c, &b)
	f.row(c, &b)
	window := everything
	window.Since, window.Before = b.Since, b.Before
	switch b {
	case everything:
		return filterArgs{}
	case window:
		return b
	}
	b.AnyTag = 0
	return b
}

func (f Filter) window(c *checker, b *filterArgs) {
	if !f.Since.IsZero() {
		b.Since = c.bound("since", f.Since)
	}
	if !f.Until.IsZero() {
		b.Before = c.bound("until", f.Until)
	}
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Until.After(f.Since) {
		c.refuse("until", "must be after since")
	}
}

// bound is where a time cuts: stored times are whole microseconds, and the first at or after it counts.
func (c *checker) bound(field string, t time.Time) int64 {
	cut := c.time(field, t)
	if cut.Before(t) {
		cut = cut.Add(time.Microsecond)
	}
	return cut.UnixMicro()
}

// digits compares the end of a technique_key: the release or its domain, the tactic, or both.
func (f Filter) digits(c *checker, b *filterArgs) {
	f.release(c, b)
	switch {
	case f.Tactic == "":
		return
	case !hasDigits(f.Tactic, "TA", 4):
		c.refuse("tactic", `must be "TA" and four digits`)
		return
	case b.Modulus == 1:
		b.Unit = tacticUnit
	}
	b.Modulus = subUnit
	b.Digits += number(f.Tactic[2:]) * tacticUnit / b.Unit
}

func (f Filter) release(c *checker, b *filterArgs) {
	if f.Domain != "" {
		b.Modulus, b.Unit, b.Digits = tacticUnit, domainUnit, int64(slices.Index(domains, f.Domain))
		if b.Digits < 0 {
			c.refuse("domain", "must be enterprise, ics or mobile")
		}
	}
	if f.Release == "" {
		return
	}
	release, ok := canonicalRelease(f.Release)
	switch {
	case !ok:
		c.refuse("release", releaseRule)
	case f.Domain != "" && !strings.HasPrefix(release, f.Domain+"-"):
		c.refuse("domain, release", "must agree")
	default:
		b.Modulus, b.Unit, b.Digits = tacticUnit, 1, releaseKey(release)
	}
}

func (f Filter) technique(c *checker, b *filterArgs) {
	switch f.TechniqueMatch {
	case ExactTechnique, WithSubTechniques, ParentTechnique:
	default:
		c.refuse("technique_match", `must be "", "`+string(WithSubTechniques)+`" or "`+string(ParentTechnique)+`"`)
		return
	}
	if f.Technique == "" {
		if f.TechniqueMatch != ExactTechnique {
			c.refuse("technique", "must be set for technique_match")
		}
		return
	}
	technique, sub, hasSub := strings.Cut(f.Technique, ".")
	if !hasDigits(technique, "T", 4) || (hasSub && !hasDigits(sub, "", 3)) {
		c.refuse("technique", `must be such as "T1110" or "T1110.001"`)
		return
	}
	b.FirstKey = number(technique[1:]) * techniqueUnit
	if hasSub && f.TechniqueMatch != ParentTechnique {
		b.FirstKey += (number(sub) + 1) * subUnit
	}
	b.LastKey = b.FirstKey + subUnit - 1
	if !hasSub && f.TechniqueMatch == WithSubTechniques {
		b.LastKey = b.FirstKey + techniqueUnit - 1
	}
}

// row is what only the table's rows can tell.
func (f Filter) row(c *checker, b *filterArgs) {
	c.text("rule_id", f.RuleID, 64, noSeparator)
	c.text("source_kind", f.SourceKind, 64, noSeparator)
	c.text("decky_id", f.DeckyID, 255)
	b.RuleID, b.SourceKind, b.DeckyID = nullText(f.RuleID), nullText(f.SourceKind), nullText(f.DeckyID)
	if f.RuleVersion != nil {
		b.RuleVersion = sql.NullInt64{Int64: int64(*f.RuleVersion), Valid: true}
		switch {
		case *f.RuleVersion < 0:
			c.refuse("rule_version", "must not be negative")
		case f.RuleID == "":
			c.refuse("rule_id", "must be set for rule_version")
		}
	}
	if b.RuleID.Valid || b.RuleVersion.Valid || b.SourceKind.Valid || b.DeckyID.Valid {
		b.AnyRow = 0
	}
}

// checked returns the filter's parameters, or the problems of its fields.
func (f Filter) checked() (filterArgs, error) {
	var c checker
	b := f.filterArgs(&c)
	return b, c.queryError()
}

// queryError is what was found wrong with a read.
func (c *checker) queryError() error {
	if len(c.problems) == 0 {
		return nil
	}
	return &InvalidError{Kind: ErrInvalidQuery, Problems: c.problems}
}
