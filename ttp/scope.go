package ttp

import (
	"database/sql"
	"fmt"

	"github.com/google/uuid"
)

// Scope says whose tags a read is about. The zero Scope is the whole fleet.
type Scope struct {
	Kind ScopeKind `json:"kind"`
	// ID is the UUID of an identity, attacker or campaign, or a session's id; empty for the fleet.
	ID string `json:"id"`
}

// ScopeKind names a kind of [Scope].
type ScopeKind string

// The kinds of scope there are.
const (
	FleetScope    ScopeKind = ""
	IdentityScope ScopeKind = "identity"
	AttackerScope ScopeKind = "attacker"
	CampaignScope ScopeKind = "campaign"
	SessionScope  ScopeKind = "session"
)

// Fleet is all tags.
func Fleet() Scope { return Scope{} }

// OfIdentity is the tags that [Store.ListTechniquesByIdentity] rolls up.
func OfIdentity(id uuid.UUID) Scope { return Scope{IdentityScope, id.String()} }

// OfAttacker is the tags that [Store.ListTechniquesByAttacker] rolls up.
func OfAttacker(id uuid.UUID) Scope { return Scope{AttackerScope, id.String()} }

// OfCampaign is the tags that [Store.ListTechniquesByCampaign] rolls up.
func OfCampaign(id uuid.UUID) Scope { return Scope{CampaignScope, id.String()} }

// OfSession is the tags that [Store.ListTechniquesBySession] rolls up.
func OfSession(id string) Scope { return Scope{SessionScope, id} }

// String is the kind and the id.
func (s Scope) String() string {
	if s.Kind == FleetScope {
		return "fleet"
	}
	return string(s.Kind) + " " + s.ID
}

// with says the scope and the bounds as the queries want them.
func (s Scope) with(b filterArgs) (args, error) {
	a := args{filterArgs: b}
	if s == Fleet() {
		return a, nil
	}
	var c checker
	if s.Kind == SessionScope {
		if c.text("session_id", s.ID, 255); len(c.problems) > 0 {
			s.ID = "" // no tag has such an id; MySQL would match it without its spaces
		}
		a.SessionID = sql.NullString{String: s.ID, Valid: true}
		return a, nil
	}
	id, err := uuid.Parse(s.ID)
	switch s.Kind {
	case AttackerScope:
		a.AttackerUUID = id[:]
	case IdentityScope:
		a.IdentityUUID = id[:]
	case CampaignScope:
		a.CampaignUUID = id[:]
	default:
		c.refuse("scope", "must be of kind identity, attacker, campaign or session, or empty for the fleet")
		return a, c.queryError()
	}
	if err != nil {
		c.refuse("scope", fmt.Sprintf("must have a UUID as its id, not %q", s.ID))
	}
	return a, c.queryError()
}
