package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

func TestRollbackRule(t *testing.T) {
	for args, want := range map[string]string{
		"R1":                                    "tags         4\n  T1110.001  3\n  T1082      1\n",
		"R1 --version 1":                        "tags         4\n  T1110.001  3\n  T1082      1\n",
		"R1 --version 2":                        "tags  0\n",
		"R1 --since 2026-03-16":                 "tags     1\n  T1082  1\n",
		"R1 --until 2026-03-16":                 "tags         3\n  T1110.001  3\n",
		"R2 --version 3":                        "tags     2\n  T1082  1\n  T1110  1\n",
		"R2 --domain mobile":                    "tags     1\n  T1082  1\n",
		"R1 --tactic TA0001":                    "tags         1\n  T1110.001  1\n",
		"R2 --decky none":                       "tags  0\n",
		"R1 --technique T1110":                  "tags  0\n",
		"R1 --technique=T1110 --sub-techniques": "tags         3\n  T1110.001  3\n",
	} {
		c := twoAttackers(t)
		args := append([]string{"rollback", "rule"}, strings.Fields(args)...)
		c.want(result{exitSuccess, want, "dry run: nothing was changed\n"}, "", append(args, "--dry-run")...)
		c.wantTags("6")
		c.want(result{exitSuccess, want, ""}, "", append(args, "--yes")...)
		c.want(result{exitSuccess, "tags  0\n", ""}, "", append(args, "--yes")...)
	}
}

func TestWrongRollbackRule(t *testing.T) {
	c := filled(t)
	c.wantWrong("missing argument ID", "rollback rule", "rollback", "rule", "--yes")
	c.wantWrong("the argument ID must not be empty", "rollback rule", "rollback", "rule", "", "--yes")
	c.wantWrong("unknown flag: --rule", "rollback rule", "rollback", "rule", "R1", "--rule=R1", "--yes")
	c.wantWrong(`invalid argument "x" for "--version" flag: must be a whole number from 0`, "rollback rule",
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
	c.want(result{exitSuccess, "tags     2\n  T1082  1\n  T1110  1\n", ""}, "", args...)
	c.want(result{exitSuccess, "tags  0\n", ""}, "", args...)
	c.wantTags("4")
	c.wantWrong(`the argument ID must be a UUID, not "x"`, "rollback batch", "rollback", "batch", "x", "--yes")
	c.wantWrong("missing argument ID", "rollback batch", "rollback", "batch", "--yes")
}
