package main

import "testing"

func TestRules(t *testing.T) {
	c := twoAttackers(t)
	c.want(result{exitSuccess, `RULE  VERSION  COUNT  TECHNIQUES  SOURCES  ATTACKERS  IDENTITIES  FIRST SEEN            LAST SEEN
R1          1      4           2        4          1           1  2026-03-15T17:06:27Z  2026-03-16T00:00:00Z
R2          3      2           2        2          1           1  2026-03-16T12:00:00Z  2026-03-17T06:00:00Z
`, ""}, "", "rules")
	c.want(result{exitSuccess, `[
  {
    "rule_id": "R2",
    "rule_version": 3,
    "count": 2,
    "techniques": 2,
    "sources": 2,
    "attackers": 1,
    "identities": 1,
    "first_seen": "2026-03-16T12:00:00Z",
    "last_seen": "2026-03-17T06:00:00Z",
    "cells": [
      {
        "technique": "T1082",
        "tactic": "TA0007"
      },
      {
        "technique": "T1110",
        "tactic": "TA0006",
        "technique_name": "Brute Force",
        "tactic_name": "Credential Access",
        "mitre_url": "https://attack.mitre.org/techniques/T1110"
      }
    ]
  }
]
`, ""}, "", "rules", "--rule=R2", "--json")
	c.want(result{exitSuccess, "[]\n", ""}, "", "rules", "--rule=R3", "--json")
	c.wantWrong(`unexpected argument "R1"`, "rules", "rules", "R1")
}
