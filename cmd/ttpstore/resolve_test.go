package main

import (
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestScopesByName(t *testing.T) {
	c := demo(t)
	for scope, want := range map[string]string{
		"attacker 192.0.2.17":                           "101",
		"attacker b0901043":                             "101",
		"attacker B0901043-def8":                        "101",
		"attacker b0901043def8":                         "101",
		"attacker ::ffff:192.0.2.17":                    "101",
		"identity 192.0.2.17":                           "171",
		"identity e1292c78":                             "171",
		"identity 38662786":                             "171", // merged into the one before
		`campaign "Copper Heron"`:                       "207",
		`campaign "copper heron"`:                       "207",
		"campaign 27b9630e":                             "207",
		"session 66ffcc176598":                          "19",
		"session 66ffcc17":                              "19",
		"session 66ffcc1":                               "0", // too short
		"attacker 00000000-0000-4000-8000-000000000000": "0",
	} {
		c.want(result{exitSuccess, want + "\n", ""}, "", append([]string{"tags", "--count"}, shellWords(scope)...)...)
	}
	for args, message := range map[string]string{
		"rollup attacker 203.0.113.99": `no attacker matches "203.0.113.99": ` + "`ttpstore --db sqlite://" + c.db + " who attacker` lists those with tags",
		"phases 00000000":              `no identity matches "00000000": ` + "`ttpstore --db sqlite://" + c.db + " who identity` lists those with tags",
		"rollup campaign Cooper":       `no campaign matches "Cooper": ` + "`ttpstore --db sqlite://" + c.db + " who campaign` lists those with tags",
		"tag 00000000":                 "no tag id begins with 00000000",
	} {
		c.want(result{exitFailure, "", "ttpstore: " + message + "\n"}, "", strings.Fields(args)...)
	}
}

func TestAmbiguousScopesAreListed(t *testing.T) {
	c := twoAttackers(t) // both of one IP, in campaigns of one name
	c.want(result{exitUsage, "", `ttpstore: attacker "192.0.2.7" is ambiguous: give an id:
  ` + otherAttackerID + `  192.0.2.7
  ` + attackerID + `  192.0.2.7
`}, "", "rollup", "attacker", "192.0.2.7")
	c.want(result{exitUsage, "", `ttpstore: campaign "Copper Heron" is ambiguous: give an id:
  ` + campaignID + `  Copper Heron
  ` + otherCampaignID + `  Copper Heron
`}, "", "compare", "fleet", "campaign", "Copper Heron")
	lines := `{"type":"attacker","uuid":"` + attackerID[:9] + "ffff-4000-8000-000000000000" + `"}` + "\n" +
		strings.ReplaceAll(tagLine("p", "TA0006", "T1110", "0.6", "2026-03-16T12:00:00Z"), `"s1"`, `"session-one"`) +
		strings.ReplaceAll(tagLine("q", "TA0006", "T1110", "0.6", "2026-03-16T12:00:00Z"), `"s1"`, `"session-two"`)
	if got := c.runWith(lines, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(result{exitUsage, "", `ttpstore: attacker "542eed02" is ambiguous: give more digits of the id:
  ` + attackerID + `  192.0.2.7
  542eed02-ffff-4000-8000-000000000000
`}, "", "tags", "attacker", "542eed02")
	c.want(result{exitUsage, "", `ttpstore: session "session-" is ambiguous: give more digits of the id:
  session-one
  session-two
`}, "", "session", "session-")
	c.want(result{exitSuccess, "6\n", ""}, "", "tags", "--count", "attacker", attackerID[:10]) // of one only
}

// A scope that is named by tags only is found by the beginning of its id, too.
func TestScopesThatAreNotStored(t *testing.T) {
	c := newCLI(t)
	if got := c.runWith(tagLine("a", "TA0006", "T1110", "0.6", "2026-03-16T12:00:00Z"), "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(result{exitSuccess, "1\n", ""}, "", "tags", "--count", "attacker", attackerID[:8])
}

func TestPrefixRange(t *testing.T) {
	for beginning, want := range map[string]string{
		"542eed02":      "542eed01-ffff-ffff-ffff-ffffffffffff",
		"542eed02-5E33": "542eed02-5e32-ffff-ffff-ffffffffffff",
		"00000001":      "00000000-ffff-ffff-ffff-ffffffffffff",
	} {
		before, digits := prefixRange(beginning)
		if before != uuid.MustParse(want) || digits != strings.ToLower(strings.ReplaceAll(beginning, "-", "")) {
			t.Errorf("%s: %s, %s", beginning, before, digits)
		}
	}
}

func TestCompletionFromTheDatabase(t *testing.T) {
	c := twoAttackers(t)
	for args, want := range map[string]string{
		"tags attacker ":          "192.0.2.7\t29fdaf10\n192.0.2.7\t542eed02\n:4\n",
		"tags attacker 542e":      attackerID + "\t192.0.2.7\n:4\n",
		"tags identity ":          "192.0.2.7\t189b3fbb\n192.0.2.7\te1292c78\n:4\n",
		"phases e1292":            identityID + "\t192.0.2.7\n:4\n",
		"scope show ip ":          ":4\n",
		"rollup campaign Co":      "Copper Heron\t27b9630e\nCopper Heron\t7c2173a3\n:4\n",
		"session ":                "s1\t4 tags\ns2\t2 tags\n:4\n",
		"compare fleet session ":  "s1\t4 tags\ns2\t2 tags\n:4\n",
		"rollback rule ":          "R1\nR2\n:4\n",
		"rollback batch x ":       ":4\n",
		"attack show ":            "T1110.001\tPassword Guessing\nT1082\tSystem Information Discovery\nT1110\tBrute Force\n:4\n",
		"tags fleet --rule ":      "R1\nR2\n:4\n",
		"tags fleet --decky ":     "decky-1\t2 tags\n:4\n",
		"tags fleet --technique ": "T1110.001\tPassword Guessing\nT1082\tSystem Information Discovery\nT1110\tBrute Force\n:4\n",
		"tags fleet --tactic ":    "TA0001\tInitial Access\nTA0006\tCredential Access\nTA0007\tDiscovery\n:4\n",
		"tags fleet --release ":   "enterprise-v18.1\nmobile-v18.1\n:4\n",
		"scope show attacker ":    "192.0.2.7\t29fdaf10\n192.0.2.7\t542eed02\n:4\n",
		"scope assign attackers ": "192.0.2.7\t189b3fbb\n192.0.2.7\te1292c78\n:4\n",
	} {
		got := c.runWith("", append([]string{"__complete"}, strings.Split(args, " ")...)...)
		if got.status != exitSuccess || got.stdout != want {
			t.Errorf("%q: %q, want %q", args, got.stdout, want)
		}
	}
}

func TestBatchesAreCompleted(t *testing.T) {
	c := filled(t)
	batch := c.rows("tags", "fleet")[0]["batch_uuid"]
	c.want(result{exitSuccess, batch + "\tuntil 2026-03-16\n:4\n", "Completion ended with directive: ShellCompDirectiveNoFileComp\n"},
		"", "__complete", "rollback", "batch", "")
}
