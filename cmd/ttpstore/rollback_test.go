package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

// The mobile release of a tag of R2 has no T1082, so that the technique has no name there.
func TestRollbackRule(t *testing.T) {
	for args, want := range map[string]string{
		"R1":                                    "tags\t4\nT1110.001 Password Guessing\t3\nT1082 System Information Discovery\t1\n",
		"R1 --version 1":                        "tags\t4\nT1110.001 Password Guessing\t3\nT1082 System Information Discovery\t1\n",
		"R1 --version 2":                        "tags\t0\n",
		"R1 --since 2026-03-16":                 "tags\t1\nT1082 System Information Discovery\t1\n",
		"R1 --until 2026-03-16":                 "tags\t3\nT1110.001 Password Guessing\t3\n",
		"R2 --version 3":                        "tags\t2\nT1082\t1\nT1110 Brute Force\t1\n",
		"R2 --domain mobile":                    "tags\t1\nT1082\t1\n",
		"R1 --tactic TA0001":                    "tags\t1\nT1110.001 Password Guessing\t1\n",
		"R2 --decky none":                       "tags\t0\n",
		"R1 --technique T1110":                  "tags\t0\n",
		"R1 --technique=T1110 --sub-techniques": "tags\t3\nT1110.001 Password Guessing\t3\n",
	} {
		c := twoAttackers(t)
		args := append([]string{"rollback", "rule"}, strings.Fields(args)...)
		none := ""
		if want == "tags\t0\n" {
			none = "no tags match: fleet has 6 tags\n"
		}
		c.want(result{exitSuccess, want, "dry run: nothing was changed\n" + none}, "", append(args, "--dry-run")...)
		c.wantTags("6")
		c.want(result{exitSuccess, want, none}, "", append(args, "--yes")...)
		if got := c.runWith("", append(args, "--yes")...); got.stdout != "tags\t0\n" || !strings.HasPrefix(got.stderr, "no tag") {
			t.Errorf("%+v", got)
		}
	}
}

func TestWrongRollbackRule(t *testing.T) {
	c := filled(t)
	c.wantWrong("missing argument ID", "rollback rule", "rollback", "rule", "--yes")
	c.wantWrong("the argument ID must not be empty", "rollback rule", "rollback", "rule", "", "--yes")
	c.wantWrong("unknown flag: --rule", "rollback rule", "rollback", "rule", "R1", "--rule=R1", "--yes")
	c.wantWrong(`invalid argument "x" for "--version" flag: must be a whole number, at least 0`, "rollback rule",
		"rollback", "rule", "R1", "--version=x", "--yes")
	c.wantWrong("roll back rule: invalid query: until: must be after since", "rollback rule",
		"rollback", "rule", "R1", "--since=2026-03-16", "--until=2026-03-15", "--yes")
	c.wantTags("4")
}

func TestRollbackBatch(t *testing.T) {
	c := twoAttackers(t) // from two imports
	var tag ttp.Tag
	id := ttp.ComputeTagUUID("payload", "x", "R2", 3, "T1110", "").String()
	if err := json.Unmarshal([]byte(c.runWith("", "tag", id, "--json").stdout), &tag); err != nil {
		t.Fatal(err)
	}
	args := []string{"rollback", "batch", tag.BatchUUID.String(), "--yes"}
	c.want(result{exitSuccess, "tags\t2\nT1082\t1\nT1110 Brute Force\t1\n", ""}, "", args...)
	c.want(result{exitSuccess, "tags\t0\n", "no tag has batch " + tag.BatchUUID.String() + "\n"}, "", args...)
	c.wantTags("4")
	c.wantWrong(`the argument ID must be a UUID, not "x"`, "rollback batch", "rollback", "batch", "x", "--yes")
	c.wantWrong("missing argument ID", "rollback batch", "rollback", "batch", "--yes")
}
