package attack_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/decnet/ttpstore/attack"
)

// makeRelease makes a release of tactics, such as "TA0001 Digging", and techniques, such as
// "T1001 Shovel TA0001,TA0002 revoked >T1002".
func makeRelease(tb testing.TB, name string, lines ...string) *attack.Release {
	tb.Helper()
	var tactics []attack.Tactic
	var techniques []attack.Technique
	for _, line := range lines {
		fields := strings.Fields(line)
		if strings.HasPrefix(fields[0], "TA") {
			tactics = append(tactics, attack.Tactic{ID: fields[0], Name: fields[1], Shortname: strings.ToLower(fields[1])})
			continue
		}
		t := attack.Technique{ID: fields[0], Name: fields[1]}
		for _, field := range fields[2:] {
			switch {
			case field == "revoked":
				t.Revoked = true
			case field == "deprecated":
				t.Deprecated = true
			case field[0] == '>':
				t.Successor = field[1:]
			default:
				t.Tactics = strings.Split(field, ",")
			}
		}
		techniques = append(techniques, t)
	}
	r, err := attack.NewRelease(name, tactics, techniques)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// diggers is a catalogue of three releases.
func diggers(tb testing.TB) *attack.Catalogue {
	tb.Helper()
	c := &attack.Catalogue{}
	c.Add(makeRelease(tb, "enterprise-v1.0",
		"TA0001 Digging", "TA0002 Hauling", "TA0003 Resting",
		"T1001 Shovel TA0001",
		"T1002 Bucket TA0002",
		"T1003 Crane TA0001,TA0002",
		"T1004 Rope TA0002,TA0003",
		"T1005 Sack TA0002",
		"T1006 Cart TA0002", "T1006.001 Handcart TA0002", "T1006.002 Wheelbarrow TA0002",
		"T1007 Bench TA0003",
		"T1008 Hammock TA0003",
		"T1009 Nap TA0003",
		"T1010 Break revoked >T1009", // does not say its tactics
		"T1011 Lamp TA0001",
		"T1012 Torch TA0001",
		"T1013 Candle TA0001",
		"T1014 Pan TA0001", "T1015 Sieve TA0001",
		"T1018 Plank TA0001",
		"T1020 Rake TA0001,TA0003",
	))
	c.Add(makeRelease(tb, "enterprise-v2.0",
		"TA0001 Digging", "TA0002 Hauling", "TA0003 Resting",
		"T1001 Shovel TA0001",
		"T1002 Bucket revoked TA0002 >T1005", // comes back
		"T1003 Crane TA0001,TA0002",
		"T1005 Sack revoked TA0002 >T1006.001",
		"T1006 Cart TA0002", "T1006.001 Handcart TA0002", "T1006.002 Wheelbarrow revoked TA0002 >T1006",
		"T1007 Bench TA0003",
		"T1009 Nap TA0003",
		"T1010 Break revoked TA0003 >T1009",
		"T1011 Lamp revoked TA0001 >T1012",
		"T1012 Torch revoked TA0001 >T1013",
		"T1014 Pan revoked TA0001 >T1015", "T1015 Sieve TA0001",
		"T1016 Winch TA0002",
		"T1018 Plank revoked TA0001 >T1001",
	))
	c.Add(makeRelease(tb, "enterprise-v3.0",
		"TA0001 Burrowing", "TA0002 Hauling", "TA0004 Pulling",
		"T1001 Shovel TA0001",
		"T1002 Bucket TA0002",
		"T1003 Excavator TA0004,TA0002",
		"T1004 Rope TA0002",
		"T1006 Trolley TA0002", "T1006.001 Handcart revoked TA0002 >T1006", "T1006.002 Wheelbarrow revoked TA0002",
		"T1007 Bench deprecated TA0003",
		"T1009 Nap revoked TA0003",
		"T1013 Candle deprecated TA0001",
		"T1015 Sieve revoked TA0001 >T1014",
		"T1017 Hook TA0004",
		"T1018 Plank deprecated TA0001",
		"T1020 Rake",
	))
	return c
}

func TestMap(t *testing.T) {
	c := diggers(t)
	for name, want := range map[string]struct {
		from, to string // releases
		attack.Mapping
	}{
		"Unchanged":           {"1.0", "2.0", mapping("T1001 TA0001", attack.Unchanged, "T1001 TA0001")},
		"TheSameRelease":      {"1.0", "1.0", mapping("T1001 TA0001", attack.Unchanged, "T1001 TA0001")},
		"RenamedTechnique":    {"1.0", "3.0", mapping("T1003 TA0002", attack.Renamed, "T1003 TA0002")},
		"RenamedTactic":       {"1.0", "3.0", mapping("T1001 TA0001", attack.Renamed, "T1001 TA0001")},
		"ComesBack":           {"1.0", "3.0", mapping("T1002 TA0002", attack.Unchanged, "T1002 TA0002")},
		"MovedToTheNewTactic": {"2.0", "3.0", mapping("T1003 TA0001", attack.Moved, "T1003 TA0004")},
		"MovedToTheOldTactic": {"1.0", "3.0", mapping("T1004 TA0003", attack.Moved, "T1004 TA0002")},
		"ReplacedBySubThenByParent": {
			"1.0", "3.0", mapping("T1005 TA0002", attack.Replaced, "T1006 TA0002", "T1006.001"),
		},
		"ReplacedByParent":           {"2.0", "3.0", mapping("T1006.001 TA0002", attack.Replaced, "T1006 TA0002")},
		"SuccessorOfAReleaseBetween": {"1.0", "3.0", mapping("T1006.002 TA0002", attack.Replaced, "T1006 TA0002")},
		"ReplacedInTheSameRelease":   {"2.0", "2.0", mapping("T1002 TA0002", attack.Replaced, "T1006.001 TA0002", "T1005")},
		"TacticsUnsaid":              {"1.0", "2.0", mapping("T1010 TA0003", attack.Replaced, "T1009 TA0003")},
		"TacticsUnsaidAndOther":      {"1.0", "1.0", mapping("T1010 TA0001", attack.Replaced, "T1009 TA0003")},
		"Deprecated":                 {"1.0", "3.0", mapping("T1007 TA0003", attack.Deprecated, "T1007 TA0003")},
		"DeprecatedAfterRevoked":     {"1.0", "3.0", mapping("T1018 TA0001", attack.Deprecated, "T1018 TA0001")},
		"DeprecatedSuccessor":        {"1.0", "3.0", mapping("T1011 TA0001", attack.Deprecated, "T1013 TA0001", "T1012")},
		"GoneWithoutATrace":          {"1.0", "3.0", mapping("T1008 TA0003", attack.Gone, " ")},
		"GoneWithItsSuccessor":       {"1.0", "3.0", mapping("T1010 TA0003", attack.Gone, " ", "T1009")},
		"GoneIntoACircle":            {"1.0", "3.0", mapping("T1014 TA0001", attack.Gone, " ", "T1015")},
		"GoneFromAllTactics":         {"1.0", "3.0", mapping("T1020 TA0001", attack.Gone, " ")},
		"UnknownTechnique":           {"1.0", "3.0", mapping("T9999 TA0001", attack.Unknown, " ")},
		"UnknownTactic":              {"1.0", "3.0", mapping("T1001 TA0002", attack.Unknown, " ")},
		"Newer":                      {"1.0", "3.0", mapping("T1017 TA0004", attack.Unchanged, "T1017 TA0004")},
		"NewerAndGone":               {"1.0", "3.0", mapping("T1016 TA0002", attack.Gone, " ")},
		"Backwards":                  {"3.0", "1.0", mapping("T1003 TA0004", attack.Moved, "T1003 TA0001")},
		"BackwardsBeforeItWasMade":   {"3.0", "1.0", mapping("T1017 TA0004", attack.Gone, " ")},
		"BackwardsBeforeRevoked":     {"3.0", "1.0", mapping("T1009 TA0003", attack.Unchanged, "T1009 TA0003")},
		"OfNearestRelease":           {"1.5", "3.0", mapping("T1004 TA0003", attack.Moved, "T1004 TA0002")},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := c.Remap("enterprise-v"+want.from, "enterprise-v"+want.to)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Mapping, m.Map(want.From), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// mapping makes a mapping of pairs such as "T1001 TA0001".
func mapping(from string, verdict attack.Verdict, to string, via ...string) attack.Mapping {
	return attack.Mapping{From: pair(from), To: pair(to), Verdict: verdict, Via: via}
}

func pair(s string) attack.Pair {
	technique, tactic, _ := strings.Cut(s, " ")
	return attack.Pair{Technique: technique, Tactic: tactic}
}

func TestRemapping(t *testing.T) {
	c := diggers(t)
	m, err := c.Remap("enterprise-v2.7", "enterprise-v3.0")
	if err != nil {
		t.Fatal(err)
	}
	if m.Source().Name != "enterprise-v2.0" || m.Target().Name != "enterprise-v3.0" {
		t.Errorf("maps %s to %s, want enterprise-v2.0 to enterprise-v3.0", m.Source().Name, m.Target().Name)
	}
	c.Add(makeRelease(t, "ics-v3.0"))
	const all = "enterprise-v1.0, enterprise-v2.0, enterprise-v3.0, ics-v3.0"
	for _, r := range []struct{ from, to, want string }{
		{"enterprise-v1.0", "enterprise-v4.0",
			`"enterprise-v4.0"; the catalogue has enterprise-v1.0, enterprise-v2.0, enterprise-v3.0`},
		{"mobile-v1.0", "enterprise-v3.0", `"mobile-v1.0"; the catalogue has ` + all},
		{"1.0", "ics-v3.0", `"1.0"; the catalogue has ` + all},
		{"enterprise-v1.0", "ics-v3.0", "ics-v3.0 is of another domain than enterprise-v1.0"},
	} {
		_, err := c.Remap(r.from, r.to)
		if !errors.Is(err, attack.ErrUnknownRelease) || err.Error() != "unknown ATT&CK release: "+r.want {
			t.Errorf("%s to %s: %v, want %s", r.from, r.to, err, r.want)
		}
	}
	empty := attack.Catalogue{}
	if _, err := empty.Remap("ics-v1.0", "ics-v2.0"); !errors.Is(err, attack.ErrUnknownRelease) {
		t.Errorf("in an empty catalogue: %v, want ErrUnknownRelease", err)
	}
}
