package main

import (
	"slices"
	"testing"
)

// The members of embedded structs are cells even if their type is not exported.
func TestHeadings(t *testing.T) {
	want := []string{"kind", "uuid", "session_id", "count", "first_seen", "last_seen", "ip", "attackers", "ips", "name", "techniques"}
	if got := headings[whoRow](); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	row := whoRow{scopeName: scopeName{IP: "192.0.2.7", IPs: []string{"192.0.2.8", "192.0.2.9"}}}
	if got := cells(row); got[6] != "192.0.2.7" || got[8] != "192.0.2.8;192.0.2.9" {
		t.Errorf("got %q", got)
	}
}
