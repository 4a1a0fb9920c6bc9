package main

import (
	"regexp"
	"testing"
	"time"
)

func TestRetention(t *testing.T) {
	c := filled(t)
	line := otherTagLine("hour", "TA0006", "T1110", "0.6", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
	if got := c.runWith(line, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	expire := func(receipt, note string, args ...string) {
		t.Helper()
		got := c.runWith("", append([]string{"retention"}, args...)...)
		cut := regexp.MustCompile(`observed before \S+: `).ReplaceAllString(got.stderr, "")
		if got.status != exitSuccess || got.stdout != receipt || cut != note {
			t.Errorf("%v: %+v", args, got)
		}
	}
	expire(receiptOfS1, "4 of 5 tags\ndry run: nothing was changed\n", "--keep=2h", "--dry-run")
	c.wantTags("5")
	expire("tags\t0\n", "0 of 5 tags\ndry run: nothing was changed\n", "--keep=100y", "--dry-run")
	expire(receiptOfS1, "4 of 5 tags\n", "--keep", "1d", "--yes")
	expire("tags\t0\n", "0 of 1 tag\n", "--keep=1w", "--yes")
	c.wantTags("1")
	expire("tags\t1\nT1110 Brute Force\t1\n", "1 of 1 tag (all)\n", "--keep=30m", "--yes")
}

func TestWrongRetention(t *testing.T) {
	c := newCLI(t)
	for _, keep := range []string{"0", "0d", "0s", "", "d", "-1d", "-24h", "90", "1.5d", "106752d", "0y", "300y", "2026-03-15"} {
		c.wantWrong(`invalid argument "`+keep+`" for "--keep" flag: must be a positive duration `+
			`such as 24h, 90d or 3y, at most 106751d`, "retention", "retention", "--yes", "--keep="+keep)
	}
	c.wantWrong("missing flag --keep", "retention", "retention", "--yes")
	c.wantWrong(`unexpected argument "90d"`, "retention", "retention", "90d", "--yes")
	c.wantNoFile()
}
