package main

import (
	"strings"
	"testing"
)

func TestRollupOfNothing(t *testing.T) {
	c := filled(t)
	for scope, note := range map[string]string{
		"session none":             "no tag has session none\n",
		"attacker " + campaignID:   "unknown attacker " + campaignID + ": it is not stored and has no tags\n",
		"identity " + campaignID:   "unknown identity " + campaignID + ": it is not stored and has no tags\n",
		"campaign " + attackerID:   "unknown campaign " + attackerID + ": it is not stored and has no tags\n",
		"fleet --rule R9":          "no tag has rule R9; did you mean R1?\n",
		"fleet --since 2027-01-01": "no tags match: fleet has 4 tags\n",
		"session s1 --decky x":     "no tags match: session s1 has 4 tags\n",
	} {
		args := append([]string{"rollup"}, shellWords(scope)...)
		c.want(result{exitSuccess, "", note}, "", args...)
		c.want(result{exitSuccess, "[]\n", note}, "", append(args, "--json")...)
		c.want(result{exitSuccess, "", note}, "", append(args, "--confidence", "-o=jsonl")...)
	}
	if got := c.runWith(`{"type":"identity","uuid":"`+otherIdentityID+`"}`, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(result{exitSuccess, "", "no tags: identity " + otherIdentityID + " is stored but has no tags\n"}, "", "rollup", "identity", otherIdentityID)
	empty := newCLI(t)
	empty.runWith("", "migrate", "up")
	empty.want(result{exitSuccess, "", "no tags: the database is empty\n"}, "", "rollup", "fleet")
}

func TestOutputFlags(t *testing.T) {
	c := twoAttackers(t)
	long := c.runWith("", "rollup", "fleet", "--output=json")
	for _, args := range [][]string{{"-o", "json"}, {"--json"}, {"-ojson"}} {
		c.want(long, "", append([]string{"rollup", "fleet"}, args...)...)
	}
	for _, sub := range []string{"fleet", "attackers"} {
		c.wantWrong("--output and --json are mutually exclusive", "rollup "+sub, "rollup", sub, "--json", "-o=csv")
		c.wantWrong(`invalid argument "xml" for "-o, --output" flag: must be table, json, jsonl or csv`, "rollup "+sub, "rollup", sub, "-o=xml")
	}
	c.wantWrong("--distinct and --confidence are mutually exclusive", "rollup fleet", "rollup", "fleet", "--distinct", "--confidence")
	c.wantWrong("unknown flag: --distinct", "rollup attackers", "rollup", "attackers", "--distinct")
	c.wantWrong(`unexpected argument "x"`, "rollup identities", "rollup", "identities", "x")
}

// In JSON, a sweep has an object for each scope; in the other formats, a row for each technique.
func TestSweep(t *testing.T) {
	c := twoAttackers(t)
	const discovery = `"technique_name":"System Information Discovery","tactic_name":"Discovery",` +
		`"mitre_url":"https://attack.mitre.org/techniques/T1082",`
	for plural, ids := range map[string][2]string{"attackers": {otherAttackerID, attackerID}, "identities": {otherIdentityID, identityID}} {
		kind := map[string]string{"attackers": "attacker", "identities": "identity"}[plural]
		name := map[string]string{"attackers": `"ip":"192.0.2.7"`, "identities": `"attackers":1,"ips":["192.0.2.7"]`}[plural]
		row := func(id, names, tactic, release, time, confidence string) string {
			return `{"kind":"` + kind + `","uuid":"` + id + `","techniques":[{"technique_id":"T1082",` + names +
				`"tactic":"TA0007","tactics":[{"tactic":"TA0007",` + tactic + `"count":1}],"releases":["` + release + `"],"count":1,"first_seen":"` + time + `","last_seen":"` + time + `","confidence_max":` + confidence + `}],` + name + "}\n"
		}
		c.want(result{exitSuccess, row(ids[0], "", "", "mobile-v18.1", "2026-03-17T06:00:00Z", "0.8") +
			row(ids[1], discovery, `"tactic_name":"Discovery",`, "enterprise-v18.1", "2026-03-16T00:00:00Z", "0.925"), ""},
			"", "rollup", plural, "--technique=T1082", "-o=jsonl")
		c.want(result{exitSuccess, "SCOPE     IP         TECHNIQUE       TACTIC  COUNT  FIRST SEEN  LAST SEEN   CONF\n" +
			ids[0][:8] + "  192.0.2.7  T1082           TA0007      1  2026-03-17  2026-03-17  0.80\n" +
			ids[1][:8] + "  192.0.2.7  T1082 System …  TA0007      1  2026-03-16  2026-03-16  0.93\n", ""}, "", "rollup", plural, "--technique=T1082", "-o=table")
		c.want(result{exitSuccess, "[]\n", "no tags\n"}, "", "rollup", plural, "--rule=R3", "--json")
		c.want(result{exitSuccess, "", "no tags\n"}, "", "rollup", plural, "--rule=R3", "-o=table")
	}
}

func TestRollupAsOf(t *testing.T) {
	c := newCLI(t)
	lines := tagLine("1", "TA0002", "T1086", "0.6", "2026-03-16T12:00:00Z") + tagLine("2", "TA0002", "T1059", "0.6", "2026-03-16T12:00:00Z") +
		tagLine("3", "TA0001", "T1059", "0.6", "2026-03-16T12:00:00Z")
	if got := c.runWith(strings.ReplaceAll(lines, "18.1", "8.2"), "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	table := `TECHNIQUE                                TACTIC                 COUNT  FIRST SEEN            LAST SEEN             CONF  VERDICT    TAGGED AS
T1059 Command and Scripting Interpreter  TA0002 Execution           1  2026-03-16T12:00:00Z  2026-03-16T12:00:00Z  0.60  unchanged
T1059 Command and Scripting Interpreter  TA0001 Initial Access      1  2026-03-16T12:00:00Z  2026-03-16T12:00:00Z  0.60  unknown    T1059 TA0001 enterprise-v8.2 1
T1059.001 PowerShell                     TA0002 Execution           1  2026-03-16T12:00:00Z  2026-03-16T12:00:00Z  0.60  replaced   T1086 TA0002 enterprise-v8.2 1
`
	c.want(result{exitSuccess, table, ""}, "", "rollup", "fleet", "--as-of=18.1", "-o=table", "--wide")
	c.want(result{exitSuccess, table, ""}, "", "new", "fleet", "--since=2026-01-01", "--as-of=18.1", "-o=table", "--wide")
	if got := c.runWith("", "rollup", "attackers", "--as-of=18.1", "-o=table", "--wide"); !strings.Contains(got.stdout,
		"replaced   T1086 TA0002 enterprise-v8.2 1\n") {
		t.Errorf("%+v", got)
	}
	if got := c.runWith("", "coverage", "fleet", "--as-of=18.1", "-o=csv"); !strings.Contains(got.stdout,
		"enterprise-v18.1,TA0002,Execution,1,17,1,29\n") || strings.Contains(got.stdout, "8.2") {
		t.Errorf("%+v", got)
	}
	if got := c.runWith("", "rollup", "fleet", "--as-of=18.1", "-o=csv"); !strings.HasSuffix(got.stdout,
		`,replaced,"[{""release"":""enterprise-v8.2"",""technique"":""T1086"",""tactic"":""TA0002"",""count"":1,""verdict"":""replaced""}]"`+"\n") {
		t.Errorf("%+v", got)
	}
}

// Tags of a release that is not built in have the names of the nearest release.
func TestRollupSaysWhereNamesAreFrom(t *testing.T) {
	c := newCLI(t)
	line := strings.ReplaceAll(tagLine("1", "TA0006", "T1110", "0.6", "2026-03-16T12:00:00Z"), "18.1", "18.0")
	if got := c.runWith(line, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(result{exitSuccess, `TECHNIQUE          TACTIC  COUNT  FIRST SEEN  LAST SEEN   CONF  NAMES FROM
T1110 Brute Force  TA0006      1  2026-03-16  2026-03-16  0.60  enterprise-v17.1
`, ""}, "", "rollup", "fleet", "-o=table")
}
