package main

import (
	"strings"
	"testing"
)

func TestRollupCountsWhatIsDistinct(t *testing.T) {
	c := twoAttackers(t)
	c.want(result{exitSuccess, `TECHNIQUE  NAME                          SUB-TECHNIQUE  SUB-TECHNIQUE NAME  TACTICS             COUNT  FIRST SEEN            LAST SEEN             CONFIDENCE  SOURCES  ATTACKERS  IDENTITIES
T1110      Brute Force                   T1110.001      Password Guessing   TA0006 2, TA0001 1      3  2026-03-15T17:06:27Z  2026-03-15T17:06:36Z        0.75        3          1           1
T1082      System Information Discovery                                     TA0007 2                2  2026-03-16T00:00:00Z  2026-03-17T06:00:00Z        0.93        2          2           2
T1110      Brute Force                                                      TA0006 1                1  2026-03-16T12:00:00Z  2026-03-16T12:00:00Z        0.60        1          1           1
`, ""}, "", "rollup", "fleet", "--distinct")
	c.want(result{exitSuccess, `TECHNIQUE  NAME                          TACTICS   COUNT  FIRST SEEN            LAST SEEN             CONFIDENCE  SOURCES  ATTACKERS  IDENTITIES
T1082      System Information Discovery  TA0007 1      1  2026-03-16T00:00:00Z  2026-03-16T00:00:00Z        0.93        1          1           1
`, ""}, "", "rollup", "campaign", campaignID, "--distinct", "--technique=T1082")
	c.want(result{exitSuccess, `[
  {
    "technique_id": "T1082",
    "technique_name": "System Information Discovery",
    "tactic_name": "Discovery",
    "mitre_url": "https://attack.mitre.org/techniques/T1082",
    "tactic": "TA0007",
    "tactics": [
      {
        "tactic": "TA0007",
        "tactic_name": "Discovery",
        "count": 2
      }
    ],
    "releases": [
      "enterprise-v18.1",
      "mobile-v18.1"
    ],
    "count": 2,
    "first_seen": "2026-03-16T00:00:00Z",
    "last_seen": "2026-03-17T06:00:00Z",
    "confidence_max": 0.925,
    "distinct": {
      "sources": 2,
      "attackers": 2,
      "identities": 2
    }
  }
]
`, ""}, "", "rollup", "fleet", "--distinct", "--json", "--technique=T1082")
	header := "technique_id,technique_name,sub_technique_id,sub_technique_name,tactic,tactics,releases,count,first_seen,last_seen,confidence_max,mitre_url,names_from"
	c.want(result{exitSuccess, header + `,sources,attackers,identities
T1082,System Information Discovery,,,TA0007,TA0007:2,enterprise-v18.1;mobile-v18.1,2,2026-03-16T00:00:00Z,2026-03-17T06:00:00Z,0.925,https://attack.mitre.org/techniques/T1082,,2,2,2
`, ""}, "", "rollup", "fleet", "--distinct", "--format=csv", "--technique=T1082")
	c.want(result{exitSuccess, header + `,identity_count,sources,attackers,identities
T1082,System Information Discovery,,,TA0007,TA0007:1,enterprise-v18.1,1,2026-03-16T00:00:00Z,2026-03-16T00:00:00Z,0.925,https://attack.mitre.org/techniques/T1082,,1,1,1,1
`, ""}, "", "rollup", "campaign", campaignID, "--distinct", "--format=csv", "--technique=T1082")
}

func TestRollupSpellsJSONTwoWays(t *testing.T) {
	c := twoAttackers(t)
	long := c.runWith("", "rollup", "fleet", "--format=json")
	if long.status != exitSuccess || !strings.HasPrefix(long.stdout, "[\n  {\n") {
		t.Fatal(long)
	}
	c.want(long, "", "rollup", "fleet", "--json")
	c.want(long, "", "rollup", "--json", "fleet")
	for _, sub := range []string{"fleet", "attackers"} {
		c.wantWrong("--format and --json are mutually exclusive", "rollup "+sub, "rollup", sub, "--json", "--format=csv")
	}
}

