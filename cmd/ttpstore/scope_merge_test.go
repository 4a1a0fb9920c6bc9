package main

import (
	"strings"
	"testing"
)

func TestScopeMerge(t *testing.T) {
	c := twoAttackers(t)
	for kind, ids := range map[string][2]string{"identity": {otherIdentityID, identityID}, "campaign": {otherCampaignID, campaignID}} {
		from, into := ids[0], ids[1]
		name := map[string]string{"identity": " (192.0.2.7)", "campaign": " (Copper Heron)"}[kind]
		for range 2 { // the second changes nothing
			c.want(result{exitSuccess, "", "merged " + kind + " " + from + name + " into " + kind + " " + into + name + "\n"}, "", "scope", "merge", kind, from, into)
			c.want(result{exitSuccess, "6\n", ""}, "", "tags", kind, into, "--count")
		}
		c.want(result{exitFailure, "", "ttpstore: merge " + kind + ": conflict: " + kind + " " + into + " cannot be merged into " + from +
			": the merge would close a cycle\n"}, "", "scope", "merge", kind, into, from)
		for _, note := range []string{
			"unmerged " + kind + " " + from + name + ", with 2 tags, from " + kind + " " + into + name,
			kind + " " + from + " is not merged: nothing to undo",
		} {
			c.want(result{exitSuccess, "", note + "\n"}, "", "scope", "unmerge", kind, from)
			c.want(result{exitSuccess, "4\n", ""}, "", "tags", kind, into, "--count")
		}
		c.want(result{exitFailure, "", "ttpstore: unmerge " + kind + ": not found: " + kind + " " + strangerID + "\n"}, "", "scope", "unmerge", kind, strangerID)
		c.want(result{exitFailure, "", "ttpstore: merge " + kind + ": not found: " + kind + " " + from + " cannot be merged into " + strangerID + ": " +
			strangerID + " is not stored\n"}, "", "scope", "merge", kind, from, strangerID)
	}
}

func TestWrongScopeMerge(t *testing.T) {
	c := newCLI(t)
	known := "identity or campaign"
	for args, message := range map[string]string{
		"merge":                                 "missing argument: " + known,
		"merge attacker x y":                    `unknown kind "attacker", must be ` + known,
		"merge identity":                        "missing argument FROM INTO",
		"merge identity " + identityID:          "missing argument INTO",
		"merge identity x " + identityID:        `the argument FROM must be an IP, an id or at least the first 8 digits of one, not "x"`,
		"merge identity " + identityID + " x":   `the argument INTO must be an IP, an id or at least the first 8 digits of one, not "x"`,
		"unmerge":                               "missing argument: " + known,
		"unmerge session s1":                    `unknown kind "session", must be ` + known,
		"unmerge campaign":                      "missing argument FROM",
		"unmerge identity x":                    `the argument FROM must be an IP, an id or at least the first 8 digits of one, not "x"`,
		"unmerge campaign " + campaignID + " x": `unexpected argument "x"`,
	} {
		name, _, _ := strings.Cut(args, " ")
		c.wantWrong(message, "scope "+name, append([]string{"scope"}, strings.Fields(args)...)...)
	}
	c.wantNoFile()
}
