package main

import (
	"strings"
	"testing"
)

func TestScopes(t *testing.T) {
	c := twoAttackers(t)
	for scope, want := range map[string]string{
		"fleet": "6", "identity " + identityID: "4", "attacker " + otherAttackerID: "2", "campaign " + campaignID: "4",
		"session s2": "2", "session fleet": "0", "identity " + attackerID: "0", "attacker " + strings.ToUpper(attackerID): "4",
	} {
		c.want(result{exitSuccess, want + "\n", ""}, "", append([]string{"tags", "--count"}, strings.Fields(scope)...)...)
	}
}

func TestWrongScope(t *testing.T) {
	c := newCLI(t)
	known := "fleet, identity, attacker, campaign or session"
	for _, command := range []string{"tags", "timeline", "new"} {
		for _, test := range []struct {
			message string
			args    []string
		}{
			{"missing argument SCOPE: " + known, nil},
			{`unknown scope "feet", must be ` + known + ", did you mean fleet?", []string{"feet"}},
			{`unknown scope "", must be ` + known, []string{""}},
			{`unknown scope "Fleet", must be ` + known + ", did you mean fleet?", []string{"Fleet"}},
			{"missing argument ID", []string{"session"}},
			{"missing argument ID", []string{"identity"}},
			{`the argument ID must be an IP, an id or at least the first 8 digits of one, not "x"`, []string{"identity", "x"}},
			{`the argument ID must be an IP, an id or at least the first 8 digits of one, not "x"`, []string{"attacker", "x"}},
			{"the argument ID must not be empty", []string{"session", ""}},
			{`unexpected argument "x"`, []string{"fleet", "x"}},
			{`unexpected argument "x"`, []string{"session", "s1", "x"}},
		} {
			c.wantWrong(test.message, command, append([]string{command}, test.args...)...)
		}
	}
	c.wantWrong("missing argument SCOPE: "+known, "compare", "compare", "fleet")
	c.wantWrong("missing argument SCOPE: "+known, "compare", "compare", "session", "s1")
	c.wantWrong("missing argument ID", "compare", "compare", "fleet", "session")
	c.wantWrong(`unexpected argument "fleet"`, "compare", "compare", "fleet", "fleet", "fleet")
	c.wantNoFile()
}

func TestCompletion(t *testing.T) {
	c := newCLI(t)
	kinds := "fleet\nidentity\nattacker\ncampaign\nsession\n:4\n"
	nothing := ":4\n"
	for args, want := range map[string]string{
		"tags ":                       kinds,
		"timeline ":                   kinds,
		"new ":                        kinds,
		"compare ":                    kinds,
		"tags identity ":              nothing,
		"tags fleet ":                 nothing,
		"compare fleet ":              kinds,
		"compare identity ":           nothing,
		"compare identity x ":         kinds,
		"compare identity x session ": nothing,
		"compare fleet fleet ":        nothing,
		"who ":                        "identity\nattacker\ncampaign\nsession\nip\n:4\n",
		"who session ":                nothing,
		"tag ":                        nothing,
		"phases ":                     nothing,
		"rules ":                      nothing,
		"rollup attackers ":           nothing,
		"tags fleet --domain ":        "enterprise\nics\nmobile\n:4\n",
		"tags fleet --since ":         "today\nyesterday\n24h\n7d\n2w\n:4\n",
		"tags fleet --technique ":     nothing,
		"tags fleet --cursor ":        nothing,
		"timeline fleet --by ":        "technique\ntactic\n:4\n",
		"timeline fleet --bucket ":    "15m\n1h\n1d\n1w\n:4\n",
		"scope ": "assign\tAssign attackers to an identity, or identities to a campaign\nlist\tList campaigns, identities or attackers\n" +
			"merge\tMerge an identity or campaign into another one\nshow\tShow a campaign, identity or attacker\n" +
			"unassign\tUnassign attackers from identities, or identities from campaigns\nunmerge\tUndo the merge of an identity or campaign\n:4\n",
		"scope show ":                      "campaign\nidentity\nattacker\n:4\n",
		"scope show attacker ":             nothing,
		"scope merge ":                     "identity\ncampaign\n:4\n",
		"scope merge identity ":            nothing,
		"scope unmerge ":                   "identity\ncampaign\n:4\n",
		"scope assign attackers ":          nothing,
		"scope list attackers ":            nothing,
		"scope list attackers --output ":   "table\njson\njsonl\ncsv\n:4\n",
		"scope list attackers --identity ": nothing,
		"scope list attackers --after ":    nothing,
		"purge session ":                   nothing,
		"purge session x --reason ":        nothing,
		"purge session x --batch ":         nothing,
		"rollback rule ":                   nothing,
		"rollback rule R1 --version ":      nothing,
		"rollback rule R1 --since ":        "today\nyesterday\n24h\n7d\n2w\n:4\n",
		"retention --keep ":                "90d\n26w\n1y\n:4\n",
		"tombstone list --output ":         "table\njson\njsonl\ncsv\n:4\n",
		"tombstone lift ":                  nothing,
		"verify ":                          nothing,
		"export - --domain ":               "enterprise\nics\nmobile\n:4\n",
		"rollup fleet --source-kind ":      "command\nauth_attempt\nhttp_request\npayload\nemail\ncanary\nintel\nsession\nfingerprint\nidentity_rollup\n:4\n",
	} {
		got := c.runWith("", append([]string{"__complete"}, strings.Split(args, " ")...)...)
		if got.status != exitSuccess || got.stdout != want {
			t.Errorf("%q: %+v, want %q", args, got, want)
		}
	}
}
