// Package matrixtest provides a small ATT&CK release and cells for tests of exports.
package matrixtest

import (
	"time"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/matrix"
)

// Release is a small enterprise-v18.1: two tactics in use, one without techniques and one deprecated.
func Release() *attack.Release {
	return release("enterprise-v18.1", func(s string) string { return s })
}

// Hostile is Release with the text in every name and link.
func Hostile(text string) *attack.Release {
	return release("enterprise-v18.1", func(string) string { return text })
}

// Catalogue holds Release and an ics-v18.1 of the same shape.
func Catalogue() *attack.Catalogue {
	c := &attack.Catalogue{}
	c.Add(Release())
	c.Add(release("ics-v18.1", func(s string) string { return s }))
	return c
}

func release(name string, text func(string) string) *attack.Release {
	technique := func(id, name, stixID string, tactics ...string) attack.Technique {
		return attack.Technique{
			ID: id, Name: text(name), STIXID: "attack-pattern--" + stixID, Tactics: tactics,
			URL: text("https://attack.mitre.org/techniques/" + id),
		}
	}
	tactic := func(id, name, shortname string) attack.Tactic {
		return attack.Tactic{ID: id, Name: text(name), Shortname: shortname, URL: text("https://attack.mitre.org/tactics/" + id)}
	}
	old := tactic("TA0110", "Old", "old")
	old.Deprecated = true
	revoked := technique("T1086", "PowerShell", "f4882e23-8aa7-4b12-b28a-b349c12ee9e0", "TA0002")
	revoked.Revoked, revoked.Successor = true, "T1059.001"
	deprecated := technique("T1064", "Scripting", "7fd87010-3a00-4da3-b905-410525e8ec44", "TA0002")
	deprecated.Deprecated = true
	r, err := attack.NewRelease(name, []attack.Tactic{
		tactic("TA0002", "Execution", "execution"),
		tactic("TA0006", "Credential Access", "credential-access"),
		tactic("TA0040", "Impact", "impact"),
		old,
	}, []attack.Technique{
		technique("T1110", "Brute Force", "a93494bb-4b80-4ea1-8695-3236a49916fd", "TA0006"),
		technique("T1110.001", "Password Guessing", "09c4c11e-4fa1-4f8c-8dad-3cf8e69ad119", "TA0006"),
		technique("T1110.003", "Password Spraying", "692074ae-bb62-4a5e-a735-02cb6bde458c", "TA0006"),
		technique("T1059", "Command and Scripting Interpreter", "7385dfaf-6886-4229-9ecd-6fd678040830", "TA0002"),
		technique("T1059.004", "Unix Shell", "a9d4b653-6915-42af-98b2-5758c4ceee56", "TA0002"),
		technique("T1053", "Scheduled Task/Job", "35dd844a-b219-4e2b-a6bb-efa9a75995a9", "TA0002", "TA0006"),
		revoked, deprecated,
	})
	if err != nil {
		panic(err)
	}
	return r
}

// Cell returns a cell of enterprise-v18.1 with count tags of the first days of March 2026.
func Cell(technique, tactic string, count int64) matrix.Cell {
	return matrix.Cell{
		Release: "enterprise-v18.1", Pair: attack.Pair{Technique: technique, Tactic: tactic}, Count: count,
		FirstSeen: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), LastSeen: time.Date(2026, 3, 2, 0, 30, 0, 1000, time.UTC),
		ConfidenceMax: 0.7, Distinct: &matrix.Distinct{Sources: count, Attackers: 2, Identities: 1}, Rules: []string{"R1001", "R1002"},
	}
}

// Cells returns cells of two tactics: sub-techniques without their technique, a technique of two tactics, and cells that
// are not in the matrix of Release.
func Cells() []matrix.Cell {
	remapped := Cell("T1110.003", "TA0006", 1)
	remapped.Origins = []matrix.Origin{{Release: "enterprise-v8.2", Pair: attack.Pair{Technique: "T1110", Tactic: "TA0006"}, Count: 1}}
	other := Cell("T1110", "TA0006", 9)
	other.Release = "enterprise-v17.1"
	return []matrix.Cell{
		Cell("T1110.001", "TA0006", 120), remapped,
		Cell("T1053", "TA0002", 3), Cell("T1053", "TA0006", 40),
		Cell("T1064", "TA0002", 2), Cell("T1059.004", "TA0006", 5), other,
		Cell("T1086", "TA0002", 1), Cell("T9999", "TA0002", 1),
	}
}
