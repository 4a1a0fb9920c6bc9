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

// position is the sort key of a tag in a list, for keyset pagination.
type position struct {
	observedAt int64
	uuid       uuid.UUID
}

// start precedes every tag of a list that is ordered newest first.
var start = position{observedAt: math.MaxInt64}

func positionOf(t Tag) position { return position{t.ObservedAt.UnixMicro(), t.UUID} }

// compareNewest orders positions newest first, then by descending UUID.
func (p position) compareNewest(q position) int {
	return cmp.Or(cmp.Compare(q.observedAt, p.observedAt), bytes.Compare(q.uuid[:], p.uuid[:]))
}

// A cursor is the base64 encoding of a version, a position, a digest of its query and a checksum of those three.
const (
	cursorVersion = 1
	positionEnd   = 1 + 8 + 16
	digestSize    = 8
	cursorSize    = positionEnd + 2*digestSize
)

// cursorLen is the length of every cursor; the decoder skips line breaks.
var cursorLen = base64.RawURLEncoding.EncodedLen(cursorSize)

func (p position) cursor(scope Scope, filter filterArgs) string {
	raw := binary.BigEndian.AppendUint64([]byte{cursorVersion}, uint64(p.observedAt))
	raw = append(raw, p.uuid[:]...)
	raw = append(raw, queryDigest(scope, filter)...)
	return base64.RawURLEncoding.EncodeToString(append(raw, digest(raw)...))
}

// cursor decodes a cursor and checks that it belongs to the same scope and filter.
func (c *checker) cursor(cursor string, scope Scope, filter filterArgs) position {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	const body = cursorSize - digestSize
	switch {
	case err != nil || len(raw) != cursorSize || len(cursor) != cursorLen || raw[0] != cursorVersion ||
		string(raw[body:]) != string(digest(raw[:body])):
		c.refuse("cursor", "is damaged: pass Next of the previous page unchanged")
		return start
	case string(raw[positionEnd:body]) != string(queryDigest(scope, filter)):
		c.refuse("cursor", "belongs to another scope or filter: start again without a cursor")
		return start
	}
	return position{int64(binary.BigEndian.Uint64(raw[1:])), uuid.UUID(raw[9:positionEnd])}
}

// queryDigest returns a digest of the scope and filter of a list.
func queryDigest(scope Scope, filter filterArgs) []byte {
	filter = filter.orEverything()
	encoded, _ := json.Marshal([]any{ // numbers and strings: cannot fail
		scope.Kind, scope.UUID, scope.SessionID,
		filter.Since, filter.Before, filter.FirstKey, filter.LastKey, filter.MinConfidence,
		filter.Modulus, filter.Unit, filter.Digits,
		filter.RuleID, filter.RuleVersion, filter.SourceKind, filter.DeckyID,
	})
	return digest(encoded)
}

func digest(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:digestSize]
}
