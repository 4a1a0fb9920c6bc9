package ttp

import (
	"database/sql"

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

// byID returns the parameters that select one UUID.
func byID(id uuid.UUID) args { return args{UUID: id[:], UUIDs: [][]byte{id[:]}} }
