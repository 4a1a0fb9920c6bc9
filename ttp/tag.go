package ttp

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
	"github.com/decnet/ttpstore/internal/strictjson"
)

// Tag records that one version of a rule recognized an ATT&CK (sub-)technique in a source event. Optional fields are
// zero when absent.
//
// Text is compared byte for byte, and its length is counted in characters. Control characters, invalid UTF-8, and
// leading or trailing spaces are invalid.
type Tag struct {
	// UUID is the result of [Tag.ComputeUUID]. InsertTags sets it if it is zero and rejects any other value.
	UUID uuid.UUID `json:"uuid,omitzero"`
	// SourceKind is the kind of the tagged event: command, auth_attempt, http_request, payload, email, canary, intel,
	// session, fingerprint, identity_rollup or any other word of at most 64 characters without "|".
	SourceKind string `json:"source_kind"`
	// SourceID is the tagged event's ID, at most 255 characters. It is not a foreign key: tags outlive their sources.
	SourceID string `json:"source_id"`
	// AttackerUUID identifies the observed IP address. A tag has an attacker, an identity or both; a tag without an
	// attacker records behavior that is visible only across several attackers.
	AttackerUUID uuid.UUID `json:"attacker_uuid,omitzero"`
	// IdentityUUID identifies the actor. A tag without it counts for the identity of its attacker at the time of
	// reading.
	IdentityUUID uuid.UUID `json:"identity_uuid,omitzero"`
	// SessionID is the login session's ID, at most 255 characters; optional.
	SessionID string `json:"session_id,omitempty"`
	// DeckyID is the decoy host's ID, at most 255 characters; optional.
	DeckyID string `json:"decky_id,omitempty"`
	// Tactic is an ATT&CK tactic ID, "TA" and four digits. A technique may serve several tactics.
	Tactic string `json:"tactic"`
	// TechniqueID is an ATT&CK technique ID, "T" and four digits.
	TechniqueID string `json:"technique_id"`
	// SubTechniqueID is TechniqueID, "." and three digits; optional.
	SubTechniqueID string `json:"sub_technique_id,omitempty"`
	// Confidence is from 0 to 1. Tags below the store's write floor are not written.
	Confidence float64 `json:"confidence"`
	// RuleID identifies the rule, at most 64 characters without "|".
	RuleID string `json:"rule_id"`
	// RuleVersion is the rule's version, 0 or more.
	RuleVersion int `json:"rule_version"`
	// AttackRelease is the ATT&CK domain and version of the IDs, such as "enterprise-v18.1". The domain is enterprise,
	// ics or mobile; "v18.1" and "18.1" mean enterprise.
	AttackRelease string `json:"attack_release"`
	// ObservedAt is the time of the event, truncated to microseconds.
	ObservedAt time.Time `json:"observed_at"`
	// IngestedAt is the time of writing, in microseconds. InsertTags overwrites it.
	IngestedAt time.Time `json:"ingested_at,omitzero"`
	// BatchUUID identifies the InsertTags call that wrote the tag, a UUIDv7. InsertTags overwrites it.
	BatchUUID uuid.UUID `json:"batch_uuid,omitzero"`
	// Evidence is a JSON object of at most 64 KiB and 31 levels without surrounding white space; nil means {}. It is
	// stored byte for byte and must be valid on every engine: no unpaired surrogates, and numbers of magnitude below
	// 1e308 with at most 308 digits before the point and exponents of at most 308, even for zero.
	Evidence json.RawMessage `json:"evidence"`
	// Names are set by reads and ignored by writes.
	Names
}

const maxEvidenceBytes = 64 << 10

// tagNamespace is the UUIDv5 of the URL namespace and "decnet:ttp_tag:v1".
var tagNamespace = uuid.MustParse("1ca31f08-5522-5aae-8371-fe81f0e39de3")

// ComputeTagUUID returns the UUID of a tag: the UUIDv5 of the six inputs joined by "|". An absent subTechniqueID is
// empty. The result never changes, since replays find stored tags by it.
func ComputeTagUUID(sourceKind, sourceID, ruleID string, ruleVersion int, techniqueID, subTechniqueID string) uuid.UUID {
	var buf [256]byte
	name := append(buf[:0], sourceKind...)
	name = append(append(name, '|'), sourceID...)
	name = append(append(name, '|'), ruleID...)
	name = strconv.AppendInt(append(name, '|'), int64(ruleVersion), 10)
	name = append(append(name, '|'), techniqueID...)
	name = append(append(name, '|'), subTechniqueID...)
	return uuid.NewSHA1(tagNamespace, name)
}

// ComputeUUID calls [ComputeTagUUID] with the tag's fields.
func (t Tag) ComputeUUID() uuid.UUID {
	return ComputeTagUUID(t.SourceKind, t.SourceID, t.RuleID, t.RuleVersion, t.TechniqueID, t.SubTechniqueID)
}

