package ttp

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"

	"github.com/google/uuid"
)

// position is a place in a list of tags.
type position struct {
	observedAt int64
	uuid       uuid.UUID
}

// start is before all tags of a list, newest first.
var start = position{observedAt: math.MaxInt64}

func positionOf(t Tag) position { return position{t.ObservedAt.UnixMicro(), t.UUID} }

// compareNewest orders positions newest first, ties by the greater uuid.
func (p position) compareNewest(q position) int {
	return cmp.Or(cmp.Compare(q.observedAt, p.observedAt), bytes.Compare(q.uuid[:], p.uuid[:]))
}

// A cursor is base64 of a version, a position, a digest of the query that it belongs to and a digest of all
// that.
const (
	cursorVersion = 1
	positionEnd   = 1 + 8 + 16
	digestSize    = 8
)

func (p position) cursor(scope Scope, b filterArgs) string {
	raw := binary.BigEndian.AppendUint64([]byte{cursorVersion}, uint64(p.observedAt))
	raw = append(raw, p.uuid[:]...)
	raw = append(raw, queryDigest(scope, b)...)
	return base64.RawURLEncoding.EncodeToString(append(raw, digest(raw)...))
}

// cursor reads a cursor of the same query.
func (c *checker) cursor(cursor string, scope Scope, b filterArgs) position {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	body := len(raw) - digestSize
	switch {
	case err != nil || body != positionEnd+digestSize || raw[0] != cursorVersion || string(raw[body:]) != string(digest(raw[:body])):
		c.refuse("cursor", "is damaged: pass on Next of the page before as it is")
		return start
	case string(raw[positionEnd:body]) != string(queryDigest(scope, b)):
		c.refuse("cursor", "belongs to another scope or filter: start again without a cursor")
		return start
	}
	return position{int64(binary.BigEndian.Uint64(raw[1:])), uuid.UUID(raw[9:positionEnd])}
}

// queryDigest digests what decides the rows of a list.
func queryDigest(scope Scope, b filterArgs) []byte {
	b = b.orEverything()
	encoded, _ := json.Marshal([]any{ // of numbers and strings: it cannot fail
		scope.Kind, scope.UUID, scope.SessionID,
		b.Since, b.Before, b.FirstKey, b.LastKey, b.MinConfidence, b.Modulus, b.Unit, b.Digits,
		b.RuleID, b.RuleVersion, b.SourceKind, b.DeckyID,
	})
	return digest(encoded)
}

func digest(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:digestSize]
}
