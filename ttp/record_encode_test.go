package ttp

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

func TestTagLinesEqualEncodingJSON(t *testing.T) {
	lines := newLineEncoder()
	id := rapid.Custom(func(t *rapid.T) (id uuid.UUID) {
		if rapid.Bool().Draw(t, "set") {
			copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		}
		return id
	})
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", "<&>", "\u2028", "a\"b\\c\x7f", "\"", "\\", "\xff", "\x80",
	}))
	at := rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMicro(rapid.Int64Range(-6e16, 2e17).Draw(t, "micros")).UTC()
	})
	rapid.Check(t, func(rt *rapid.T) {
		tag := Tag{
			UUID: id.Draw(rt, "uuid"), SourceKind: text.Draw(rt, "kind"), SourceID: text.Draw(rt, "source"),
			AttackerUUID: id.Draw(rt, "attacker"), IdentityUUID: id.Draw(rt, "identity"),
			SessionID: text.Draw(rt, "session"), DeckyID: text.Draw(rt, "decky"), Tactic: text.Draw(rt, "tactic"),
			TechniqueID: text.Draw(rt, "technique"), SubTechniqueID: text.Draw(rt, "sub"),
			Confidence: rapid.OneOf(rapid.Float64Range(1e-6, 1), rapid.Just(0.0)).Draw(rt, "confidence"), RuleID: text.Draw(rt, "rule"),
			RuleVersion: rapid.Int().Draw(rt, "version"), AttackRelease: text.Draw(rt, "release"),
			ObservedAt: at.Draw(rt, "observed"), IngestedAt: at.Draw(rt, "ingested"), BatchUUID: id.Draw(rt, "batch"),
			Evidence: json.RawMessage(`{"a":"b"}`),
		}
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(struct {
			Type string `json:"type"`
			Tag
		}{tagType, tag}); err != nil {
			rt.Fatal(err)
		}
		got, err := lines.tag(tag)
		if err != nil || string(got) != want.String() {
			rt.Errorf("got  %swant %s%v", got, want.String(), err)
		}
	})
}
