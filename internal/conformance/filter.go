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

// anyTag draws one of the tags, or returns an arbitrary one if there is none.
func (m *model) anyTag(rt *rapid.T, what string) ttp.Tag {
	if len(m.tags) == 0 {
		return newTag("not stored", func(tag *ttp.Tag) { tag.ObservedAt, tag.SessionID, tag.DeckyID = m.zero, "s1", "d1" })
	}
	return rapid.SampledFrom(m.tags).Draw(rt, what)
}

// drawFilter sets each field in a third of the filters, mostly to the value of the tag like, so that most filters match
// some tags.
func (m *model) drawFilter(rt *rapid.T, like ttp.Tag) ttp.Filter {
	var f ttp.Filter
	has := func(field string) bool { return rapid.IntRange(0, 2).Draw(rt, "has "+field) == 0 }
	mostly := func(field, value string, others ...string) string {
		if value != "" && rapid.IntRange(0, 15).Draw(rt, "another "+field) < 15 {
			return value
		}
		return rapid.SampledFrom(others).Draw(rt, field)
	}
	m.drawWindow(rt, like, has, &f)
	if has("confidence") {
		f.MinConfidence = min(like.Confidence, m.anyTag(rt, "confidence of").Confidence)
	}
	release := mostly("release", like.AttackRelease, releases...)
	if has("release") {
		f.Release = release
	}
	if has("domain") {
		f.Domain, _, _ = strings.Cut(release, "-")
	}
	if has("tactic") {
		f.Tactic = mostly("tactic", like.Tactic, "TA0001", "TA0003", "TA0006")
	}
	if has("technique") {
		exact := cmp.Or(like.SubTechniqueID, like.TechniqueID)
		technique := rapid.SampledFrom([]string{like.TechniqueID, exact}).Draw(rt, "technique or sub-technique")
		f.Technique = mostly("technique", technique, "T1003", "T1078", "T1110", "T1110.001", "T1078.002")
		matches := []ttp.TechniqueMatch{ttp.ExactTechnique, ttp.WithSubTechniques, ttp.ParentTechnique}
		f.TechniqueMatch = rapid.SampledFrom(matches).Draw(rt, "match")
	}
	if has("rule") {
		f.RuleID = mostly("rule", like.RuleID, "R1", "R2")
		if has("version") {
			f.RuleVersion = new(rapid.SampledFrom([]int{like.RuleVersion, 0, 1}).Draw(rt, "version"))
		}
	}
	if has("source kind") {
		f.SourceKind = mostly("source kind", like.SourceKind, "command", "payload")
	}
	if has("decky") {
		f.DeckyID = mostly("decky", like.DeckyID, "d1", "d2")
	}
	return f
}

// drawWindow draws a window that mostly contains the tag. Its bounds are within a nanosecond of the times of tags.
func (m *model) drawWindow(rt *rapid.T, like ttp.Tag, has func(string) bool, f *ttp.Filter) {
	bound := func(what string) time.Time {
		return m.anyTag(rt, what).ObservedAt.Add(time.Duration(rapid.IntRange(-1, 1).Draw(rt, "nanoseconds")))
	}
	if has("since") {
		f.Since = slices.MinFunc([]time.Time{bound("since"), like.ObservedAt}, time.Time.Compare)
	}
	if has("until") {
		f.Until = slices.MaxFunc([]time.Time{bound("until"), like.ObservedAt}, time.Time.Compare)
		if !f.Until.After(f.Since) {
			f.Until = f.Since.Add(1)
		}
	}
}

// matches implements the rules of filters a second time.
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

// everyScope returns all scopes of models.
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

// drawScope draws a scope, or one that contains the tag. A permutation, unlike SampledFrom, has no bias.
func (m *model) drawScope(rt *rapid.T, of *ttp.Tag) ttp.Scope {
	scopes := rapid.Permutation(everyScope()).Draw(rt, "scopes")
	if of == nil {
		return scopes[0]
	}
	return scopes[slices.IndexFunc(scopes, func(scope ttp.Scope) bool { return m.has(scope, *of) })]
}
