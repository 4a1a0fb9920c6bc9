package ttp

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
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

const (
	positionSize = 8 + 16
	digestSize   = 8
)

// cursor is the position, a digest of the query that it belongs to and one of all that.
func (p position) cursor(scope Scope, b filterArgs) string {
	raw := binary.BigEndian.AppendUint64(make([]byte, 0, positionSize+2*digestSize), uint64(p.observedAt))
	raw = append(raw, p.uuid[:]...)
	raw = append(raw, queryDigest(scope, b)...)
	return base64.RawURLEncoding.EncodeToString(append(raw, digest(raw)...))
}

// cursor reads a cursor of the same query.
func (c *checker) cursor(cursor string, scope Scope, b filterArgs) position {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	body := len(raw) - digestSize
	switch {
	case err != nil || body != positionSize+digestSize || string(raw[body:]) != string(digest(raw[:body])):
		c.refuse("cursor", "is damaged: pass on Next of the page before as it is")
		return start
	case string(raw[positionSize:body]) != string(queryDigest(scope, b)):
		c.refuse("cursor", "belongs to another scope or filter: start again without a cursor")
		return start
	}
	return position{int64(binary.BigEndian.Uint64(raw)), uuid.UUID(raw[8:positionSize])}
}

// queryDigest is of the query's meaning: an id may be spelt in several ways.
func queryDigest(scope Scope, b filterArgs) []byte {
	if id, err := uuid.Parse(scope.ID); err == nil && scope.Kind != SessionScope {
		scope.ID = id.String()
	}
	return digest(fmt.Appendf(nil, "%q %#v", scope, b))
}

func digest(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:digestSize]
}
