package main

import "testing"

func TestCompare(t *testing.T) {
	c := twoAttackers(t)
	identity := []string{"identity", identityID}
	args := append([]string{"compare"}, append(identity, "session", "s2")...)
	shared := `
shared: 1 technique
TECHNIQUE  NAME                          COUNT A  COUNT B  FIRST SEEN A          FIRST SEEN B          LAST SEEN A           LAST SEEN B
T1082      System Information Discovery        1        1  2026-03-16T00:00:00Z  2026-03-17T06:00:00Z  2026-03-16T00:00:00Z  2026-03-17T06:00:00Z
`
	c.want(result{exitSuccess, `A is identity e1292c78-2e52-5857-ae79-bbc6fe89e0c2
B is session s2
` + shared + `
only A: 1 technique
TECHNIQUE  NAME         SUB-TECHNIQUE  SUB-TECHNIQUE NAME  TACTICS             COUNT  FIRST SEEN            LAST SEEN             CONFIDENCE
T1110      Brute Force  T1110.001      Password Guessing   TA0006 2, TA0001 1      3  2026-03-15T17:06:27Z  2026-03-15T17:06:36Z        0.75

only B: 1 technique
TECHNIQUE  NAME         TACTICS   COUNT  FIRST SEEN            LAST SEEN             CONFIDENCE
T1110      Brute Force  TA0006 1      1  2026-03-16T12:00:00Z  2026-03-16T12:00:00Z        0.60
`, ""}, "", args...)
	c.want(result{exitSuccess, `A is identity e1292c78-2e52-5857-ae79-bbc6fe89e0c2
B is session s2
` + shared + `
only A: 0 techniques

only B: 0 techniques
`, ""}, "", append(args, "--technique=T1082")...)
	row := `{
      "technique_id": "T1082",
      "tactic": "TA0007",
      "tactics": [
        {
          "tactic": "TA0007",
          "count": 1
        }
      ],
      "releases": [
        "mobile-v18.1"
      ],
      "count": 1,
      "first_seen": "2026-03-17T06:00:00Z",
      "last_seen": "2026-03-17T06:00:00Z",
      "confidence_max": 0.8
    }`
	c.want(result{exitSuccess, `{
  "shared": [],
  "only_a": [
    ` + row + `
  ],
  "only_b": []
}
`, ""}, "", "compare", "fleet", "session", "s1", "--domain=mobile", "--json")
	c.want(result{exitSuccess, "", "no tags\n"}, "", "compare", "session", "none", "session", "nobody")
	c.want(result{exitSuccess, "{\n  \"shared\": [],\n  \"only_a\": [],\n  \"only_b\": []\n}\n", ""}, "", "compare", "session", "none", "fleet", "--json", "--rule=R3")
}
