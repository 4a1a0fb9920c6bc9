package ttp

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// A record is one line of JSON Lines: a campaign, an identity, an attacker or a tag, as its field
// "type" says. The other fields are those of the Go types. Ids are canonical UUIDs, times RFC 3339.

const (
	campaignType = "campaign"
	identityType = "identity"
	attackerType = "attacker"
	tagType      = "tag"
)

// records are decoded lines, in the order of the lines for each type.
type records struct {
	scopes
	tags []Tag
}

// decode adds the record of one line, or returns what is wrong with it.
func (r *records) decode(line []byte) []Problem {
	f, ok := parseFields(line)
	if !ok {
		return []Problem{{Reason: "must be a JSON object"}}
	}
	var kind string
	f.require("type", &kind)
	switch kind {
	case campaignType:
		var c Campaign
		f.require("uuid", &c.UUID)
		f.take("name", &c.Name)
		f.take("merged_into_uuid", &c.MergedIntoUUID)
		if f.finish(c.problems) {
			r.campaigns = append(r.campaigns, c)
		}
	case identityType:
		var i Identity
		f.require("uuid", &i.UUID)
		f.take("campaign_uuid", &i.CampaignUUID)
		f.take("merged_into_uuid", &i.MergedIntoUUID)
		if f.finish(i.problems) {
			r.identities = append(r.identities, i)
		}
	case attackerType:
		var a Attacker
		f.require("uuid", &a.UUID)
		f.take("ip", &a.IP)
		f.take("identity_uuid", &a.IdentityUUID)
		if f.finish(a.problems) {
			r.attackers = append(r.attackers, a)
		}
	case tagType:
		tag := f.tag()
		if f.finish(tag.canonicalize) {
			r.tags = append(r.tags, tag)
		}
	default:
		f.refuse("type", `must be "campaign", "identity", "attacker" or "tag"`)
	}
	return f.problems
}

func (f *fields) tag() Tag {
	var t Tag
	f.take("uuid", &t.UUID)
	f.require("source_kind", &t.SourceKind)
	f.require("source_id", &t.SourceID)
	f.take("attacker_uuid", &t.AttackerUUID)
	f.take("identity_uuid", &t.IdentityUUID)
	f.take("session_id", &t.SessionID)
	f.take("decky_id", &t.DeckyID)
	f.require("tactic", &t.Tactic)
	f.require("technique_id", &t.TechniqueID)
	f.take("sub_technique_id", &t.SubTechniqueID)
	f.require("confidence", &t.Confidence)
	f.require("rule_id", &t.RuleID)
	f.require("rule_version", &t.RuleVersion)
	f.require("attack_release", &t.AttackRelease)
	f.require("observed_at", &t.ObservedAt)
	if f.take("ingested_at", &t.IngestedAt) {
		t.IngestedAt = f.time("ingested_at", t.IngestedAt)
	}
	f.take("batch_uuid", &t.BatchUUID)
	f.require("evidence", &t.Evidence)
	return t
}

// fields are those of one line that nobody has asked for yet, and what was wrong with the others.
type fields struct {
	checker
	values map[string]json.RawMessage
}

// parseFields splits a line into its fields. encoding/json alone would mend invalid UTF-8 and take the
// last of several fields with one name: both would change what is written.
func parseFields(line []byte) (f fields, ok bool) {
	d := json.NewDecoder(bytes.NewReader(line))
	if open, err := d.Token(); err != nil || open != json.Delim('{') || !json.Valid(line) {
		return f, false
	}
	if !utf8.Valid(line) {
		f.refuse("", "must be valid UTF-8")
	}
	f.values = map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return f, false
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return f, false
		}
		if _, twice := f.values[name.(string)]; twice {
			f.refuse(name.(string), "must not be given twice")
		}
		f.values[name.(string)] = value
	}
	return f, true
}

// take decodes an optional field and tells whether it was there. null is absent.
func (f *fields) take(name string, to any) bool {
	raw, ok := f.values[name]
	delete(f.values, name)
	if !ok || string(raw) == "null" {
		return false
	}
	switch to := to.(type) {
	case *json.RawMessage:
		*to = raw
		return true
	case *uuid.UUID:
		if len(raw) != len(`""`)+36 { // the package reads other spellings, too
			f.refuse(name, "must be a UUID")
			return true
		}
	case *string:
		if raw[0] == '"' && !isPaired(raw) {
			f.refuse(name, "must not contain an unpaired surrogate")
			return true
		}
	}
	if json.Unmarshal(raw, to) != nil {
		f.refuse(name, "must be "+jsonForm(to))
	}
	return true
}

// isPaired tells whether the escaped surrogates of a JSON string are whole; encoding/json would replace
// others.
func isPaired(text []byte) bool {
	_, paired := skipString(text, 0)
	return paired
}

func (f *fields) require(name string, to any) {
	if !f.take(name, to) {
		f.refuse(name, "must be set")
	}
}

// finish refuses fields that nothing has asked for, since their values would be lost, and then, if the
// form is right, what check finds. It tells whether the record is good.
func (f *fields) finish(check func() []Problem) bool {
	unknown := make([]string, 0, len(f.values))
	for name := range f.values {
		unknown = append(unknown, name)
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		f.refuse(name, "is no field of this type")
	}
	if len(f.problems) == 0 {
		f.problems = check()
	}
	return len(f.problems) == 0
}

func jsonForm(to any) string {
	switch to.(type) {
	case *uuid.UUID:
		return "a UUID"
	case *time.Time:
		return "an RFC 3339 time"
	case *netip.Addr:
		return "an IP address"
	case *float64:
		return "a number"
	case *int:
		return "a whole number"
	}
	return "a string"
}

// lineEncoder writes records.
type lineEncoder struct {
	buf  bytes.Buffer
	json *json.Encoder
}

func newLineEncoder() *lineEncoder {
	e := new(lineEncoder)
	e.json = json.NewEncoder(&e.buf)
	e.json.SetEscapeHTML(false)
	return e
}

// encode returns the record's line, valid until the next call.
func (e *lineEncoder) encode(record any) ([]byte, error) {
	e.buf.Reset()
	err := e.json.Encode(record)
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

// tag appends the evidence itself: encoding/json would rewrite its white space. Only line breaks, which
// JSON allows between its tokens and JSON Lines does not, become spaces.
func (e *lineEncoder) tag(t Tag) ([]byte, error) {
	line, err := e.encode(struct {
		Type string `json:"type"`
		Tag
		Evidence *struct{} `json:"evidence,omitempty"` // hides the tag's
	}{tagType, t, nil})
	if err != nil {
		return nil, err
	}
	line = append(line[:len(line)-len("}\n")], `,"evidence":`...)
	start := len(line)
	line = append(line, t.Evidence...)
	for i, c := range line[start:] {
		if c == '\n' || c == '\r' {
			line[start+i] = ' '
		}
	}
	return append(line, "}\n"...), nil
}