func (t Tag) id() uuid.UUID { return t.UUID }

// canonicalize converts the tag to its stored form, or returns its problems.
func (t *Tag) canonicalize() []Problem {
	var c checker
	c.text("source_kind", t.SourceKind, 64, required, noSeparator)
	c.text("source_id", t.SourceID, 255, required)
	if t.AttackerUUID == uuid.Nil && t.IdentityUUID == uuid.Nil {
		c.refuse("attacker_uuid, identity_uuid", "at least one must be set")
	}
	c.text("session_id", t.SessionID, 255)
	c.text("decky_id", t.DeckyID, 255)
	if !hasDigits(t.Tactic, "TA", 4) {
		c.refuse("tactic", `must be "TA" and four digits`)
	}
	if !hasDigits(t.TechniqueID, "T", 4) {
		c.refuse("technique_id", `must be "T" and four digits`)
	}
	if t.SubTechniqueID != "" && !hasDigits(t.SubTechniqueID, t.TechniqueID+".", 3) {
		c.refuse("sub_technique_id", `must be the technique_id, "." and three digits`)
	}
	if !(t.Confidence >= 0 && t.Confidence <= 1) { // NaN fails too
		c.refuse("confidence", "must be a number from 0 to 1")
	}
	c.text("rule_id", t.RuleID, 64, required, noSeparator)
	if t.RuleVersion < 0 {
		c.refuse("rule_version", "must not be negative")
	}
	if t.Evidence == nil {
		t.Evidence = json.RawMessage("{}")
	}
	if len(t.Evidence) > maxEvidenceBytes {
		c.refuse("evidence", "must be at most "+strconv.Itoa(maxEvidenceBytes)+" bytes")
	} else if reason := strictjson.CheckPortable(t.Evidence); reason != "" {
		c.refuse("evidence", reason)
	}
	release, ok := canonicalRelease(t.AttackRelease)
	if !ok {
		c.refuse("attack_release", releaseRule)
	}
	t.AttackRelease = release
	t.ObservedAt = c.time("observed_at", t.ObservedAt)
	if len(c.problems) > 0 {
		return c.problems
	}
	id := t.ComputeUUID()
	if t.UUID != uuid.Nil && t.UUID != id {
		c.refuse("uuid", "must be absent or "+id.String()+", the UUID of the other fields")
	}
	t.UUID = id
	t.Confidence = math.Abs(t.Confidence) // -0 becomes 0
	return c.problems
}

// hasDigits reports whether s consists of the prefix and n decimal digits.
func hasDigits(s, prefix string, n int) bool {
	digits, ok := strings.CutPrefix(s, prefix)
	return ok && len(digits) == n && allDigits(digits)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

const releaseRule = `must be such as "enterprise-v18.1", "ics-v18.1" or "mobile-v18.1"`

// canonicalRelease returns a release as domain-vMAJOR.MINOR, and false if it is invalid.
func canonicalRelease(s string) (string, bool) {
	domain, version, ok := strings.Cut(s, "-v")
	if !ok {
		domain, version = "enterprise", strings.TrimPrefix(s, "v")
	}
	major, minor, _ := strings.Cut(version, ".")
	if !isVersionNumber(major, 3) || !isVersionNumber(minor, 2) || !slices.Contains(domains[1:], domain) {
		return "", false
	}
	return domain + "-v" + version, true
}

// isVersionNumber reports whether s is a number without leading zeros, so that releases have unique names, and has at
// most the digits that a groupKey holds.
func isVersionNumber(s string, digits int) bool {
	return allDigits(s) && len(s) <= digits && (s == "0" || s[0] != '0')
}

// tagRow is a row of ttp_tag.
type tagRow interface {
	sqlitegen.TtpTag | mysqlgen.TtpTag
}

func toTag[R tagRow](row R) Tag {
	r := sqlitegen.TtpTag(row)
	return Tag{
		UUID:           toID(r.UUID),
		SourceKind:     r.SourceKind,
		SourceID:       r.SourceID,
		AttackerUUID:   toID(r.AttackerUUID),
		IdentityUUID:   toID(r.IdentityUUID),
		SessionID:      r.SessionID.String,
		DeckyID:        r.DeckyID.String,
		Tactic:         r.Tactic,
		TechniqueID:    r.TechniqueID,
		SubTechniqueID: r.SubTechniqueID.String,
		Confidence:     r.Confidence,
		RuleID:         r.RuleID,
		RuleVersion:    int(r.RuleVersion),
		Evidence:       []byte(r.Evidence),
		AttackRelease:  r.AttackRelease,
		ObservedAt:     toTime(r.ObservedAt),
		IngestedAt:     toTime(r.IngestedAt),
		BatchUUID:      toID(r.BatchUUID),
	}
}
