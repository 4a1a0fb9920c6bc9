package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestColor(t *testing.T) {
	c := twoAttackers(t)
	run := func(args ...string) string {
		var stdout, stderr bytes.Buffer
		run(t.Context(), append([]string{"--db", "sqlite://" + c.db, "tags", "fleet", "-o=table"}, args...), nil, &stdout, &stderr)
		return stdout.String()
	}
	const yellow, green = "\x1b[33m", "\x1b[32m"
	t.Setenv("COLUMNS", "120")
	t.Setenv("NO_COLOR", "1")
	if got := run("--color=always"); !strings.Contains(got, green+"0.93") || strings.Contains(got, yellow) || strings.Contains(got, green+"0.75") {
		t.Errorf("%q", got)
	}
	for _, args := range [][]string{nil, {"--color=auto"}, {"--color=never"}} {
		if got := run(args...); strings.Contains(got, "\x1b") {
			t.Errorf("%v: %q", args, got)
		}
	}
	c.wantWrong(`invalid argument "maybe" for "--color" flag: must be auto, always or never`, "top", "top", "--color=maybe")
}
