package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/attack"
)

func TestReport(t *testing.T) {
	c := twoAttackers(t)
	file := filepath.Join(t.TempDir(), "report.html")
	c.want(result{exitSuccess, "", ""}, "", "report", "fleet", "--since=2026-03-16", "--min-confidence=0.5", "--out", file)
	page := read(t, file)
	for _, text := range []string{
		"<!doctype html>", "System Information Discovery", otherAttackerID, "Minimum confidence", "2026-03-16", attack.Copyright,
	} {
		if !strings.Contains(page, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
	if got := c.runWith("", "report", "session", "s1", "--out=-"); got.status != exitSuccess || strings.Contains(got.stdout, otherAttackerID) {
		t.Errorf("a report of a session names others: %d %q", got.status, got.stderr)
	}
	c.want(result{exitFailure, "", "ttpstore: no tags match: nothing was written\n"}, "", "report", "fleet", "--rule=R3", "--out", file)
	if read(t, file) != page {
		t.Error("a failure changed the file")
	}
	c.wantWrong("missing flag --out", "report", "report", "fleet")
}
