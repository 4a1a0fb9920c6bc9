package ttp

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// lineEncoder encodes records as JSON lines. A returned line is valid until the next call.
type lineEncoder struct {
	line []byte
	buf  bytes.Buffer // output of json
	json *json.Encoder
}

func newLineEncoder() *lineEncoder {
	e := new(lineEncoder)
	e.json = json.NewEncoder(&e.buf)
	e.json.SetEscapeHTML(false)
	return e
}

// encode returns the value as JSON, followed by a line break.
func (e *lineEncoder) encode(value any) ([]byte, error) {
	e.buf.Reset()
	err := e.json.Encode(value)
	return e.buf.Bytes(), err
}

func (e *lineEncoder) campaign(c Campaign) ([]byte, error) {
	return e.encode(struct {
		Type string `json:"type"`
		Campaign
	}{campaignType, c})
}

func (e *lineEncoder) identity(i Identity) ([]byte, error) {
	return e.encode(struct {
		Type string `json:"type"`
		Identity
	}{identityType, i})
}

func (e *lineEncoder) attacker(a Attacker) ([]byte, error) {
	return e.encode(struct {
		Type string `json:"type"`
		Attacker
	}{attackerType, a})
}

// tag returns the same bytes as encoding/json in a third of the time, except that the evidence keeps its white space.
// Its line breaks, which JSON allows between tokens and JSON Lines does not, become spaces.
func (e *lineEncoder) tag(t Tag) ([]byte, error) {
	e.line = append(e.line[:0], `{"type":"tag"`...)
	e.id("uuid", t.UUID)
	e.text("source_kind", t.SourceKind)
	e.text("source_id", t.SourceID)
	e.id("attacker_uuid", t.AttackerUUID)
	e.id("identity_uuid", t.IdentityUUID)
	e.optional("session_id", t.SessionID)
	e.optional("decky_id", t.DeckyID)
	e.text("tactic", t.Tactic)
	e.text("technique_id", t.TechniqueID)
	e.optional("sub_technique_id", t.SubTechniqueID)
	e.name("confidence")
	e.line = strconv.AppendFloat(e.line, t.Confidence, 'f', -1, 64)
	e.text("rule_id", t.RuleID)
	e.name("rule_version")
	e.line = strconv.AppendInt(e.line, int64(t.RuleVersion), 10)
	e.text("attack_release", t.AttackRelease)
	e.time("observed_at", t.ObservedAt)
	e.time("ingested_at", t.IngestedAt)
	e.id("batch_uuid", t.BatchUUID)
	e.name("evidence")
	start := len(e.line)
	e.line = append(e.line, t.Evidence...)
	for i, c := range e.line[start:] {
		if c == '\n' || c == '\r' {
			e.line[start+i] = ' '
		}
	}
	e.line = append(e.line, "}\n"...)
	return e.line, nil
}

func (e *lineEncoder) name(name string) {
	e.line = append(append(append(e.line, `,"`...), name...), `":`...)
}

func (e *lineEncoder) id(name string, id uuid.UUID) {
	if id == uuid.Nil {
		return
	}
	e.name(name)
	e.line = append(e.line, '"')
	e.line = append(hex.AppendEncode(e.line, id[:4]), '-')
	e.line = append(hex.AppendEncode(e.line, id[4:6]), '-')
	e.line = append(hex.AppendEncode(e.line, id[6:8]), '-')
	e.line = append(hex.AppendEncode(e.line, id[8:10]), '-')
	e.line = append(hex.AppendEncode(e.line, id[10:]), '"')
}

func (e *lineEncoder) time(name string, t time.Time) {
	e.name(name)
	e.line = append(t.AppendFormat(append(e.line, '"'), time.RFC3339Nano), '"')
}

func (e *lineEncoder) optional(name, text string) {
	if text != "" {
		e.text(name, text)
	}
}

func (e *lineEncoder) text(name, text string) {
	e.name(name)
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			escaped, _ := e.encode(text) // strings never fail
			e.line = append(e.line, bytes.TrimSuffix(escaped, []byte("\n"))...)
			return
		}
	}
	e.line = append(append(append(e.line, '"'), text...), '"')
}
