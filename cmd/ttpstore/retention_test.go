package main

import (
	"testing"
	"time"
)

func TestRetention(t *testing.T) {
	c := filled(t)
	line := otherTagLine("hour", "TA0006", "T1110", "0.6", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
	if got := c.runWith(line, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(result{exitSuccess, receiptOfS1, "dry run: nothing was changed\n"}, "", "retention", "--keep=2h", "--dry-run")
	c.wantTags("5")
	c.want(result{exitSuccess, receiptOfS1, ""}, "", "retention", "--keep", "1d", "--yes")
	c.want(result{exitSuccess, "tags  0\n", ""}, "", "retention", "--keep=1w", "--yes")
	c.wantTags("1")
	c.want(result{exitSuccess, "tags     1\n  T1110  1\n", ""}, "", "retention", "--keep=30m", "--yes")
}

func TestWrongRetention(t *testing.T) {
	c := newCLI(t)
	for _, keep := range []string{"0", "0d", "0s", "", "d", "-1d", "-24h", "90", "1.5d", "106752d", "2026-03-15"} {
		c.wantWrong(`invalid argument "`+keep+`" for "--keep" flag: must be a positive duration `+
			`such as 24h, 90d or 52w, at most 106751d`, "retention", "retention", "--yes", "--keep="+keep)
	}
	c.wantWrong("missing flag --keep", "retention", "retention", "--yes")
	c.wantWrong(`unexpected argument "90d"`, "retention", "retention", "90d", "--yes")
	c.wantNoFile()
}
