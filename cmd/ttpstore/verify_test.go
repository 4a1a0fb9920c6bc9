package main

import (
	"strings"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

const strangerID = "11111111-2222-4333-8444-555555555555" // not stored

// Some tags of the fixtures have a technique or a tactic that their release does not have.
const (
	wrongTactic      = "T1110.001 TA0001 enterprise-v18.1 (tags: 1) is not under this tactic but under TA0006"
	unknownTechnique = "T1082 TA0007 mobile-v18.1 (tags: 1) is not in the release"
)

func TestVerify(t *testing.T) {
	c := newCLI(t)
	attacker := `{"type":"attacker","uuid":"` + attackerID + `"}` + "\n"
	if got := c.runWith(attacker+tagLine("1", "TA0006", "T1110", "0.6", "2026-03-16T12:00:00Z"), "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(result{exitSuccess, "", "checked 0 campaigns, 0 identities, 1 attacker, 1 tag, 0 tombstones: 0 findings, 0 repaired\n"}, "", "verify")
	c = filled(t)
	c.want(result{exitFailure, "wrong_tactic: technique: " + wrongTactic + "\n",
		"checked 1 campaign, 1 identity, 1 attacker, 4 tags, 0 tombstones: 1 finding, 0 repaired\nttpstore: verify: 1 finding not repaired\n"}, "", "verify")
	attacker = `{"type":"attacker","uuid":"` + otherAttackerID + `","identity_uuid":"` + strangerID + `"}`
	if got := c.runWith(attacker, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	summary := "checked 1 campaign, 1 identity, 2 attackers, 4 tags, 0 tombstones: 2 findings, 0 repaired\nttpstore: verify: 2 findings not repaired\n"
	line := "dangling: attacker " + otherAttackerID + ": identity_uuid " + strangerID + " is not stored\nwrong_tactic: technique: " + wrongTactic + "\n"
	c.want(result{exitFailure, line, summary}, "", "verify")
	c.want(result{exitFailure, line, summary}, "", "verify", "--repair", "--yes")
	c.want(result{exitFailure, `{"kind":"dangling","of":"attacker","uuid":"` + otherAttackerID + `","detail":"identity_uuid ` + strangerID +
		` is not stored","repaired":false}` + "\n" + `{"kind":"wrong_tactic","of":"technique","detail":"` + wrongTactic + `","repaired":false}` + "\n", summary}, "", "verify", "-o=jsonl")
}

func TestVerifyRepairs(t *testing.T) {
	c := twoAttackers(t)
	attacker := `"attacker_uuid":"` + attackerID + `"`
	line := strings.Replace(tagLine("strange", "TA0006", "T1110", "0.6", "2026-03-16T12:00:00Z"), attacker, attacker+`,"identity_uuid":"`+otherIdentityID+`"`, 1)
	if got := c.runWith(line, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	wrong := "unknown_technique: technique: " + unknownTechnique + "\nwrong_tactic: technique: " + wrongTactic + "\n"
	looked := "checked 2 campaigns, 2 identities, 2 attackers, 7 tags, 0 tombstones: "
	finding := func(args ...string) string {
		t.Helper()
		got := c.runWith("", append([]string{"verify"}, args...)...)
		found, others, _ := strings.Cut(got.stdout, "\n")
		if !strings.HasPrefix(found, "identity_mismatch: tag ") || others != wrong {
			t.Errorf("%+v", got)
		}
		return found
	}
	found := finding()
	left := "\nttpstore: verify: 2 findings not repaired\n"
	c.want(result{exitFailure, found + "\n" + wrong, looked + "3 findings, 0 repaired\nttpstore: verify: 3 findings not repaired\n"}, "", "verify")
	c.want(result{exitFailure, found + " (repaired)\n" + wrong, looked + "3 findings, 1 repaired" + left}, "", "verify", "--repair", "-y")
	c.want(result{exitFailure, wrong, looked + "2 findings, 0 repaired" + left}, "", "verify")
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

func TestVerifyCountsTagsOnly(t *testing.T) {
	var stderr strings.Builder
	v := verification{bar: &progressBar{stderr: &stderr, unit: "tags", total: 5, start: time.Now(), now: time.Now}}
	v.progress(ttp.VerifyReport{Attackers: 9, Tags: 5})
	if want := eraseLine + "100%  5 of 5 tags"; stderr.String() != want {
		t.Errorf("%q, want %q", stderr.String(), want)
	}
}
