package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

func TestTag(t *testing.T) {
	c := filled(t)
	// Characters to escape: a control sequence, a right-to-left mark, one beyond 16 bits.
	line := strings.Replace(otherTagLine("x", "TA0006", "T1110", "0.6", "2026-03-16T12:00:00.5Z"), `"evidence":{}`,
		"\"evidence\":{\"line\":\"ls <\u009b1m\u202e\U000e0041\",\"n\":[1,2.50]}", 1)
	if got := c.runWith(line, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	id := ttp.ComputeTagUUID("payload", "x", "R2", 3, "T1110", "").String()
	got := c.runWith("", "tag", id, "-o=table")
	text := regexp.MustCompile(`(?m)^(ingested at|batch) +\S+$`).ReplaceAllString(got.stdout, "$1 ...")
	if want := `uuid         ` + id + `
observed at  2026-03-16T12:00:00.5Z
technique    T1110 Brute Force
tactic       TA0006 Credential Access
release      enterprise-v18.1
confidence   0.6
rule         R2 v3
source       payload x
attacker     29fdaf10-78d5-5f95-8bea-3d649e29ecd6
session      s2
decky        decky-1
ingested at ...
batch ...
evidence     {
               "line": "ls <\u009b1m\u202e\udb40\udc41",
               "n": [
                 1,
                 2.50
               ]
             }
`; text != want || got.status != exitSuccess || got.stderr != "" {
		t.Errorf("%d %q\n%s", got.status, got.stderr, text)
	}
	var tag struct {
		UUID     string
		Evidence struct {
			Line string
			N    []json.Number
		}
	}
	got = c.runWith("", "tag", id, "--json")
	if err := json.Unmarshal([]byte(got.stdout), &tag); err != nil || tag.UUID != id || tag.Evidence.Line != "ls <\u009b1m\u202e\U000e0041" ||
		tag.Evidence.N[1] != "2.50" || got.status != exitSuccess {
		t.Errorf("%+v: %v", got, err)
	}

	if short := c.runWith("", "tag", id[:8], "--json"); short != got {
		t.Errorf("%+v", short)
	}
	c.want(result{exitFailure, "", "ttpstore: no tag id begins with 00000000\n"}, "", "tag", "00000000")
	c.want(result{exitFailure, "", "ttpstore: get tag " + attackerID + ": not found\n"}, "", "tag", attackerID)
	c.wantWrong("missing argument ID", "tag", "tag")
	c.wantWrong(`the argument ID must be an id or at least the first 8 digits of one, not "x"`, "tag", "tag", "x")
	c.wantWrong(`unexpected argument "x"`, "tag", "tag", id, "x")
}