func TestSweep(t *testing.T) {
	c := twoAttackers(t)
	c.want(result{exitSuccess, `ATTACKER                              TECHNIQUE  NAME                          SUB-TECHNIQUE  SUB-TECHNIQUE NAME  TACTICS             COUNT  FIRST SEEN            LAST SEEN             CONFIDENCE
29fdaf10-78d5-5f95-8bea-3d649e29ecd6  T1082                                                                       TA0007 1                1  2026-03-17T06:00:00Z  2026-03-17T06:00:00Z        0.80
29fdaf10-78d5-5f95-8bea-3d649e29ecd6  T1110      Brute Force                                                      TA0006 1                1  2026-03-16T12:00:00Z  2026-03-16T12:00:00Z        0.60
542eed02-5e33-5182-94c3-b95ea9af1b84  T1110      Brute Force                   T1110.001      Password Guessing   TA0006 2, TA0001 1      3  2026-03-15T17:06:27Z  2026-03-15T17:06:36Z        0.75
542eed02-5e33-5182-94c3-b95ea9af1b84  T1082      System Information Discovery                                     TA0007 1                1  2026-03-16T00:00:00Z  2026-03-16T00:00:00Z        0.93
`, ""}, "", "rollup", "attackers")
	c.want(result{exitSuccess, `IDENTITY                              TECHNIQUE  NAME                          TACTICS   COUNT  FIRST SEEN            LAST SEEN             CONFIDENCE
189b3fbb-9556-55f5-a524-57d8bd6526b3  T1082                                    TA0007 1      1  2026-03-17T06:00:00Z  2026-03-17T06:00:00Z        0.80
e1292c78-2e52-5857-ae79-bbc6fe89e0c2  T1082      System Information Discovery  TA0007 1      1  2026-03-16T00:00:00Z  2026-03-16T00:00:00Z        0.93
`, ""}, "", "rollup", "identities", "--tactic=TA0007")
	row := func(names, tactic, release, count, time, confidence string) string {
		return `"techniques":[{"technique_id":"T1082",` + names + `"tactic":"TA0007","tactics":[{"tactic":"TA0007",` + tactic +
			`"count":1}],"releases":["` + release +
			`"],"count":` + count + `,"first_seen":"` + time + `","last_seen":"` + time + `","confidence_max":` + confidence + "}]}\n"
	}
	const discovery = `"technique_name":"System Information Discovery","tactic_name":"Discovery",` +
		`"mitre_url":"https://attack.mitre.org/techniques/T1082",`
	for _, kind := range [][3]string{{"attacker", otherAttackerID, attackerID}, {"identity", otherIdentityID, identityID}} {
		plural := map[string]string{"attacker": "attackers", "identity": "identities"}[kind[0]]
		c.want(result{exitSuccess, `{"kind":"` + kind[0] + `","uuid":"` + kind[1] + `",` + row("", "", "mobile-v18.1", "1", "2026-03-17T06:00:00Z", "0.8") +
			`{"kind":"` + kind[0] + `","uuid":"` + kind[2] + `",` + row(discovery, `"tactic_name":"Discovery",`, "enterprise-v18.1", "1", "2026-03-16T00:00:00Z", "0.925"), ""},
			"", "rollup", plural, "--technique=T1082", "--json")
		header := "kind,id,technique_id,technique_name,sub_technique_id,sub_technique_name,tactic,tactics,releases,count,first_seen,last_seen,confidence_max,mitre_url,names_from\n"
		c.want(result{exitSuccess, header +
			kind[0] + "," + kind[1] + ",T1082,,,,TA0007,TA0007:1,mobile-v18.1,1,2026-03-17T06:00:00Z,2026-03-17T06:00:00Z,0.8,,\n" +
			kind[0] + "," + kind[2] + ",T1082,System Information Discovery,,,TA0007,TA0007:1,enterprise-v18.1,1,2026-03-16T00:00:00Z,2026-03-16T00:00:00Z," +
			"0.925,https://attack.mitre.org/techniques/T1082,\n", ""},
			"", "rollup", plural, "--technique=T1082", "--format=csv")
		c.want(result{exitSuccess, header, ""}, "", "rollup", plural, "--rule=R3", "--format=csv")
		c.want(result{exitSuccess, "", ""}, "", "rollup", plural, "--rule=R3", "--json")
		c.wantWrong(`unexpected argument "x"`, "rollup "+plural, "rollup", plural, "x")
		c.wantWrong("unknown flag: --distinct", "rollup "+plural, "rollup", plural, "--distinct")
	}
}

