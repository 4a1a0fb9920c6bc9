package main

import (
	"strings"
	"testing"
)

func TestScopeShow(t *testing.T) {
	c := twoAttackers(t)
	c.want(result{exitSuccess, "campaign\t" + campaignID + "\nname\tCopper Heron\n", ""}, "", "scope", "show", "campaign", campaignID)
	c.want(result{exitSuccess, "attacker\t" + attackerID + "\nip\t192.0.2.7\nidentity\t" + identityID + "\n", ""},
		"", "scope", "show", "attacker", strings.ToUpper(attackerID))
	c.want(result{exitSuccess, `{
  "uuid": "` + attackerID + `",
  "ip": "192.0.2.7",
  "identity_uuid": "` + identityID + `"
}
`, ""}, "", "scope", "show", "attacker", attackerID, "--json")
	// A chain of merges ends at the survivor.
	third := `{"type":"identity","uuid":"` + strangerID + `"}`
	if got := c.runWith(third, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	for _, ids := range [][]string{{identityID, otherIdentityID}, {otherIdentityID, strangerID}} {
		if got := c.runWith("", append([]string{"scope", "merge", "identity"}, ids...)...); got.status != exitSuccess {
			t.Fatal(got)
		}
	}
	c.want(result{exitSuccess, "identity\t" + identityID + "\ncampaign\t" + campaignID + "\ncampaign name\tCopper Heron\nmerged into\t" + otherIdentityID +
		"\nsurvivor\t" + strangerID + "\nattackers\t1\nips\t192.0.2.7\n", ""}, "", "scope", "show", "identity", identityID)
	c.want(result{exitSuccess, `{
  "uuid": "` + identityID + `",
  "campaign_uuid": "` + campaignID + `",
  "merged_into_uuid": "` + otherIdentityID + `",
  "survivor_uuid": "` + strangerID + `",
  "campaign_name": "Copper Heron",
  "attackers": 1,
  "ips": [
    "192.0.2.7"
  ]
}
`, ""}, "", "scope", "show", "identity", identityID, "--json")
	c.want(result{exitSuccess, "identity\t" + strangerID + "\nattackers\t2\nips\t192.0.2.7\n", ""}, "", "scope", "show", "identity", strangerID)
	c.want(result{exitFailure, "", "ttpstore: get identity " + attackerID + ": not found\n"}, "", "scope", "show", "identity", attackerID, "--json")
}

func TestScopeShowPrintsNamesThatATerminalWouldObey(t *testing.T) {
	c := newCLI(t)
	name := "Heron\u202e"
	if got := c.runWith(`{"type":"campaign","uuid":"`+campaignID+`","name":"`+name+`"}`, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(result{exitSuccess, "campaign\t" + campaignID + "\nname\tHeron\\u202e\n", ""}, "", "scope", "show", "campaign", campaignID)
}

func TestWrongScopeShow(t *testing.T) {
	c := newCLI(t)
	known := "campaign, identity or attacker"
	for args, message := range map[string]string{
		"":                                "missing argument: " + known,
		"session s1":                      `unknown kind "session", must be ` + known,
		"fleet":                           `unknown kind "fleet", must be ` + known,
		"identity":                        "missing argument ID",
		"identity x":                      `the argument ID must be an IP, an id or at least the first 8 digits of one, not "x"`,
		"identity " + identityID + " foo": `unexpected argument "foo"`,
	} {
		c.wantWrong(message, "scope show", append([]string{"scope", "show"}, strings.Fields(args)...)...)
	}
	c.wantWrong(`unknown command "sho", did you mean "show"?`, "scope", "scope", "sho")
	c.wantNoFile()
}
