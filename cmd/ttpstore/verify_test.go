package main

import (
	"strings"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

const strangerID = "11111111-2222-4333-8444-555555555555" // not stored

func TestVerify(t *testing.T) {
	c := filled(t)
	c.want(result{exitSuccess, "", "checked 1 campaign, 1 identity, 1 attacker, 4 tags, 0 tombstones: 0 findings, 0 repaired\n"}, "", "verify")
	attacker := `{"type":"attacker","uuid":"` + otherAttackerID + `","identity_uuid":"` + strangerID + `"}`
	if got := c.runWith(attacker, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	summary := "checked 1 campaign, 1 identity, 2 attackers, 4 tags, 0 tombstones: 1 finding, 0 repaired\nttpstore: verify: 1 finding not repaired\n"
	line := "dangling: attacker " + otherAttackerID + ": identity_uuid " + strangerID + " is not stored\n"
	c.want(result{exitFailure, line, summary}, "", "verify")
	c.want(result{exitFailure, line, summary}, "", "verify", "--repair", "--yes")
	c.want(result{exitFailure, `{"kind":"dangling","of":"attacker","uuid":"` + otherAttackerID + `","detail":"identity_uuid ` + strangerID +
		` is not stored","repaired":false}` + "\n", summary}, "", "verify", "-o=jsonl")
}

func TestVerifyRepairs(t *testing.T) {
	c := twoAttackers(t)
	attacker := `"attacker_uuid":"` + attackerID + `"`
	line := strings.Replace(tagLine("strange", "TA0006", "T1110", "0.6", "2026-03-16T12:00:00Z"), attacker, attacker+`,"identity_uuid":"`+otherIdentityID+`"`, 1)
	if got := c.runWith(line, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	looked := "checked 2 campaigns, 2 identities, 2 attackers, 7 tags, 0 tombstones: "
	finding := func(args ...string) string {
		t.Helper()
		got := c.runWith("", append([]string{"verify"}, args...)...)
		if !strings.HasPrefix(got.stdout, "identity_mismatch: tag ") || strings.Count(got.stdout, "\n") != 1 {
			t.Errorf("%+v", got)
		}
		return got.stdout
	}
	found := finding()
	c.want(result{exitFailure, found, looked + "1 finding, 0 repaired\nttpstore: verify: 1 finding not repaired\n"}, "", "verify")
	c.want(result{exitSuccess, strings.TrimSuffix(found, "\n") + " (repaired)\n", looked + "1 finding, 1 repaired\n"}, "", "verify", "--repair", "-y")
	c.want(result{exitSuccess, "", looked + "0 findings, 0 repaired\n"}, "", "verify")
}

func TestFindingsWithoutUUID(t *testing.T) {
	f := ttp.Finding{Kind: ttp.WrongIndex, Of: "index", Detail: "ttp_tag_observed has 5 entries for 4 tags", Repaired: true}
	if got, want := finding(f), "wrong_index: index: ttp_tag_observed has 5 entries for 4 tags (repaired)\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWrongVerify(t *testing.T) {
	c := newCLI(t)
	c.wantWrong("this changes rows: standard input is not a terminal, confirm with --yes", "verify", "verify", "--repair")
	c.wantWrong(`unexpected argument "x"`, "verify", "verify", "x")
	c.wantNoFile()
}
