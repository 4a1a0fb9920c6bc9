package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/attack/builtin"
	"github.com/decnet/ttpstore/navigator"
)

func TestNavigator(t *testing.T) {
	c := twoAttackers(t)
	release, _ := builtin.Catalogue().Release("enterprise-v18.1")
	for _, args := range []string{
		"session s1", "session s1 --score sources", "session s1 --score attackers", "session s1 --score identities",
		"session s1 --score confidence", "session s1 --min-confidence 0.6 --since 2026-03-01",
	} {
		file := filepath.Join(t.TempDir(), "layer.json")
		args := append([]string{"navigator", "--out", file}, strings.Fields(args)...)
		c.want(result{exitSuccess, "", ""}, "", args...)
		if err := navigator.Validate([]byte(read(t, file)), release); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
	var layer navigator.Layer
	got := c.runWith("", "navigator", "--domain", "enterprise", "--against", "session s1")
	if err := json.Unmarshal([]byte(got.stdout), &layer); err != nil || layer.Name != "fleet against session s1 (enterprise-v18.1)" {
		t.Errorf("%v %q %+v", err, layer.Name, got.stderr)
	}
	var layers []navigator.Layer // the tags are of two domains
	got = c.runWith("", "navigator")
	if err := json.Unmarshal([]byte(got.stdout), &layers); err != nil || len(layers) != 2 {
		t.Errorf("%v %d %+v", err, len(layers), got.stderr)
	}
	c.want(result{exitFailure, "", "ttpstore: no tags match: nothing is written\n"}, "", "navigator", "--rule=R3")
	c.wantWrong("--against and --score are mutually exclusive", "navigator", "navigator", "--against=fleet", "--score=sources")
	c.wantWrong(`invalid argument "x" for "--score" flag: must be count, sources, attackers, identities or confidence`,
		"navigator", "navigator", "--score=x")
	c.wantWrong(`unexpected argument "x"`, "navigator", "navigator", "fleet", "x")
}
