package ttp

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	fuzzCampaign = `{"type":"campaign","uuid":"02cfc226-4a72-52c1-a22d-eb724ba07188","name":"<Gr\u00fcn> \u2028\"blau\""}`
	fuzzIdentity = `{"type":"identity","uuid":"05205c50-66b3-53b4-af13-06b4501c4815",` +
		`"campaign_uuid":"02cfc226-4a72-52c1-a22d-eb724ba07188","merged_into_uuid":"13593f38-c2d6-5760-b4ca-6b523e5fdfb1"}`
	fuzzAttacker = `{"type":"attacker","uuid":"000d8a77-b228-502f-b2e9-96bd76c78316","ip":"::ffff:192.0.2.7"}`
	fuzzTag      = `{"type":"tag","source_kind":"command","source_id":"cmd_42","session_id":"s","decky_id":"d",` +
		`"attacker_uuid":"000d8a77-b228-502f-b2e9-96bd76c78316","tactic":"TA0007","technique_id":"T1083",` +
		`"sub_technique_id":"T1083.001","confidence":-0.0,"rule_id":"R0014","rule_version":2,"attack_release":"v15.1",` +
		`"observed_at":"2018-05-06T17:44:05.8772289+02:00","ingested_at":"2026-01-01T00:00:00.000001Z",` +
		`"batch_uuid":"019b76da-a800-7000-8000-000000000001","evidence":{"b": 1.0,` + "\r" + ` "a":["<&>",3]}}`
)

// FuzzDecodeRecord checks that a record without problems is unchanged after encoding and decoding it, and that every
// other one is dropped with a reason.
func FuzzDecodeRecord(f *testing.F) {
	for _, line := range []string{
		fuzzCampaign, fuzzIdentity, fuzzAttacker, fuzzTag, `{"type":"tag"}`, `{"type":"x"}`, "null", "{",
	} {
		f.Add([]byte(line))
	}
	f.Add([]byte(strings.Replace(fuzzTag, `"confidence":-0.0`, `"confidence":1e-400`, 1)))
	f.Add([]byte(strings.Replace(fuzzTag, `"source_kind":"command"`, `"source_kind":"\ud83d"`, 1)))
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.ContainsRune(line, '\n') {
			return // of two lines
		}
		var read, again records
		if problems := read.decode(line); len(problems) > 0 {
			wantRecords(t, records{}, read)
			for _, p := range problems {
				if p.Reason == "" || p.Place != NoPlace || (p.Field == "" && !isOfLine(p.Reason)) {
					t.Errorf("%q: got the problem %+v", line, p)
				}
			}
			return
		}
		written := encodeOne(t, &read)
		if problems := again.decode(written); len(problems) > 0 {
			t.Fatalf("%q is written as %q: %v", line, written, problems)
		}
		wantRecords(t, read, again)
		if rewritten := encodeOne(t, &again); !bytes.Equal(rewritten, written) {
			t.Errorf("%q is written as %q and then as %q", line, written, rewritten)
		}
	})
}

// isOfLine reports whether a reason needs no field.
func isOfLine(reason string) bool {
	return reason == "must be a JSON object" || reason == "must be valid UTF-8"
}

// encodeOne returns the line of the only record. Like an import and an export, it sets a tag's missing IngestedAt and
// replaces line breaks in its evidence.
func encodeOne(t *testing.T, r *records) []byte {
	t.Helper()
	if n := len(r.campaigns) + len(r.identities) + len(r.attackers) + len(r.tags); n != 1 {
		t.Fatalf("a line gave %d records", n)
	}
	var line []byte
	var err error
	switch e := newLineEncoder(); {
	case len(r.campaigns) > 0:
		line, err = e.campaign(r.campaigns[0])
	case len(r.identities) > 0:
		line, err = e.identity(r.identities[0])
	case len(r.attackers) > 0:
		line, err = e.attacker(r.attackers[0])
	default:
		tag := &r.tags[0]
		if tag.IngestedAt.IsZero() {
			tag.IngestedAt = time.Unix(0, 0).UTC()
		}
		tag.Evidence = bytes.ReplaceAll(tag.Evidence, []byte("\r"), []byte(" "))
		line, err = e.tag(*tag)
	}
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(line)
}

func wantRecords(t *testing.T, want, got records) {
	t.Helper()
	equalIP := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
	if diff := cmp.Diff(want, got, equalIP, cmp.AllowUnexported(records{}, scopes{})); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}
