package ttp

import (
	"database/sql"
	"math"
	"slices"
	"strings"
	"time"
)

// Filter selects tags that match all of its set fields. The zero Filter matches every tag.
//
// An invalid or contradictory filter fails with an [*InvalidError] ([ErrInvalidQuery]) that names the fields,
// instead of matching nothing.
type Filter struct {
	// Since and Until select the half-open window [Since, Until) of ObservedAt. A zero time leaves that side
	// open.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// MinConfidence is the lowest matching confidence, from 0 to 1.
	MinConfidence float64 `json:"min_confidence,omitempty"`
	// Release is an ATT&CK release, in the format of [Tag.AttackRelease].
	Release string `json:"release,omitempty"`
	// Domain is enterprise, ics or mobile, and matches all releases of that domain.
	Domain string `json:"domain,omitempty"`
	// Tactic is a tactic ID, "TA" and four digits.
	Tactic string `json:"tactic,omitempty"`
	// Technique is a technique or sub-technique ID; TechniqueMatch selects how it is matched.
	Technique      string         `json:"technique,omitempty"`
	TechniqueMatch TechniqueMatch `json:"technique_match,omitempty"`
	// RuleID selects a rule, and RuleVersion one version of it.
	RuleID      string `json:"rule_id,omitempty"`
	RuleVersion *int   `json:"rule_version,omitempty"`
	SourceKind  string `json:"source_kind,omitempty"`
	DeckyID     string `json:"decky_id,omitempty"`
}

// TechniqueMatch selects how [Filter.Technique] is matched.
type TechniqueMatch string

// The ways to match a technique.
const (
	// ExactTechnique matches only the given technique or sub-technique, like one row of a rollup.
	ExactTechnique TechniqueMatch = ""
	// WithSubTechniques matches the technique and all its sub-techniques.
	WithSubTechniques TechniqueMatch = "with-sub-techniques"
	// ParentTechnique matches only the parent technique, even if a sub-technique is given.
	ParentTechnique TechniqueMatch = "parent"
)

// filterArgs holds a Filter as query parameters. Its zero value matches every tag.
type filterArgs struct {
	set                   bool  // false selects the parameters in everything
	Since, Before         int64 // microseconds
	FirstKey, LastKey     int64 // of technique_key
	MinConfidence         float64
	Modulus, Unit, Digits int64 // technique_key % Modulus / Unit = Digits; 1, 1 and 0 match every key
	AnyRow                int64 // 1 disables the comparisons below, which no index covers
	RuleID                sql.NullString
	RuleVersion           sql.NullInt64
	SourceKind, DeckyID   sql.NullString
}

// everything matches every tag.
var everything = filterArgs{
	set:   true,
	Since: math.MinInt64, Before: math.MaxInt64, LastKey: maxGroupKey, Modulus: 1, Unit: 1, AnyRow: 1,
}

// orEverything replaces the zero value by everything.
func (p filterArgs) orEverything() filterArgs {
	if !p.set {
		return everything
	}
	return p
}

// windowed reports whether the filter has Since or Until.
func (p filterArgs) windowed() bool {
	p = p.orEverything()
	return p.Since != everything.Since || p.Before != everything.Before
}

// onlyWindowed reports whether the filter has nothing but Since or Until.
func (p filterArgs) onlyWindowed() bool {
	p.Since, p.Before = everything.Since, everything.Before
	return p == everything
}

// oneTechnique reports whether the filter has a technique.
func (p filterArgs) oneTechnique() bool { return p.orEverything().LastKey != everything.LastKey }

// filterArgs returns the filter's parameters and reports invalid fields to c.
func (f Filter) filterArgs(c *checker) filterArgs {
	p := everything
	f.window(c, &p)
	if !(f.MinConfidence >= 0 && f.MinConfidence <= 1) { // NaN fails too
		c.refuse("min_confidence", "must be a number from 0 to 1")
	}
	p.MinConfidence = f.MinConfidence
	f.digits(c, &p)
	f.technique(c, &p)
	f.row(c, &p)
	if p == everything {
		return filterArgs{}
	}
	return p
}

