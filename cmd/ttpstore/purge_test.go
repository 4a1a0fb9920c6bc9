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
	c.want(result{exitSuccess, "tags         5\n  T1110.001  3\n  T1082      1\n  T1110      1\nattackers    1\n", ""}, "",
		"purge", "attacker", attackerID, "--yes")
	c.wantTags("3")
	c.want(result{exitFailure, "", "ttpstore: get attacker " + attackerID + ": not found\n"}, "", "scope", "show", "attacker", attackerID)
	c.want(result{exitSuccess, "tags  0\n", ""}, "", "purge", "attacker", attackerID, "--yes")
	c.wantWrong("missing argument ID", "purge attacker", "purge", "attacker", "--yes")
	c.wantWrong(`the argument ID must be a UUID, not "x"`, "purge attacker", "purge", "attacker", "x", "--yes")
	c.wantWrong(`unknown command "campaign"`, "purge", "purge", "campaign", campaignID)
}

func TestPurgeIdentity(t *testing.T) {
	c := withIdentityTags(t)
	receipt := "tags                1\n  T1110.003         1\nidentities          1\nreleased tags       1\nreleased attackers  1\n"
	c.want(result{exitSuccess, receipt, "dry run: nothing was changed\n"}, "", "purge", "identity", identityID, "--dry-run")
	c.want(result{exitSuccess, receipt, ""}, "", "purge", "identity", identityID, "--yes")
	c.wantTags("7")
	c.want(result{exitSuccess, "uuid      " + attackerID + "\nip        192.0.2.7\n", ""}, "", "scope", "show", "attacker", attackerID)
	c.wantWrong(`the argument ID must be a UUID, not "x"`, "purge identity", "purge", "identity", "x", "--yes")
}

func TestPurgeIdentityWithAttackers(t *testing.T) {
	c := withIdentityTags(t)
	receipt := "tags         6\n  T1110.001  3\n  T1082      1\n  T1110      1\n  T1110.003  1\nattackers    1\nidentities   1\n"
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
	c.want(result{exitSuccess, "tags  0\n", ""}, "", "purge", "session", "s1", "--yes")
	c.wantWrong("missing argument ID", "purge session", "purge", "session", "--yes")
	c.wantWrong("the argument ID must not be empty", "purge session", "purge", "session", "", "--yes")
}
