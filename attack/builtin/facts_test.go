package builtin_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/attack/builtin"
)

// counts holds the numbers of a release's tactics, techniques, sub-techniques and states.
type counts struct {
	tactics, activeTechniques, techniques, activeSubs, subs, revoked, deprecated, successors int
}

func count(r *attack.Release) counts {
	n := counts{tactics: len(r.Tactics)}
	for t := range r.Techniques() {
		active, all := &n.activeTechniques, &n.techniques
		if t.Parent() != "" {
			active, all = &n.activeSubs, &n.subs
		}
		*all++
		if t.Active() {
			*active++
		}
		if t.Revoked {
			n.revoked++
		}
		if t.Deprecated && !t.Revoked {
			n.deprecated++
		}
		if t.Successor != "" {
			n.successors++
		}
	}
	return n
}

func TestCounts(t *testing.T) {
	for name, want := range map[string]counts{
		"enterprise-v8.2":  {14, 178, 318, 352, 352, 129, 11, 129},
		"enterprise-v10.1": {14, 188, 328, 378, 379, 129, 12, 129},
		"enterprise-v12.1": {14, 193, 333, 401, 404, 131, 12, 131},
		"enterprise-v15.1": {14, 202, 342, 435, 438, 131, 12, 131},
		"enterprise-v16.1": {14, 203, 343, 453, 456, 131, 12, 131},
		"enterprise-v17.1": {14, 211, 351, 468, 472, 132, 12, 132},
		"enterprise-v18.1": {14, 216, 356, 475, 479, 132, 12, 132},
		"mobile-v18.1":     {14, 77, 143, 47, 47, 53, 13, 52},
		"ics-v18.1":        {12, 83, 95, 0, 0, 0, 12, 0},
	} {
		if got := count(release(t, name)); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestSubTechniquesAreInTheirTechniquesTactics(t *testing.T) {
	for _, name := range builtin.Catalogue().Releases() {
		r := release(t, name)
		for sub := range r.Techniques() {
			if parent, ok := r.Technique(sub.Parent()); ok && !slices.Equal(sub.Tactics, parent.Tactics) {
				t.Errorf("%s: %s is in %v, %s in %v", name, sub.ID, sub.Tactics, parent.ID, parent.Tactics)
			}
		}
	}
}

func TestTacticsDependOnTheRelease(t *testing.T) {
	order := func(name string) (ids, shortnames []string) {
		for _, tactic := range release(t, name).Tactics {
			ids = append(ids, tactic.ID)
			shortnames = append(shortnames, tactic.Shortname)
		}
		return ids, shortnames
	}
	ids, shortnames := order("enterprise-v18.1")
	if diff := cmp.Diff([]string{
		"TA0043", "TA0042", "TA0001", "TA0002", "TA0003", "TA0004", "TA0005", "TA0006", "TA0007", "TA0008", "TA0009", "TA0011",
		"TA0010", "TA0040",
	}, ids); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"reconnaissance", "resource-development", "initial-access", "execution", "persistence", "privilege-escalation",
		"defense-evasion", "credential-access", "discovery", "lateral-movement", "collection", "command-and-control",
		"exfiltration", "impact",
	}, shortnames); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{"ics-v12.1": "evasion-ics", "ics-v13.1": "evasion"} {
		if tactic, _ := release(t, name).Tactic("TA0103"); tactic.Shortname != want {
			t.Errorf("%s: TA0103 is %q, want %q", name, tactic.Shortname, want)
		}
	}
	// The matrix of network-based effects is outdated, so that its tactics come last.
	ids, _ = order("mobile-v18.1")
	if diff := cmp.Diff([]string{"TA0038", "TA0039"}, ids[12:]); diff != "" {
		t.Error(diff)
	}
	for _, tactic := range release(t, "mobile-v18.1").Tactics[11:] {
		if tactic.Deprecated != (tactic.ID != "TA0034") {
			t.Errorf("mobile-v18.1: %s is deprecated: %t", tactic.ID, tactic.Deprecated)
		}
	}
}

func TestTechniqueOfARelease(t *testing.T) {
	got, _ := release(t, "enterprise-v15.1").Technique("T1110.001")
	want := attack.Technique{
		ID: "T1110.001", Name: "Password Guessing", STIXID: "attack-pattern--09c4c11e-4fa1-4f8c-8dad-3cf8e69ad119",
		URL: "https://attack.mitre.org/techniques/T1110/001", Tactics: []string{"TA0006"},
		Platforms: []string{"Windows", "Azure AD", "Office 365", "SaaS", "IaaS", "Linux", "macOS", "Google Workspace", "Containers", "Network"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// history returns the releases of a domain, oldest first.
func history(tb testing.TB, domain string) []*attack.Release {
	tb.Helper()
	var all []*attack.Release
	for _, name := range builtin.Catalogue().Releases() {
		if r := release(tb, name); r.Domain == domain {
			all = append(all, r)
		}
	}
	return all
}

func TestWhatTheReleasesChanged(t *testing.T) {
	var renames []int // of each release
	moved := map[string]bool{}
	all := history(t, "enterprise")
	for i, after := range all[1:] {
		n := 0
		for was := range all[i].Techniques() {
			is, ok := after.Technique(was.ID)
			if !ok {
				t.Errorf("%s lacks %s", after.Name, was.ID)
			}
			if !was.Active() || !is.Active() {
				continue
			}
			if was.Name != is.Name {
				n++
			}
			if !slices.Equal(was.Tactics, is.Tactics) {
				moved[was.ID] = true
			}
		}
		renames = append(renames, n)
	}
	if diff := cmp.Diff([]int{5, 2, 9, 2, 1, 1, 3, 1, 5, 2}, renames); diff != "" {
		t.Errorf("renamed techniques by release: %s", diff)
	}
	if len(moved) != 12 {
		t.Errorf("%d techniques changed their tactics, want 12: %v", len(moved), moved)
	}
	var left []string
	for was := range all[0].Techniques() {
		if is, _ := all[len(all)-1].Technique(was.ID); was.Active() && !is.Active() {
			left = append(left, was.ID)
		}
	}
	if diff := cmp.Diff([]string{"T1053.001", "T1053.004", "T1547.011", "T1574.002"}, left); diff != "" {
		t.Errorf("techniques that left: %s", diff)
	}
}

func TestShapesOfAMatrix(t *testing.T) {
	severalTactics, toSub := 0, 0
	var twoHops []string
	r := release(t, "enterprise-v18.1")
	for technique := range r.Techniques() {
		if technique.Active() && len(technique.Tactics) > 1 {
			severalTactics++
		}
		successor, _ := r.Technique(technique.Successor)
		if successor.Parent() != "" {
			toSub++
		}
		if successor.Successor != "" {
			twoHops = append(twoHops, technique.ID)
		}
	}
	if severalTactics != 154 || toSub != 122 {
		t.Errorf("%d techniques have several tactics, %d have a sub-technique for a successor; want 154 and 122", severalTactics, toSub)
	}
	if diff := cmp.Diff([]string{"T1073", "T1150", "T1162"}, twoHops); diff != "" {
		t.Errorf("chains of two successors: %s", diff)
	}
}