func TestRollup(t *testing.T) {
	c := filled(t)
	table := `TECHNIQUE  NAME                          SUB-TECHNIQUE  SUB-TECHNIQUE NAME  TACTICS             COUNT  FIRST SEEN            LAST SEEN             CONFIDENCE
T1110      Brute Force                   T1110.001      Password Guessing   TA0006 2, TA0001 1      3  2026-03-15T17:06:27Z  2026-03-15T17:06:36Z        0.75
T1082      System Information Discovery                                     TA0007 1                1  2026-03-16T00:00:00Z  2026-03-16T00:00:00Z        0.93
`
	campaignTable := `TECHNIQUE  NAME                          SUB-TECHNIQUE  SUB-TECHNIQUE NAME  TACTICS             COUNT  FIRST SEEN            LAST SEEN             CONFIDENCE  IDENTITIES
T1110      Brute Force                   T1110.001      Password Guessing   TA0006 2, TA0001 1      3  2026-03-15T17:06:27Z  2026-03-15T17:06:36Z        0.75           1
T1082      System Information Discovery                                     TA0007 1                1  2026-03-16T00:00:00Z  2026-03-16T00:00:00Z        0.93           1
`
	header := "technique_id,technique_name,sub_technique_id,sub_technique_name,tactic,tactics,releases,count,first_seen,last_seen,confidence_max,mitre_url,names_from"
	csv := header + `
T1110,Brute Force,T1110.001,Password Guessing,TA0006,TA0006:2;TA0001:1,enterprise-v18.1,3,2026-03-15T17:06:27.72714Z,2026-03-15T17:06:36Z,0.75,https://attack.mitre.org/techniques/T1110/001,
T1082,System Information Discovery,,,TA0007,TA0007:1,enterprise-v18.1,1,2026-03-16T00:00:00Z,2026-03-16T00:00:00Z,0.925,https://attack.mitre.org/techniques/T1082,
`
	json := `[
  {
    "technique_id": "T1110",
    "sub_technique_id": "T1110.001",
    "technique_name": "Brute Force",
    "sub_technique_name": "Password Guessing",
    "tactic_name": "Credential Access",
    "mitre_url": "https://attack.mitre.org/techniques/T1110/001",
    "tactic": "TA0006",
    "tactics": [
      {
        "tactic": "TA0006",
        "tactic_name": "Credential Access",
        "count": 2
      },
      {
        "tactic": "TA0001",
        "tactic_name": "Initial Access",
        "count": 1
      }
    ],
    "releases": [
      "enterprise-v18.1"
    ],
    "count": 3,
    "first_seen": "2026-03-15T17:06:27.72714Z",
    "last_seen": "2026-03-15T17:06:36Z",
    "confidence_max": 0.75
  },
  {
    "technique_id": "T1082",
    "technique_name": "System Information Discovery",
    "tactic_name": "Discovery",
    "mitre_url": "https://attack.mitre.org/techniques/T1082",
    "tactic": "TA0007",
    "tactics": [
      {
        "tactic": "TA0007",
        "tactic_name": "Discovery",
        "count": 1
      }
    ],
    "releases": [
      "enterprise-v18.1"
    ],
    "count": 1,
    "first_seen": "2026-03-16T00:00:00Z",
    "last_seen": "2026-03-16T00:00:00Z",
    "confidence_max": 0.925
  }
]
`
	campaignJSON := strings.NewReplacer("0.75\n", "0.75,\n    \"identity_count\": 1\n",
		"0.925\n", "0.925,\n    \"identity_count\": 1\n").Replace(json)
	for _, scope := range [][]string{{"fleet"}, {"session", "s1"}, {"attacker", attackerID}, {"identity", identityID}} {
		args := append([]string{"rollup"}, scope...)
		c.want(result{exitSuccess, table, ""}, "", args...)
		c.want(result{exitSuccess, csv, ""}, "", append(args, "--format", "csv")...)
		c.want(result{exitSuccess, json, ""}, "", append(args, "--format=json")...)
	}
	c.want(result{exitSuccess, campaignTable, ""}, "", "rollup", "campaign", campaignID)
	c.want(result{exitSuccess, campaignJSON, ""}, "", "rollup", "campaign", campaignID, "--format", "json")
	if got := c.runWith("", "rollup", "campaign", campaignID, "--format", "csv").stdout; !strings.HasPrefix(got, header+",identity_count\n") ||
		!strings.HasSuffix(got, ",0.925,https://attack.mitre.org/techniques/T1082,,1\n") {
		t.Error(got)
	}
	for _, scope := range [][]string{{"session", "s2"}, {"attacker", campaignID}, {"identity", campaignID}, {"campaign", attackerID}} {
		args := append([]string{"rollup"}, scope...)
		c.want(result{exitSuccess, "", "no tags\n"}, "", args...)
		c.want(result{exitSuccess, "[]\n", ""}, "", append(args, "--format", "json")...)
		if got := c.runWith("", append(args, "--format", "csv")...); got.status != exitSuccess ||
			strings.TrimSuffix(got.stdout, ",identity_count\n") != strings.TrimSuffix(header+"\n", map[bool]string{true: "\n"}[scope[0] == "campaign"]) {
			t.Errorf("%+v", got)
		}
	}
}

