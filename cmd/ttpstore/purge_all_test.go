package main

import "testing"

func TestPurgeAll(t *testing.T) {
	c := twoAttackers(t)
	receipt := "tags         6\n  T1110.001  3\n  T1082      2\n  T1110      1\nattackers    2\nidentities   2\ncampaigns    2\n"
	c.want(result{exitSuccess, receipt, "dry run: nothing was changed\n"}, "", "purge", "all", "--dry-run")
	c.wantTags("6")
	c.wantWrong("this loses rows: standard input is not a terminal, confirm with --yes", "purge all", "purge", "all")
	c.want(result{exitSuccess, receipt, ""}, "", "purge", "all", "--yes")
	c.want(result{exitSuccess, "tags  0\n", ""}, "", "purge", "all", "--yes")
}

func TestScopeUnassign(t *testing.T) {
	c := twoAttackers(t)
	c.want(result{exitSuccess, "", "unassigned 1 attacker\n"}, "", "scope", "unassign", "attackers", attackerID)
	c.want(result{exitSuccess, "0\n", ""}, "", "tags", "identity", identityID, "--count")
	c.want(result{exitSuccess, "", "unassigned 2 identities\n"}, "", "scope", "unassign", "identities", identityID, otherIdentityID)
	c.want(result{exitSuccess, "0\n", ""}, "", "tags", "campaign", otherCampaignID, "--count")
	c.want(result{exitFailure, "", "ttpstore: unassign campaign: not found: identity " + strangerID + "\n"}, "",
		"scope", "unassign", "identities", identityID, strangerID)
	c.wantWrong("missing argument ATTACKER", "scope unassign attackers", "scope", "unassign", "attackers")
	c.wantWrong(`the argument IDENTITY must be a UUID, not "x"`, "scope unassign identities",
		"scope", "unassign", "identities", identityID, "x")
}
