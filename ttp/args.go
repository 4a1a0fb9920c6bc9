package ttp

import (
	"database/sql"
	"math/bits"
	"slices"

	"github.com/google/uuid"
)

// args holds the parameters of all queries, under the names that sqlc generates.
type args struct {
	AttackerUUID, IdentityUUID, CampaignUUID []byte
	SessionID                                sql.NullString
	AnyIdentity                              int64 // 1 includes an attacker's tags that have an identity
	filterArgs
	CursorObservedAt int64
	CursorUUID       []byte
	Limit, Offset    int64
	Origin, Width    int64
	After            []byte
	First, Last      []byte // UUIDs of a range

	UUID, BatchUUID, TombstoneUUID, MergedIntoUUID, SurvivorUUID []byte
	UUIDs, BatchUUIDs                                            [][]byte
	Attackers, Identities                                        [][]byte // of a scope's members
	TechniqueKey, Tags                                           int64
	TechniqueKeys                                                []int64
	Name, IP, Reason                                             sql.NullString
	Kind, Removed, ReleaseName                                   string
	Content                                                      []byte
	CreatedAt, FirstSeen, LastSeen                               int64
	ConfidenceMax                                                float64
}

// padLists repeats the last value of each list up to a power of two, since each length is a statement of its own in the
// prepared statement cache. The lists are operands of IN.
func (a *args) padLists() {
	a.UUIDs, a.BatchUUIDs, a.TechniqueKeys = pad(a.UUIDs), pad(a.BatchUUIDs), pad(a.TechniqueKeys)
	a.Attackers, a.Identities = pad(a.Attackers), pad(a.Identities)
}

func pad[T any](values []T) []T {
	if len(values) == 0 {
		return values
	}
	n := 1 << bits.Len(uint(len(values)-1))
	values = slices.Grow(slices.Clip(values), n-len(values)) // Clip: the caller may own the values after the list
	for len(values) < n {
		values = append(values, values[len(values)-1])
	}
	return values
}

// byID returns the parameters that select one UUID.
func byID(id uuid.UUID) args { return args{UUID: id[:], UUIDs: [][]byte{id[:]}} }
