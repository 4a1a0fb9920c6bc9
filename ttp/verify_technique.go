package ttp

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/decnet/ttpstore/attack"
)

// checkTechniques checks the techniques and tactics of groups against the tags' own releases. It needs a catalogue.
func (v *verifier) checkTechniques(groups []group) []fault {
	if v.names == nil {
		return nil
	}
	var faults []fault
	found := func(kind FindingKind, of string, detail string) {
		faults = append(faults, fault{Finding: Finding{Kind: kind, Of: of, Detail: detail}})
	}
	unknown := map[string]int64{} // tags by release
	for _, g := range groups {
		release, ok := v.names.Release(g.key.release())
		if !ok {
			unknown[g.key.release()] += g.tags
			continue
		}
		pair := g.key.pair()
		for kind, why := range judge(release, pair) {
			found(kind, "technique", fmt.Sprintf("%s %s %s (tags: %d) %s", pair.Technique, pair.Tactic, release.Name, g.tags, why))
		}
	}
	for release, tags := range unknown {
		found(UnknownRelease, "release", fmt.Sprintf("%s (tags: %d) is not in the catalogue", release, tags))
	}
	slices.SortFunc(faults, func(a, b fault) int { return cmp.Or(strings.Compare(a.Of, b.Of), strings.Compare(a.Detail, b.Detail)) })
	return faults
}

// judge returns the reasons why a technique under a tactic is invalid in a release.
func judge(r *attack.Release, p attack.Pair) map[FindingKind]string {
	t, ok := r.Technique(p.Technique)
	if !ok {
		return map[FindingKind]string{UnknownTechnique: "is not in the release"}
	}
	reasons := map[FindingKind]string{}
	if t.Revoked {
		reasons[RevokedTechnique] = strings.TrimSpace("is revoked " + by(t.Successor))
	}
	if t.Deprecated {
		reasons[DeprecatedTechnique] = "is deprecated"
	}
	if len(t.Tactics) > 0 && !slices.Contains(t.Tactics, p.Tactic) {
		reasons[WrongTactic] = "is not under this tactic but under " + strings.Join(t.Tactics, ", ")
	}
	return reasons
}

func by(successor string) string {
	if successor == "" {
		return ""
	}
	return "by " + successor
}
