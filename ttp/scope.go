package ttp

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Scope says whose tags a read is about. The zero Scope is the whole fleet.
type Scope struct {
	Kind ScopeKind `json:"kind"`
	// UUID is the id of an identity, attacker or campaign.
	UUID uuid.UUID `json:"uuid,omitzero"`
	// SessionID is the id of a session.
	SessionID string `json:"session_id,omitempty"`
}

// ScopeKind names a kind of [Scope].
type ScopeKind string

// The kinds of [Scope].
const (
	FleetScope    ScopeKind = ""
	IdentityScope ScopeKind = "identity"
	AttackerScope ScopeKind = "attacker"
	CampaignScope ScopeKind = "campaign"
	SessionScope  ScopeKind = "session"
)

// Fleet is the scope of all tags.
func Fleet() Scope { return Scope{} }

// OfIdentity is the scope that [Store.ListTechniquesByIdentity] rolls up.
func OfIdentity(id uuid.UUID) Scope { return Scope{Kind: IdentityScope, UUID: id} }

// OfAttacker is the scope that [Store.ListTechniquesByAttacker] rolls up.
func OfAttacker(id uuid.UUID) Scope { return Scope{Kind: AttackerScope, UUID: id} }

// OfCampaign is the scope that [Store.ListTechniquesByCampaign] rolls up.
func OfCampaign(id uuid.UUID) Scope { return Scope{Kind: CampaignScope, UUID: id} }

// OfSession is the scope that [Store.ListTechniquesBySession] rolls up.
func OfSession(id string) Scope { return Scope{Kind: SessionScope, SessionID: id} }

// ID returns the UUID or the session's id as text, "" for the fleet.
func (s Scope) ID() string {
	switch s.Kind {
	case FleetScope:
		return ""
	case SessionScope:
		return s.SessionID
	}
	return s.UUID.String()
}

// String returns the kind and the id, which [ParseScope] reads.
func (s Scope) String() string {
	if s.Kind == FleetScope {
		return "fleet"
	}
	return string(s.Kind) + " " + s.ID()
}

// ParseScope reads a scope as [Scope.String] writes it: "fleet", or a kind, a space and an id. It returns an
// [*InvalidError] ([ErrInvalidQuery]) that names the field "scope".
func ParseScope(text string) (Scope, error) {
	var c checker
	kind, id, _ := strings.Cut(text, " ")
	scope := Scope{Kind: ScopeKind(kind)}
	switch scope.Kind {
	case "fleet":
		scope.Kind = FleetScope
		if id != "" {
			c.refuse("scope", "must have no id for the fleet")
		}
	case SessionScope:
		if scope.SessionID = id; id == "" {
			c.refuse("scope", "must have a session's id")
		}
	case IdentityScope, AttackerScope, CampaignScope:
		var err error
		if scope.UUID, err = uuid.Parse(id); err != nil {
			c.refuse("scope", fmt.Sprintf("must have a UUID as its id, not %q", id))
		}
	default:
		c.refuse("scope", "must be fleet, or identity, attacker, campaign or session and an id")
	}
	return scope, c.queryError()
}

func (s Scope) check(c *checker) {
	switch s.Kind {
	case IdentityScope, AttackerScope, CampaignScope:
		if s.SessionID != "" {
			c.refuse("scope", "must have a UUID, not a session's id")
		}
	case FleetScope, SessionScope:
		if s.UUID != uuid.Nil || (s.Kind == FleetScope && s.SessionID != "") {
			c.refuse("scope", "must have no UUID, and only a session has a session's id")
		}
	default:
		c.refuse("scope", "must be of kind identity, attacker, campaign or session, or empty for the fleet")
	}
}
