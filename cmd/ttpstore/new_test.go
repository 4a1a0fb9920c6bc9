package main

import "testing"

func TestNew(t *testing.T) {
	c := twoAttackers(t)
	c.want(result{exitSuccess, `TECHNIQUE                           TACTIC  COUNT  FIRST SEEN  LAST SEEN   CONF
T1082 System Information Discovery  TA0007      2  2026-03-16  2026-03-17  0.93
T1110 Brute Force                   TA0006      1  2026-03-16  2026-03-16  0.60
`, ""}, "", "new", "fleet", "--since=2026-03-16", "-o=table")
	// Only matching tags before --since count.
	before := []string{"new", "session", "s1", "--since=2026-03-15T17:06:30Z", "--technique=T1110.001", "-o=table"}
	c.want(result{exitSuccess, "", "no new techniques\n"}, "", before...)
	c.want(result{exitSuccess, `TECHNIQUE                TACTIC              COUNT  FIRST SEEN  LAST SEEN   CONF
T1110.001 Password Gue…  TA0001 1, TA0006 1      2  2026-03-15  2026-03-15  0.75
`, ""}, "", append(before, "--min-confidence=0.7")...)
	c.want(result{exitSuccess, "[]\n", "no new techniques\n"}, "", "new", "session", "s1", "--since=2026-03-16T00:00:01Z", "--json")
	c.wantWrong("missing flag --since", "new", "new", "fleet")
	c.wantWrong("new techniques: invalid query: until: must be after since", "new", "new", "fleet", "--since=2026-03-16", "--until=2026-03-16")
}
