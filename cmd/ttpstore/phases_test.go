package main

import "testing"

func TestPhases(t *testing.T) {
	c := twoAttackers(t)
	more := otherTagLine("z", "TA0006", "T1110", "0.6", "2026-03-16T12:00:00Z") + otherTagLine("w", "TA0006", "T1110", "0.6", "2026-03-18T12:00:00Z")
	if got := c.runWith(more, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(result{exitSuccess, `decky_id,tactic,tactic_name,first_seen,last_seen,count
decky-1,TA0006,Credential Access,2026-03-16T12:00:00Z,2026-03-18T12:00:00Z,3
decky-1,TA0007,,2026-03-17T06:00:00Z,2026-03-17T06:00:00Z,1
`, ""}, "", "phases", otherIdentityID, "-o=csv")
	c.want(result{exitSuccess, "[]\n", "no tags match: identity " + identityID + " (192.0.2.7) has 4 tags\n"}, // without a decky
		"", "phases", identityID, "--json")
	c.wantWrong("missing argument ID", "phases", "phases")
	c.wantWrong(`the argument ID must be an IP, an id or at least the first 8 digits of one, not "x"`, "phases", "phases", "x")
}
