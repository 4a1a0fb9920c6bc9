package main

import (
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/decnet/ttpstore/ttp"
)

// A table of several chunks fits the terminal, omits empty columns and shows whole session ids.
func TestLongTableFits(t *testing.T) {
	rows := make([]whoRow, 2*chunk+1)
	for i := range rows {
		rows[i].ScopeCount = ttp.ScopeCount{Scope: ttp.OfSession(strings.Repeat("ab", 10)), Count: int64(i)}
	}
	rows[2*chunk].SessionID = strings.Repeat("ab", 20)
	d := display{width: 80, zone: time.UTC}
	var out strings.Builder
	if err := writeTable(&out, d, whoColumns(d, ttp.SessionScope), stream(rows)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 1+len(rows) || strings.Join(strings.Fields(lines[0]), " ") != "SESSION COUNT" {
		t.Errorf("%d lines, %q", len(lines), lines[0])
	}
	for i, line := range lines {
		if width := text.StringWidth(line); width > d.width {
			t.Errorf("line %d has %d columns: %s", i, width, line)
		}
	}
	if last := strings.Fields(lines[2*chunk+1]); last[0] != strings.Repeat("ab", 20) {
		t.Errorf("cut: %q", last[0])
	}
}
