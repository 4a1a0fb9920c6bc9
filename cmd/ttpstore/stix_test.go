package main

import (
	"encoding/json"
	"path/filepath"
	"testing"
)

func TestSTIX(t *testing.T) {
	c := filled(t)
	file := filepath.Join(t.TempDir(), "bundle.json")
	c.want(result{exitSuccess, "", ""}, "", "stix", "session", "s1", "--out", file)
	stdout := c.runWith("", "stix", "session", "s1")
	if stdout.status != exitSuccess || stdout.stdout != read(t, file) {
		t.Errorf("the same tags give other bytes: %+v", stdout)
	}
	var bundle struct {
		Objects []struct {
			Type  string
			Count int
		}
	}
	if err := json.Unmarshal([]byte(stdout.stdout), &bundle); err != nil {
		t.Fatal(err)
	}
	var sightings, tags int
	for _, object := range bundle.Objects {
		if object.Type == "sighting" {
			sightings, tags = sightings+1, tags+object.Count
		}
	}
	if sightings != 3 || tags != 4 { // a technique is under two tactics
		t.Error(sightings, tags)
	}
	c.want(result{exitFailure, "", "ttpstore: no tags match: nothing was written\n"}, "", "stix", "fleet", "--rule=R3")
	c.wantWrong("missing argument SCOPE: fleet, identity, attacker, campaign or session", "stix", "stix")
}
