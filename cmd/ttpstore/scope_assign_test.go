package main

import (
	"strings"
	"testing"
)

func TestScopeAssignAttackers(t *testing.T) {
	c := twoAttackers(t)
	c.want(result{exitSuccess, "", "assigned 2 attackers to identity " + identityID + "\n"}, "",
		"scope", "assign", "attackers", identityID, otherAttackerID, attackerID)
	c.want(result{exitSuccess, "6\n", ""}, "", "tags", "identity", identityID, "--count")
	c.want(result{exitFailure, "", "ttpstore: assign attackers: not found: attacker " + strangerID + "\n"}, "",
		"scope", "assign", "attackers", otherIdentityID, attackerID, strangerID)
	c.want(result{exitFailure, "", "ttpstore: assign attackers: not found: identity " + strangerID + "\n"}, "",
		"scope", "assign", "attackers", strangerID, attackerID)
	c.want(result{exitSuccess, "0\n", ""}, "", "tags", "identity", otherIdentityID, "--count") // all or none
}

func TestScopeAssignIdentities(t *testing.T) {
	c := twoAttackers(t)
	c.want(result{exitSuccess, "", "assigned 1 identity to campaign " + campaignID + "\n"}, "",
		"scope", "assign", "identities", campaignID, otherIdentityID)
	c.want(result{exitSuccess, "6\n", ""}, "", "tags", "campaign", campaignID, "--count")
	c.want(result{exitFailure, "", "ttpstore: assign campaign: not found: campaign " + strangerID + "\n"}, "",
		"scope", "assign", "identities", strangerID, identityID)
}

func TestWrongScopeAssign(t *testing.T) {
	c := filled(t)
	nobody := "00000000-0000-0000-0000-000000000000"
	for args, message := range map[string]string{
		"attackers":                 "missing argument IDENTITY ATTACKER",
		"attackers " + identityID:   "missing argument ATTACKER",
		"attackers x " + attackerID: `the argument IDENTITY must be an IP, an id or at least the first 8 digits of one, not "x"`,
		"attackers " + identityID + " " + attackerID + " y": `the argument ATTACKER must be an IP, an id or at least the first 8 digits of one, not "y"`,
		"identities":                              "missing argument CAMPAIGN IDENTITY",
		"identities " + campaignID + " x":         `the argument IDENTITY must be an IP, an id or at least the first 8 digits of one, not "x"`,
		"attackers " + nobody + " " + attackerID:  "assign attackers: invalid scope: identity_uuid: must be set",
		"identities " + campaignID + " " + nobody: "assign campaign: invalid scope: row 0: identity_uuid: must be set",
	} {
		name, _, _ := strings.Cut(args, " ")
		c.wantWrong(message, "scope assign "+name, append([]string{"scope", "assign"}, strings.Fields(args)...)...)
	}
}
