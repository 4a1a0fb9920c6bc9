package main

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
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
	got = c.runWith("", "navigator", "--domain", "enterprise", "--since=2026-03-16", "--against-until=2026-03-16")
	if err := json.Unmarshal([]byte(got.stdout), &layer); err != nil ||
		layer.Name != "fleet since 2026-03-16T00:00:00Z against fleet until 2026-03-16T00:00:00Z (enterprise-v18.1)" {
		t.Errorf("%v %q %+v", err, layer.Name, got.stderr)
	}
	var layers []navigator.Layer // the tags are of two domains
	got = c.runWith("", "navigator")
	if err := json.Unmarshal([]byte(got.stdout), &layers); err != nil || len(layers) != 2 {
		t.Errorf("%v %d %+v", err, len(layers), got.stderr)
	}
	layers = nil // as of a release of one domain, the other has its own
	got = c.runWith("", "navigator", "--as-of=15.1")
	if err := json.Unmarshal([]byte(got.stdout), &layers); err != nil || len(layers) != 2 ||
		layers[0].Versions.Attack != "15.1" || layers[1].Name != "fleet (mobile-v18.1)" {
		t.Errorf("%v %+v", err, got)
	}
	layer = navigator.Layer{}
	got = c.runWith("", "navigator", "--as-of=15.1", "--domain=enterprise")
	old, _ := builtin.Catalogue().Release("enterprise-v15.1")
	if err := errors.Join(json.Unmarshal([]byte(got.stdout), &layer), navigator.Validate([]byte(got.stdout), old)); err != nil ||
		layer.Versions.Attack != "15.1" || !slices.Contains(layer.Metadata, navigator.Metadata{Name: "As of", Value: "enterprise-v15.1"}) ||
		!slices.Contains(layer.Metadata, navigator.Metadata{Name: "Not in the matrix", Value: "T1110.001, TA0001, enterprise-v18.1: 1 (unknown)"}) {
		t.Errorf("%v %+v %+v", err, layer.Metadata, got.stderr)
	}
	c.want(result{exitFailure, "", "ttpstore: no tags match: nothing was written\n"}, "", "navigator", "--rule=R3")
	if got := c.runWith("", "navigator", "--release=77.0"); got.status != exitFailure || got.stdout != "" ||
		!strings.HasPrefix(got.stderr, `ttpstore: no tags match: unknown ATT&CK release: "enterprise-v77.0"; the catalogue has enterprise-v8.2, `) {
		t.Errorf("%+v", got)
	}
	for _, flag := range []string{"against=fleet", "against-since=7d", "against-until=7d"} {
		name, _, _ := strings.Cut(flag, "=")
		c.wantWrong("--"+name+" and --score are mutually exclusive", "navigator", "navigator", "--"+flag, "--score=sources")
	}
	c.wantWrong(`invalid argument "x" for "--score" flag: must be count, sources, attackers, identities or confidence`,
		"navigator", "navigator", "--score=x")
	c.wantWrong(`unexpected argument "x"`, "navigator", "navigator", "fleet", "x")
}
