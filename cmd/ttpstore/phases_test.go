package main

import "testing"

func TestPhases(t *testing.T) {
	c := twoAttackers(t)
	c.want(result{exitSuccess, `DECKY    TACTIC  OBSERVED AT
decky-1  TA0006  2026-03-16T12:00:00Z
decky-1  TA0007  2026-03-17T06:00:00Z
`, ""}, "", "phases", otherIdentityID)
	c.want(result{exitSuccess, `[
  {
    "decky_id": "decky-1",
    "tactic": "TA0007",
    "observed_at": "2026-03-17T06:00:00Z"
  }
]
`, ""}, "", "phases", otherIdentityID, "--since=2026-03-17", "--json")
	c.want(result{exitSuccess, "", "no tags\n"}, "", "phases", identityID) // none of its tags has a decky
	c.want(result{exitSuccess, "[]\n", ""}, "", "phases", identityID, "--json")
	c.wantWrong("missing argument ID", "phases", "phases")
	c.wantWrong(`the argument ID must be a UUID, not "x"`, "phases", "phases", "x")
}