func TestRollupAsOf(t *testing.T) {
	c := newCLI(t)
	lines := tagLine("1", "TA0002", "T1086", "0.6", "2026-03-16T12:00:00Z") + tagLine("2", "TA0002", "T1059", "0.6", "2026-03-16T12:00:00Z") +
		tagLine("3", "TA0001", "T1059", "0.6", "2026-03-16T12:00:00Z")
	if got := c.runWith(strings.ReplaceAll(lines, "18.1", "8.2"), "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	row := `2026-03-16T12:00:00Z  2026-03-16T12:00:00Z        0.60  `
	table := `TECHNIQUE  NAME                               SUB-TECHNIQUE  SUB-TECHNIQUE NAME  TACTICS   COUNT  FIRST SEEN            LAST SEEN             CONFIDENCE  VERDICT    TAGGED AS
T1059      Command and Scripting Interpreter                                     TA0002 1      1  ` + row + `unchanged
T1059      Command and Scripting Interpreter                                     TA0001 1      1  ` + row + `unknown    T1059 TA0001 enterprise-v8.2 1
T1059      Command and Scripting Interpreter  T1059.001      PowerShell          TA0002 1      1  ` + row + `replaced   T1086 TA0002 enterprise-v8.2 1
`
	c.want(result{exitSuccess, table, ""}, "", "rollup", "fleet", "--as-of=18.1")
	if got := c.runWith("", "rollup", "attackers", "--as-of=18.1"); !strings.Contains(got.stdout, "replaced   T1086 TA0002 enterprise-v8.2 1\n") {
		t.Errorf("%+v", got)
	}
	if got := c.runWith("", "rollup", "fleet", "--as-of=18.1", "--format=csv"); !strings.HasSuffix(got.stdout,
		",replaced,T1086:TA0002:enterprise-v8.2:1\n") {
		t.Errorf("%+v", got)
	}
}

// A release that is not built in has the names of the nearest.
func TestRollupSaysWhereNamesAreFrom(t *testing.T) {
	c := newCLI(t)
	line := strings.ReplaceAll(tagLine("1", "TA0006", "T1110", "0.6", "2026-03-16T12:00:00Z"), "18.1", "18.0")
	if got := c.runWith(line, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(result{exitSuccess, `TECHNIQUE  NAME         TACTICS   COUNT  FIRST SEEN            LAST SEEN             CONFIDENCE  NAMES FROM
T1110      Brute Force  TA0006 1      1  2026-03-16T12:00:00Z  2026-03-16T12:00:00Z        0.60  enterprise-v17.1
`, ""}, "", "rollup", "fleet")
}
