package main

import (
	"strings"
	"testing"
)

func TestRules(t *testing.T) {
	c := twoAttackers(t)
	c.want(result{exitSuccess, `RULE  VERSION  COUNT   MIN  MEAN   MAX  TECHNIQUES  ATTACKERS  LAST SEEN
R1          1      4  0.50  0.72  0.93           2          1  2026-03-16
R2          3      2  0.60  0.70  0.80           2          1  2026-03-17
`, ""}, "", "rules", "-o=table")
	for order, want := range map[string]string{"id": "R1R2", "count": "R1R2", "confidence": "R2R1", "last": "R2R1"} {
		got := c.runWith("", "rules", "-o=csv", "--sort="+order)
		var rules string
		for line := range strings.Lines(got.stdout) {
			if strings.HasPrefix(line, "R") {
				rules += line[:2]
			}
		}
		if rules != want {
			t.Errorf("%s: %s, want %s", order, rules, want)
		}
	}
	c.want(result{exitSuccess, "[]\n", "no tag has rule R3; did you mean R1?\n"}, "", "rules", "--rule=R3", "--json")
	c.want(result{exitSuccess, "", "no tags match: fleet has 6 tags\n"}, "", "rules", "--rule=R1", "--since=2027-01-01")
	c.wantWrong(`invalid argument "cuont" for "--sort" flag: must be id, count, confidence or last, did you mean count?`,
		"rules", "rules", "--sort=cuont")
	c.wantWrong(`unexpected argument "R1"`, "rules", "rules", "R1")
}
