package main

import (
	"strings"
	"testing"
)

// withIdentityTags adds a tag that names its attacker's identity, and one that names no attacker.
func withIdentityTags(t *testing.T) cli {
	t.Helper()
	c := twoAttackers(t)
	attacker := `"attacker_uuid":"` + attackerID + `"`
	lines := strings.Replace(tagLine("own", "TA0006", "T1110", "0.6", "2026-03-16T12:00:00Z"), attacker, attacker+`,"identity_uuid":"`+identityID+`"`, 1) +
		strings.Replace(tagLine("rollup", "TA0006", "T1110.003", "0.6", "2026-03-16T12:00:00Z"), attacker, `"identity_uuid":"`+identityID+`"`, 1)
	if got := c.runWith(lines, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	return c
}

func TestPurgeAttacker(t *testing.T) {
	c := withIdentityTags(t)
	c.want(result{exitSuccess, "tags\t5\nT1110.001 Password Guessing\t3\nT1082 System Information Discovery\t1\nT1110 Brute Force\t1\nattackers\t1\n", ""}, "",
		"purge", "attacker", attackerID, "--yes")
	c.wantTags("3")
	c.want(result{exitFailure, "", "ttpstore: get attacker " + attackerID + ": not found\n"}, "", "scope", "show", "attacker", attackerID)
	c.want(result{exitSuccess, "tags\t0\n", "unknown attacker " + attackerID + ": it is not stored and has no tags\n"},
		"", "purge", "attacker", attackerID, "--yes")
	c.wantWrong("missing argument ID", "purge attacker", "purge", "attacker", "--yes")
	c.wantWrong(`the argument ID must be an IP, an id or at least the first 8 digits of one, not "x"`, "purge attacker", "purge", "attacker", "x", "--yes")
	c.wantWrong(`unknown command "campaign"`, "purge", "purge", "campaign", campaignID)
}

func TestPurgeIdentity(t *testing.T) {
	c := withIdentityTags(t)
	receipt := "tags\t1\nT1110.003 Password Spraying\t1\nidentities\t1\nreleased tags\t1\nreleased attackers\t1\n"
	c.want(result{exitSuccess, receipt, "dry run: nothing was changed\n"}, "", "purge", "identity", identityID, "--dry-run")
	c.want(result{exitSuccess, receipt, ""}, "", "purge", "identity", identityID, "--yes")
	c.wantTags("7")
	c.want(result{exitSuccess, "attacker\t" + attackerID + "\nip\t192.0.2.7\n", ""}, "", "scope", "show", "attacker", attackerID)
	c.wantWrong(`the argument ID must be an IP, an id or at least the first 8 digits of one, not "x"`, "purge identity", "purge", "identity", "x", "--yes")
}

func TestPurgeIdentityWithAttackers(t *testing.T) {
	c := withIdentityTags(t)
	receipt := "tags\t6\nT1110.001 Password Guessing\t3\nT1082 System Information Discovery\t1\nT1110 Brute Force\t1\nT1110.003 Password Spraying\t1\nattackers\t1\nidentities\t1\n"
	c.want(result{exitSuccess, receipt, "dry run: nothing was changed\n"}, "", "purge", "identity", identityID, "--with-attackers", "--dry-run")
	c.want(result{exitSuccess, receipt, ""}, "", "purge", "identity", identityID, "--with-attackers", "--yes")
	c.wantTags("2")
}

func TestPurgeOfAMergedIdentityIsRefused(t *testing.T) {
	c := twoAttackers(t)
	if got := c.runWith("", "scope", "merge", "identity", identityID, otherIdentityID); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(result{exitFailure, "", "ttpstore: purge identity " + identityID + ": conflict: identity " + identityID + " is merged into " +
		otherIdentityID + ": purge that one, or unmerge this one first\n"}, "", "purge", "identity", identityID, "--yes")
}

func TestPurgeSession(t *testing.T) {
	c := twoAttackers(t)
	c.want(result{exitSuccess, receiptOfS1, ""}, "", "purge", "session", "s1", "--yes")
	c.wantTags("2")
	c.want(result{exitSuccess, "tags\t0\n", "no tag has session s1; did you mean s2?\n"}, "", "purge", "session", "s1", "--yes")
	c.wantWrong("missing argument ID", "purge session", "purge", "session", "--yes")
	c.wantWrong("the argument ID must not be empty", "purge session", "purge", "session", "", "--yes")
}
