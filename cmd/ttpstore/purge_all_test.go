package main

import "testing"

func TestPurgeAll(t *testing.T) {
	c := twoAttackers(t)
	receipt := "tags\t6\nT1110.001 Password Guessing\t3\nT1082 System Information Discovery\t2\nT1110 Brute Force\t1\n" +
		"attackers\t2\nidentities\t2\ncampaigns\t2\n"
	c.want(result{exitSuccess, receipt, "dry run: nothing was changed\n"}, "", "purge", "all", "--dry-run")
	c.wantTags("6")
	c.wantWrong("this removes rows: standard input is not a terminal, confirm with --yes", "purge all", "purge", "all")
	c.want(result{exitSuccess, receipt, ""}, "", "purge", "all", "--yes")
	c.want(result{exitSuccess, "tags\t0\n", "no tags: the database is empty\n"}, "", "purge", "all", "--yes")
}

func TestScopeUnassign(t *testing.T) {
	c := twoAttackers(t)
	c.want(result{exitSuccess, "", "unassigned 1 attacker\n"}, "", "scope", "unassign", "attackers", attackerID[:8])
	c.want(result{exitSuccess, "0\n", ""}, "", "tags", "identity", identityID, "--count")
	c.want(result{exitSuccess, "", "unassigned 2 identities\n"}, "", "scope", "unassign", "identities", identityID, otherIdentityID)
	c.want(result{exitSuccess, "0\n", ""}, "", "tags", "campaign", otherCampaignID, "--count")
	c.want(result{exitFailure, "", "ttpstore: unassign campaign: not found: identity " + strangerID + "\n"}, "",
		"scope", "unassign", "identities", identityID, strangerID)
	c.wantWrong("missing argument ATTACKER", "scope unassign attackers", "scope", "unassign", "attackers")
	c.wantWrong(`the argument IDENTITY must be an IP, an id or at least the first 8 digits of one, not "x"`, "scope unassign identities",
		"scope", "unassign", "identities", identityID, "x")
}
