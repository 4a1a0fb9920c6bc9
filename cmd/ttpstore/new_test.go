package main

import "testing"

func TestNew(t *testing.T) {
	c := twoAttackers(t)
	c.want(result{exitSuccess, `TECHNIQUE  NAME                          TACTICS   COUNT  FIRST SEEN            LAST SEEN             CONFIDENCE
T1082      System Information Discovery  TA0007 2      2  2026-03-16T00:00:00Z  2026-03-17T06:00:00Z        0.93
T1110      Brute Force                   TA0006 1      1  2026-03-16T12:00:00Z  2026-03-16T12:00:00Z        0.60
`, ""}, "", "new", "fleet", "--since=2026-03-16")
	c.want(result{exitSuccess, `[
  {
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
  }
]
`, ""}, "", "new", "session", "s2", "--since=2026-03-17", "--json")
	// Only matching tags before --since count.
	before := []string{"new", "session", "s1", "--since=2026-03-15T17:06:30Z", "--technique=T1110.001"}
	c.want(result{exitSuccess, "", "no new techniques\n"}, "", before...)
	c.want(result{exitSuccess, `TECHNIQUE  NAME         SUB-TECHNIQUE  SUB-TECHNIQUE NAME  TACTICS             COUNT  FIRST SEEN            LAST SEEN             CONFIDENCE
T1110      Brute Force  T1110.001      Password Guessing   TA0001 1, TA0006 1      2  2026-03-15T17:06:30Z  2026-03-15T17:06:36Z        0.75
`, ""}, "", append(before, "--min-confidence=0.7")...)
	c.want(result{exitSuccess, "[]\n", ""}, "", "new", "session", "s1", "--since=2026-03-16T00:00:01Z", "--json")
	c.wantWrong("missing flag --since", "new", "new", "fleet")
	c.wantWrong("new techniques: invalid query: until: must be after since", "new", "new", "fleet", "--since=2026-03-16", "--until=2026-03-16")
}
