package main

import (
	"strings"
	"testing"
)

func TestWho(t *testing.T) {
	c := twoAttackers(t)
	first := `attacker  542eed02-5e33-5182-94c3-b95ea9af1b84      4  2026-03-15T17:06:27Z  2026-03-16T00:00:00Z
`
	second := `attacker  29fdaf10-78d5-5f95-8bea-3d649e29ecd6      2  2026-03-16T12:00:00Z  2026-03-17T06:00:00Z
`
	header := `KIND      ID                                    COUNT  FIRST SEEN            LAST SEEN
`
	c.want(result{exitSuccess, header + first + second, ""}, "", "who", "attacker")
	c.want(result{exitSuccess, header + first, "1 of 2 shown; --limit 0 for all\n"}, "", "who", "attacker", "--limit=1")
	c.want(result{exitSuccess, header + first + second, ""}, "", "who", "attacker", "--limit=0")
	got := c.runWith("", "who", "session", "--limit=1", "--json")
	if strings.Count(got.stdout, "session_id") != 1 || got.stderr != "1 of 2 shown; --limit 0 for all\n" {
		t.Errorf("%+v", got)
	}
	c.want(result{exitSuccess, header + second, ""}, "", "who", "attacker", "--decky=decky-1")
	c.want(result{exitSuccess, `KIND     ID  COUNT  FIRST SEEN            LAST SEEN
session  s1      4  2026-03-15T17:06:27Z  2026-03-16T00:00:00Z
session  s2      2  2026-03-16T12:00:00Z  2026-03-17T06:00:00Z
`, ""}, "", "who", "session")
	for kind, id := range map[string]string{"identity": otherIdentityID, "campaign": otherCampaignID} {
		c.want(result{exitSuccess, `[
  {
    "kind": "` + kind + `",
    "uuid": "` + id + `",
    "count": 2,
    "first_seen": "2026-03-16T12:00:00Z",
    "last_seen": "2026-03-17T06:00:00Z"
  }
]
`, ""}, "", "who", kind, "--rule=R2", "--json")
		c.want(result{exitSuccess, "[]\n", ""}, "", "who", kind, "--rule=R3", "--json")
	}
	known := "identity, attacker, campaign or session"
	c.wantWrong("missing argument: "+known, "who", "who")
	c.wantWrong(`unknown kind "fleet", must be `+known, "who", "who", "fleet")
	c.wantWrong(`unexpected argument "x"`, "who", "who", "session", "x")
	c.wantWrong(`invalid argument "-1" for "--limit" flag: must be a whole number from 0`, "who", "who", "session", "--limit=-1")
}
