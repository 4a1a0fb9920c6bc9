package conformance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/decnet/ttpstore/ttp"
)

// anyTag is one of the tags, or one that fits an empty store as well as any.
func (m *model) anyTag(rt *rapid.T, what string) ttp.Tag {
	if len(m.tags) == 0 {
		return newTag("of no store", func(tag *ttp.Tag) { tag.ObservedAt, tag.SessionID, tag.DeckyID = m.zero, "s1", "d1" })
	}
	return rapid.SampledFrom(m.tags).Draw(rt, what)
}

// drawFilter asks, each part in a third of the filters, mostly for what one tag has, so that most
// filters match some tags.
func (m *model) drawFilter(rt *rapid.T, like ttp.Tag) ttp.Filter {
	var f ttp.Filter
	asks := func(what string) bool { return rapid.IntRange(0, 2).Draw(rt, "asks for "+what) == 0 }
	mostly := func(what, its string, others ...string) string {
		if its != "" && rapid.IntRange(0, 15).Draw(rt, "not its "+what) < 15 {
			return its
		}
		return rapid.SampledFrom(others).Draw(rt, what)
	}
	m.drawWindow(rt, like, asks, &f)
	if asks("confidence") {
		f.MinConfidence = min(like.Confidence, m.anyTag(rt, "as sure as").Confidence)
	}
	release := mostly("release", like.AttackRelease, releases...)
	if asks("release") {
		f.Release = release
	}
	if asks("domain") {
		f.Domain, _, _ = strings.Cut(release, "-")
	}
	if asks("tactic") {
		f.Tactic = mostly("tactic", like.Tactic, "TA0001", "TA0003", "TA0006")
	}
	if asks("technique") {
		its := rapid.SampledFrom([]string{like.TechniqueID, cmp.Or(like.SubTechniqueID, like.TechniqueID)}).Draw(rt, "its technique")
		f.Technique = mostly("technique", its, "T1003", "T1078", "T1110", "T1110.001", "T1078.002")
		matches := []ttp.TechniqueMatch{ttp.ExactTechnique, ttp.WithSubTechniques, ttp.ParentTechnique}
		f.TechniqueMatch = rapid.SampledFrom(matches).Draw(rt, "match")
	}
	if asks("rule") {
		f.RuleID = mostly("rule", like.RuleID, "R1", "R2")
		if asks("version") {
			f.RuleVersion = new(rapid.SampledFrom([]int{like.RuleVersion, 0, 1}).Draw(rt, "version"))
		}
	}
	if asks("source kind") {
		f.SourceKind = mostly("source kind", like.SourceKind, "command", "payload")
	}
	if asks("decky") {
		f.DeckyID = mostly("decky", like.DeckyID, "d1", "d2")
	}
	return f
}

// drawWindow mostly holds the tag. Its ends are other tags' times, or a nanosecond to either side.
func (m *model) drawWindow(rt *rapid.T, like ttp.Tag, asks func(string) bool, f *ttp.Filter) {
	bound := func(what string) time.Time {
		return m.anyTag(rt, what).ObservedAt.Add(time.Duration(rapid.IntRange(-1, 1).Draw(rt, "nanoseconds")))
	}
	if asks("since") {
		f.Since = slices.MinFunc([]time.Time{bound("since"), like.ObservedAt}, time.Time.Compare)
	}
	if asks("until") {
		f.Until = slices.MaxFunc([]time.Time{bound("until"), like.ObservedAt}, time.Time.Compare)
		if !f.Until.After(f.Since) {
			f.Until = f.Since.Add(1)
		}
	}
}

// matches says the filter's rules a second time.
func matches(f ttp.Filter, tag ttp.Tag) bool {
	exact := cmp.Or(tag.SubTechniqueID, tag.TechniqueID)
	parent, _, _ := strings.Cut(f.Technique, ".")
	technique := map[ttp.TechniqueMatch]bool{
		ttp.ExactTechnique:    exact == f.Technique,
		ttp.WithSubTechniques: exact == f.Technique || tag.TechniqueID == f.Technique,
		ttp.ParentTechnique:   exact == parent,
	}[f.TechniqueMatch]
	return (f.Since.IsZero() || !tag.ObservedAt.Before(f.Since)) && (f.Until.IsZero() || tag.ObservedAt.Before(f.Until)) &&
		tag.Confidence >= f.MinConfidence &&
		(f.Release == "" || tag.AttackRelease == f.Release) && strings.HasPrefix(tag.AttackRelease, f.Domain) &&
		(f.Tactic == "" || tag.Tactic == f.Tactic) && (f.Technique == "" || technique) &&
		(f.RuleID == "" || tag.RuleID == f.RuleID) && (f.RuleVersion == nil || tag.RuleVersion == *f.RuleVersion) &&
		(f.SourceKind == "" || tag.SourceKind == f.SourceKind) && (f.DeckyID == "" || tag.DeckyID == f.DeckyID)
}

// everyScope is all scopes that a model may have.
func everyScope() []ttp.Scope {
	scopes := []ttp.Scope{ttp.Fleet()}
	for i := 1; i <= attackers; i++ {
		scopes = append(scopes, ttp.OfAttacker(id(fmt.Sprint("a", i))))
	}
	for i := 1; i <= identities; i++ {
		scopes = append(scopes, ttp.OfIdentity(id(fmt.Sprint("i", i))))
	}
	for i := 1; i <= campaigns; i++ {
		scopes = append(scopes, ttp.OfCampaign(id(fmt.Sprint("c", i))))
	}
	for i := 1; i <= sessions; i++ {
		scopes = append(scopes, ttp.OfSession(fmt.Sprint("s", i)))
	}
	return scopes
}

// drawScope is any scope, or one that has the tag. A permutation, unlike a sample, favours none.
func (m *model) drawScope(rt *rapid.T, of *ttp.Tag) ttp.Scope {
	scopes := rapid.Permutation(everyScope()).Draw(rt, "scopes")
	if of == nil {
		return scopes[0]
	}
	return scopes[slices.IndexFunc(scopes, func(scope ttp.Scope) bool { return m.has(scope, *of) })]
}
