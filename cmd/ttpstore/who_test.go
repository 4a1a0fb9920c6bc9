package main

import "testing"

func TestWho(t *testing.T) {
	c := twoAttackers(t)
	header := "ATTACKER  IP         COUNT  FIRST SEEN  LAST SEEN\n"
	first, second := "542eed02  192.0.2.7      4  2026-03-15  2026-03-16\n", "29fdaf10  192.0.2.7      2  2026-03-16  2026-03-17\n"
	c.want(result{exitSuccess, header + first + second, ""}, "", "who", "attacker", "-o=table")
	c.want(result{exitSuccess, header + first, "showing 1 of 2; use --limit 0 for all\n"}, "", "who", "attacker", "-n=1", "-o=table")
	c.want(result{exitSuccess, header + first + second, ""}, "", "who", "attacker", "--limit=0", "-o=table")
	c.want(result{exitSuccess, header + second, ""}, "", "who", "attacker", "--decky=decky-1", "-o=table")
	c.want(result{exitSuccess, "SESSION  COUNT  FIRST SEEN  LAST SEEN\ns1           4  2026-03-15  2026-03-16\ns2           2  2026-03-16  2026-03-17\n", ""},
		"", "who", "session", "-o=table")
	c.want(result{exitSuccess, `{"kind":"ip","count":6,"first_seen":"2026-03-15T17:06:27.72714Z","last_seen":"2026-03-17T06:00:00Z","ip":"192.0.2.7","attackers":2}
`, ""}, "", "who", "ip", "-o=jsonl")
	counts := `"count":2,"first_seen":"2026-03-16T12:00:00Z","last_seen":"2026-03-17T06:00:00Z"`
	for kind, want := range map[string]string{
		"identity": `{"kind":"identity","uuid":"` + otherIdentityID + `",` + counts + `,"attackers":1,"ips":["192.0.2.7"]}`,
		"campaign": `{"kind":"campaign","uuid":"` + otherCampaignID + `",` + counts + `,"name":"Copper Heron"}`,
		"attacker": `{"kind":"attacker","uuid":"` + otherAttackerID + `",` + counts + `,"ip":"192.0.2.7"}`,
	} {
		c.want(result{exitSuccess, want + "\n", ""}, "", "who", kind, "--rule=R2", "-o=jsonl")
		c.want(result{exitSuccess, "[]\n", "no tag has rule R3; did you mean R1?\n"}, "", "who", kind, "--rule=R3", "--json")
	}
	known := "identity, attacker, campaign, session or ip"
	c.wantWrong("missing argument: "+known, "who", "who")
	c.wantWrong(`unknown kind "fleet", must be `+known, "who", "who", "fleet")
	c.wantWrong(`unknown kind "atacker", must be `+known+", did you mean attacker?", "who", "who", "atacker")
	c.wantWrong("--techniques cannot be used with ip: use \"who attacker\"", "who", "who", "ip", "--techniques")
	c.wantWrong(`unexpected argument "x"`, "who", "who", "session", "x")
	c.wantWrong(`invalid argument "-1" for "-n, --limit" flag: must be a whole number from 0 to 10000`, "who", "who", "session", "--limit=-1")
}

func TestWhoShowsSeveralTechniques(t *testing.T) {
	c := twoAttackers(t)
	for args, want := range map[string]string{
		"--all-of T1110.001,T1082":                  attackerID + " 4\n",
		"--all-of T1082":                            otherAttackerID + " 1\n" + attackerID + " 1\n",
		`--all-of "Password Guessing, T1082"`:       attackerID + " 4\n",
		"--any-of T1110.001,T1110":                  attackerID + " 3\n" + otherAttackerID + " 1\n",
		"--any-of T1110,T1110.001 --sub-techniques": attackerID + " 3\n" + otherAttackerID + " 1\n",
		"--all-of T1110,T1110 --tactic TA0006":      otherAttackerID + " 1\n",
	} {
		var got string
		for _, row := range c.rows("who", append([]string{"attacker"}, shellWords(args)...)...) {
			got += row["uuid"] + " " + row["count"] + "\n"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
	c.want(result{exitSuccess, "", "no tags match: fleet has 6 tags\n"}, "", "who", "identity", "--all-of=T1110,T1110.001")
	c.wantWrong("--all-of and --any-of are mutually exclusive", "who", "who", "identity", "--all-of=T1110", "--any-of=T1110")
	c.wantWrong("--any-of and --technique are mutually exclusive", "who", "who", "identity", "--any-of=T1110", "--technique=T1082")
	c.wantWrong(`invalid argument "T1110,," for "--all-of" flag: must be techniques separated by commas`, "who", "who", "identity", "--all-of=T1110,,")
	c.wantWrong(`who all of: invalid query: technique: must be such as "T1110" or "T1110.001"`, "who", "who", "identity", "--all-of=T1")
}
