package ttp

import (
	"database/sql"
	"net/netip"
	"time"

	"github.com/google/uuid"
)

// Both dialects store UUIDs as 16 bytes, times as microseconds since 1970 in UTC, and absent values as NULL.

func nullText(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

func nullID(id uuid.UUID) []byte {
	if id == uuid.Nil {
		return nil
	}
	return id[:]
}

// idOrNull and textOrNull return the same values as nullID and nullText, as arguments of handwritten statements.
func idOrNull(id *uuid.UUID) any {
	if *id == uuid.Nil {
		return nil
	}
	return id[:]
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func idBytes(ids []uuid.UUID) [][]byte {
	out := make([][]byte, len(ids))
	for i := range ids {
		out[i] = ids[i][:]
	}
	return out
}

func self[T any](v T) T { return v }

func toID(b []byte) uuid.UUID {
	if b == nil {
		return uuid.Nil
	}
	return uuid.UUID(b)
}

func toTime(microseconds int64) time.Time { return time.UnixMicro(microseconds).UTC() }

func nullIP(ip netip.Addr) sql.NullString {
	if !ip.IsValid() {
		return sql.NullString{}
	}
	return nullText(ip.String())
}
