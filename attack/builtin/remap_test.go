package builtin_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/attack/builtin"
)

// pairs returns all pairs of a release. It pairs a revoked technique without tactics with each tactic.
func pairs(r *attack.Release) []attack.Pair {
	var all []attack.Pair
	for technique := range r.Techniques() {
		tactics := technique.Tactics
		if len(tactics) == 0 {
			for _, tactic := range r.Tactics {
				tactics = append(tactics, tactic.ID)
			}
		}
		for _, tactic := range tactics {
			all = append(all, attack.Pair{Technique: technique.ID, Tactic: tactic})
		}
	}
	return all
}

func remap(tb testing.TB, c *attack.Catalogue, from, to string) *attack.Remapping {
	tb.Helper()
	m, err := c.Remap(from, to)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// Every pair of every release has a verdict in every other release of its domain, and a place there if the verdict says so.
func TestRemapOfEveryPair(t *testing.T) {
	for _, domain := range []string{"enterprise", "mobile", "ics"} {
		for _, from := range history(t, domain) {
			for _, to := range history(t, domain) {
				m := remap(t, builtin.Catalogue(), from.Name, to.Name)
				for _, p := range pairs(from) {
					checkMapping(t, m, m.Map(p))
				}
			}
		}
	}
}

// checkMapping checks that a mapping agrees with its verdict.
func checkMapping(tb testing.TB, m *attack.Remapping, got attack.Mapping) {
	tb.Helper()
	to, exists := m.Target().Technique(got.To.Technique)
	var ok bool
	switch got.Verdict {
	case attack.Unchanged, attack.Renamed:
		ok = got.To == got.From
	case attack.Moved:
		ok = got.To.Technique == got.From.Technique && got.To.Tactic != got.From.Tactic
	case attack.Replaced:
		ok = got.To.Technique != got.From.Technique
	case attack.Deprecated:
		ok = to.Deprecated
	case attack.Gone:
		ok = got.To == attack.Pair{}
	}
	if got.Verdict.Placed() {
		ok = ok && exists && to.Active() && slices.Contains(to.Tactics, got.To.Tactic)
	}
	if !ok {
		tb.Errorf("%s to %s: %+v", m.Source().Name, m.Target().Name, got)
	}
}

func TestVerdicts(t *testing.T) {
	type counts map[attack.Verdict]int
	for _, c := range []struct {
		from, to string
		want     counts
	}{
		{"enterprise-v8.2", "enterprise-v18.1", counts{"unchanged": 631, "renamed": 44, "replaced": 8, "deprecated": 18}},
		{"enterprise-v11.3", "enterprise-v18.1", counts{"unchanged": 722, "renamed": 20, "replaced": 184, "deprecated": 18}},
		{"enterprise-v18.1", "enterprise-v8.2", counts{
			"unchanged": 642, "renamed": 44, "moved": 11, "replaced": 176, "deprecated": 15, "gone": 201,
		}},
		{"mobile-v8.2", "mobile-v18.1", counts{"unchanged": 27, "renamed": 17, "moved": 10, "replaced": 46, "deprecated": 18}},
		{"ics-v8.2", "ics-v18.1", counts{"unchanged": 67, "renamed": 2, "moved": 12, "deprecated": 15}},
	} {
		m := remap(t, builtin.Catalogue(), c.from, c.to)
		got := counts{}
		for technique := range m.Source().Techniques() {
			for _, tactic := range technique.Tactics {
				got[m.Map(attack.Pair{Technique: technique.ID, Tactic: tactic}).Verdict]++
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s to %s: %s", c.from, c.to, diff)
		}
	}
}

func TestKnownChanges(t *testing.T) {
	for _, c := range []struct {
		from, to string
		attack.Mapping
	}{
		// A chain of two successors, of which the second came with a later release.
		{"enterprise-v8.2", "enterprise-v18.1", attack.Mapping{
			From: attack.Pair{Technique: "T1150", Tactic: "TA0005"}, To: attack.Pair{Technique: "T1647", Tactic: "TA0005"},
			Verdict: attack.Replaced, Via: []string{"T1547.011"},
		}},
		{"enterprise-v16.1", "enterprise-v18.1", attack.Mapping{
			From: attack.Pair{Technique: "T1574.002", Tactic: "TA0003"}, To: attack.Pair{Technique: "T1574.001", Tactic: "TA0003"},
			Verdict: attack.Replaced,
		}},
		{"enterprise-v18.1", "enterprise-v15.1", attack.Mapping{
			From: attack.Pair{Technique: "T1574.002", Tactic: "TA0003"}, To: attack.Pair{Technique: "T1574.002", Tactic: "TA0003"},
			Verdict: attack.Unchanged,
		}},
		// An id that came back.
		{"mobile-v17.1", "mobile-v18.1", attack.Mapping{
			From: attack.Pair{Technique: "T1453", Tactic: "TA0035"}, To: attack.Pair{Technique: "T1453", Tactic: "TA0035"},
			Verdict: attack.Unchanged,
		}},
		// A successor that only the newest release names.
		{"mobile-v17.1", "mobile-v18.1", attack.Mapping{
			From: attack.Pair{Technique: "T1415", Tactic: "TA0031"}, To: attack.Pair{Technique: "T1635.001", Tactic: "TA0031"},
			Verdict: attack.Replaced,
		}},
		// A successor that is deprecated itself.
		{"mobile-v8.2", "mobile-v18.1", attack.Mapping{
			From: attack.Pair{Technique: "T1431", Tactic: "TA0027"}, To: attack.Pair{Technique: "T1476", Tactic: "TA0027"},
			Verdict: attack.Deprecated,
		}},
		// Revoked without a successor.
		{"mobile-v8.2", "mobile-v18.1", attack.Mapping{
			From: attack.Pair{Technique: "T1454", Tactic: "TA0035"}, Verdict: attack.Gone,
		}},
	} {
		got := remap(t, builtin.Catalogue(), c.from, c.to).Map(c.From)
		if diff := cmp.Diff(c.Mapping, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s to %s: %s", c.from, c.to, diff)
		}
	}
}

// release19 returns enterprise-v19.1 or ics-v19.1 from secondary sources: the active techniques, and the other
// techniques of 18.1, revoked by the new ids of the crosswalk.
func release19(tb testing.TB, domain string) *attack.Release {
	tb.Helper()
	var extract struct {
		Tactics, Techniques []struct {
			ID, Domain, Name string
			Tactics          []string
		}
	}
	readJSON(tb, "secondary/attack-19.1-extract.json", &extract)
	var tactics []attack.Tactic
	for _, x := range extract.Tactics {
		if x.Domain == domain {
			tactics = append(tactics, attack.Tactic{ID: x.ID, Name: x.Name})
		}
	}
	var techniques []attack.Technique
	for _, x := range extract.Techniques {
		if x.Domain == domain {
			techniques = append(techniques, attack.Technique{ID: x.ID, Name: x.Name, Tactics: x.Tactics})
		}
	}
	for _, x := range readCrosswalk(tb).IDs {
		if x.Domain == domain {
			techniques = append(techniques, attack.Technique{ID: x.Old, Revoked: true, Successor: x.New})
		}
	}
	r, err := attack.NewRelease(domain+"-v19.1", tactics, techniques)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

type crosswalk struct {
	IDs []struct {
		Domain     string
		Old, New   string
		OldTactics []string `json:"old_tactics"`
		NewTactics []string `json:"new_tactics"`
	}
	SameID []struct {
		ID       string
		Old, New []string
	} `json:"same_id_other_tactics"`
}

func readCrosswalk(tb testing.TB) crosswalk {
	tb.Helper()
	var c crosswalk
	readJSON(tb, "secondary/crosswalk-18.1-19.1.json", &c)
	return c
}

func readJSON(tb testing.TB, pattern string, v any) {
	tb.Helper()
	text, err := os.ReadFile(official(tb, pattern)[0])
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		tb.Fatal(err)
	}
}

func TestCrosswalkTo19(t *testing.T) {
	c := builtin.Catalogue()
	walk := readCrosswalk(t)
	for _, domain := range []string{"enterprise", "ics"} {
		c.Add(release19(t, domain))
	}
	for _, x := range walk.IDs {
		m := remap(t, c, x.Domain+"-v18.1", x.Domain+"-v19.1")
		for _, tactic := range x.OldTactics {
			got := m.Map(attack.Pair{Technique: x.Old, Tactic: tactic})
			checkMapping(t, m, got)
			stays := slices.Contains(x.NewTactics, tactic)
			if got.Verdict != attack.Replaced || got.To.Technique != x.New || (got.To.Tactic == tactic) != stays {
				t.Errorf("%+v, want %s in %v", got, x.New, x.NewTactics)
			}
		}
	}
	m := remap(t, c, "enterprise-v18.1", "enterprise-v19.1")
	impairs := 0
	for _, x := range walk.SameID {
		for _, tactic := range x.Old {
			got := m.Map(attack.Pair{Technique: x.ID, Tactic: tactic})
			checkMapping(t, m, got)
			if stays := slices.Contains(x.New, tactic); (got.Verdict == attack.Moved) == stays {
				t.Errorf("%+v, want it in %v", got, x.New)
			}
			if tactic == "TA0005" && got.To.Tactic == "TA0112" {
				impairs++
			}
		}
	}
	if len(walk.SameID) != 72 || impairs != 41 {
		t.Errorf("%d techniques change tactics, of which %d go from TA0005 to TA0112; want 72 and 41", len(walk.SameID), impairs)
	}
	for _, p := range pairs(m.Source()) {
		checkMapping(t, m, m.Map(p))
	}
}
