package ttp

import (
	"database/sql"

	"github.com/google/uuid"
)

// args holds the parameters of every query, by the names that sqlc gives their parameters.
type args struct {
	AttackerUUID, IdentityUUID, CampaignUUID []byte
	SessionID                                sql.NullString
	AnyIdentity                              int64 // 1: also an attacker's tags that name an identity
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
	Name, IP, Reason                                             sql.NullString
	Kind, Removed                                                string
	CreatedAt, FirstSeen, LastSeen                               int64
	ConfidenceMax                                                float64
}

// byID returns the parameters of a query by one UUID.
func byID(id uuid.UUID) args { return args{UUID: id[:], UUIDs: [][]byte{id[:]}} }
