package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// programs is a directory that other users can access.
var programs string

func TestMain(m *testing.M) {
	var err error
	if programs, err = os.MkdirTemp("", "ttpstore"); err == nil {
		err = os.Chmod(programs, 0o755)
	}
	must(err)
	status := m.Run()
	must(os.RemoveAll(programs))
	os.Exit(status)
}

// build builds the program once.
var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(programs, "ttpstore")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return path, err
})

// program returns the path of the built program, for tests that need a separate process.
func program(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	otherCampaignID = "7c2173a3-9c8c-5ad6-bbe2-868cddd5d59e"
	otherIdentityID = "189b3fbb-9556-55f5-a524-57d8bd6526b3"
	otherAttackerID = "29fdaf10-78d5-5f95-8bea-3d649e29ecd6"
)

// otherTagLine returns a tag of another attacker, session and rule, with a decky.
func otherTagLine(source, tactic, technique, confidence, time string) string {
	return strings.NewReplacer(
		attackerID, otherAttackerID,
		`"command"`, `"payload"`,
		`"s1"`, `"s2","decky_id":"decky-1"`,
		`"R1","rule_version":1`, `"R2","rule_version":3`,
	).Replace(tagLine(source, tactic, technique, confidence, time))
}

// twoAttackers returns a database with the test records and those of an attacker of another campaign, whose
// last tag is of ATT&CK for Mobile.
func twoAttackers(t *testing.T) cli {
	t.Helper()
	c := filled(t)
	others := strings.NewReplacer(campaignID, otherCampaignID, identityID, otherIdentityID, attackerID, otherAttackerID).Replace(scopes) +
		otherTagLine("x", "TA0006", "T1110", "0.6", "2026-03-16T12:00:00Z") +
		strings.Replace(otherTagLine("y", "TA0007", "T1082", "0.8", "2026-03-17T06:00:00Z"), `"18.1"`, `"mobile-v18.1"`, 1)
	if got := c.runWith(others, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	return c
}

// wantWrong runs a command line and checks that it is a usage error.
func (c cli) wantWrong(message, command string, args ...string) {
	c.t.Helper()
	c.want(result{exitUsage, "", "ttpstore: " + message + "\nRun 'ttpstore " + command + " --help' for usage.\n"}, "", args...)
}

// files returns the names in a folder.
func files(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// rows runs a command with -o csv and returns its rows, each a map from column to cell.
func (c cli) rows(command string, args ...string) []map[string]string {
	c.t.Helper()
	got := c.runWith("", append([]string{command, "-o=csv"}, args...)...)
	lines, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
	if err != nil || len(lines) == 0 || got.status != exitSuccess {
		c.t.Fatalf("%v: %+v, %v", args, got, err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}
