package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestScopeList(t *testing.T) {
	c := twoAttackers(t)
	campaigns := "CAMPAIGN  NAME\n" + campaignID[:8] + "  Copper Heron\n" + otherCampaignID[:8] + "  Copper Heron\n"
	for _, flags := range []string{"", "--limit 0", "-n 2"} {
		c.want(result{exitSuccess, campaigns, ""}, "", append([]string{"scope", "list", "campaigns", "-o=table"}, strings.Fields(flags)...)...)
	}
	c.want(result{exitSuccess, "uuid,campaign_uuid,merged_into_uuid,survivor_uuid,campaign_name\n" + otherIdentityID + "," + otherCampaignID +
		",,,Copper Heron\n",
		"showing 1 of 2; use --after " + otherIdentityID + " for the next page or --limit 0 for all\n"}, "", "scope", "list", "identities", "-o=csv", "--limit=1")
	c.want(result{exitSuccess, `[
  {
    "uuid": "` + attackerID + `",
    "ip": "192.0.2.7",
    "identity_uuid": "` + identityID + `"
  }
]
`, ""}, "", "scope", "list", "attackers", "--json", "--after", otherAttackerID)
	c.want(result{exitSuccess, `{"uuid":"` + otherIdentityID + `","campaign_uuid":"` + otherCampaignID + `","campaign_name":"Copper Heron"}` + "\n" +
		`{"uuid":"` + identityID + `","campaign_uuid":"` + campaignID + `","campaign_name":"Copper Heron"}` + "\n", ""}, "", "scope", "list", "identities", "-o=jsonl")
}

func TestScopeListOfOneScope(t *testing.T) {
	c := twoAttackers(t)
	for _, ids := range [][]string{{"identity", identityID, otherIdentityID}, {"campaign", otherCampaignID, campaignID}} {
		if got := c.runWith("", append([]string{"scope", "merge"}, ids...)...); got.status != exitSuccess {
			t.Fatal(got)
		}
	}
	for args, want := range map[string]string{
		"campaigns --campaign " + campaignID:                            otherCampaignID + ",Copper Heron," + campaignID + "," + campaignID + "\n",
		"campaigns --campaign " + otherCampaignID:                       "",
		"identities --campaign " + campaignID:                           identityID + "," + campaignID + "," + otherIdentityID + "," + otherIdentityID + ",Copper Heron\n",
		"identities --identity " + otherIdentityID:                      identityID + "," + campaignID + "," + otherIdentityID + "," + otherIdentityID + ",Copper Heron\n",
		"identities --identity " + identityID:                           "",
		"attackers --identity " + identityID:                            attackerID + ",192.0.2.7," + identityID + "\n",
		"attackers --identity " + attackerID:                            "",
		"attackers --identity " + identityID + " --after " + attackerID: "",
	} {
		got := c.runWith("", append(append([]string{"scope", "list"}, strings.Fields(args)...), "-o=csv")...)
		if _, rows, _ := strings.Cut(got.stdout, "\n"); rows != want || got.status != exitSuccess || (got.stderr == "") != (rows != "") {
			t.Errorf("%s: %+v", args, got)
		}
	}
	c.want(result{exitSuccess, "", "no attackers\n"}, "", "scope", "list", "attackers", "--identity", attackerID)
	c.want(result{exitSuccess, "[]\n", "no campaigns\n"}, "", "scope", "list", "campaigns", "--campaign", attackerID, "--json")
}

// A list is read in pages for every limit.
func TestScopeListOfManyPages(t *testing.T) {
	c := newCLI(t)
	var lines strings.Builder
	id := func(i int) string { return fmt.Sprintf("11111111-1111-4111-8111-%012d", i) }
	for i := range 2*chunk + 1 {
		lines.WriteString(`{"type":"attacker","uuid":"` + id(i) + `"}` + "\n")
	}
	if got := c.runWith(lines.String(), "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	for flags, want := range map[string]result{
		"":                           {100, id(99), "100 of 2,001"},
		"--limit 999":                {999, id(998), "999 of 2,001"},
		"--limit 1000":               {1000, id(999), "1,000 of 2,001"},
		"--limit 2000":               {2000, id(1999), "2,000 of 2,001"},
		"--limit 2001":               {2001, "", ""},
		"--limit 10000":              {2001, "", ""},
		"--limit 0":                  {2001, "", ""},
		"-n 0 --after " + id(1000):   {1000, "", ""},
		"-n 999 --after " + id(1001): {999, "", ""},
		"-n 9 --after " + id(1001):   {9, id(1010), "9 of 999"},
	} {
		note := ""
		if want.stderr != "" {
			note = "showing " + want.stderr + "; use --after " + want.stdout + " for the next page or --limit 0 for all\n"
		}
		for _, form := range []string{"csv", "table"} {
			got := c.runWith("", append([]string{"scope", "list", "attackers", "-o", form}, strings.Fields(flags)...)...)
			if n := strings.Count(got.stdout, "\n") - 1; n != want.status || got.stderr != note || got.status != exitSuccess {
				t.Errorf("%s: %d rows, %q", flags, n, got.stderr)
			}
		}
	}
}

func TestWrongScopeList(t *testing.T) {
	c := newCLI(t)
	for args, message := range map[string]string{
		"campaigns x":                   `unexpected argument "x"`,
		"campaigns --identity x":        "unknown flag: --identity",
		"attackers --campaign x":        "unknown flag: --campaign",
		"attackers --identity x":        `invalid argument "x" for "--identity" flag: the argument ID must be an IP, an id or at least the first 8 digits of one, not "x"`,
		"attackers --identity=":         `invalid argument "" for "--identity" flag: the argument ID must not be empty`,
		"attackers --after x":           `invalid argument "x" for "--after" flag: must be a UUID`,
		"attackers --limit 10001":       `invalid argument "10001" for "-n, --limit" flag: must be a whole number from 0 to 10000`,
		"attackers --json --output csv": "--output and --json are mutually exclusive",
		"identities --campaign " + campaignID + " --identity " + identityID: "--campaign and --identity are mutually exclusive",
	} {
		name, _, _ := strings.Cut(args, " ")
		c.wantWrong(message, "scope list "+name, append([]string{"scope", "list"}, strings.Fields(args)...)...)
	}
	c.wantWrong(`unknown command "sessions"`, "scope list", "scope", "list", "sessions")
	c.wantNoFile()
}