func (f Filter) window(c *checker, p *filterArgs) {
	if !f.Since.IsZero() {
		p.Since = c.bound("since", f.Since)
	}
	if !f.Until.IsZero() {
		p.Before = c.bound("until", f.Until)
	}
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Until.After(f.Since) {
		c.refuse("until", "must be after since")
	}
}

// bound returns the first whole microsecond at or after t, since stored times are whole microseconds.
func (c *checker) bound(field string, t time.Time) int64 {
	cut := c.time(field, t)
	if cut.Before(t) {
		cut = cut.Add(time.Microsecond)
	}
	return cut.UnixMicro()
}

// digits selects the trailing digits of technique_key: the release or its domain, the tactic, or both.
func (f Filter) digits(c *checker, p *filterArgs) {
	f.release(c, p)
	switch {
	case f.Tactic == "":
		return
	case !hasDigits(f.Tactic, "TA", 4):
		c.refuse("tactic", `must be "TA" and four digits`)
		return
	case p.Modulus == 1:
		p.Unit = tacticUnit
	}
	p.Modulus = subUnit
	p.Digits += number(f.Tactic[2:]) * tacticUnit / p.Unit
}

func (f Filter) release(c *checker, p *filterArgs) {
	if f.Domain != "" {
		p.Modulus, p.Unit, p.Digits = tacticUnit, domainUnit, int64(slices.Index(domains, f.Domain))
		if p.Digits < 0 {
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
		p.Modulus, p.Unit, p.Digits = tacticUnit, 1, releaseKey(release)
	}
}

func (f Filter) technique(c *checker, p *filterArgs) {
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
	p.FirstKey = number(technique[1:]) * techniqueUnit
	if hasSub && f.TechniqueMatch != ParentTechnique {
		p.FirstKey += (number(sub) + 1) * subUnit
	}
	p.LastKey = p.FirstKey + subUnit - 1
	if !hasSub && f.TechniqueMatch == WithSubTechniques {
		p.LastKey = p.FirstKey + techniqueUnit - 1
	}
}

// row sets the parameters that are compared with columns outside the indexes.
func (f Filter) row(c *checker, p *filterArgs) {
	c.text("rule_id", f.RuleID, 64, noSeparator)
	c.text("source_kind", f.SourceKind, 64, noSeparator)
	c.text("decky_id", f.DeckyID, 255)
	p.RuleID, p.SourceKind, p.DeckyID = nullText(f.RuleID), nullText(f.SourceKind), nullText(f.DeckyID)
	if f.RuleVersion != nil {
		p.RuleVersion = sql.NullInt64{Int64: int64(*f.RuleVersion), Valid: true}
		switch {
		case *f.RuleVersion < 0:
			c.refuse("rule_version", "must not be negative")
		case f.RuleID == "":
			c.refuse("rule_id", "must be set for rule_version")
		}
	}
	if p.RuleID.Valid || p.RuleVersion.Valid || p.SourceKind.Valid || p.DeckyID.Valid {
		p.AnyRow = 0
	}
}

// checked returns the filter's parameters, or an [*InvalidError].
func (f Filter) checked() (filterArgs, error) {
	var c checker
	p := f.filterArgs(&c)
	return p, c.queryError()
}

// checkedIn is like checked, and checks the scope too.
func (f Filter) checkedIn(scope Scope) (filterArgs, error) {
	var c checker
	scope.check(&c)
	p := f.filterArgs(&c)
	return p, c.queryError()
}

// queryError returns the collected problems as an [*InvalidError], or nil.
func (c *checker) queryError() error {
	if len(c.problems) == 0 {
		return nil
	}
	return &InvalidError{Kind: ErrInvalidQuery, Problems: c.problems}
}
