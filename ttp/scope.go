package ttp

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Scope selects the tags of an identity, attacker, campaign, session or the fleet. The zero Scope is the fleet.
// [Store.Rollup] defines which tags each scope contains.
type Scope struct {
	Kind ScopeKind `json:"kind"`
	// UUID identifies an identity, attacker or campaign.
	UUID uuid.UUID `json:"uuid,omitzero"`
	// SessionID identifies a session.
	SessionID string `json:"session_id,omitempty"`
}

// ScopeKind is the kind of a [Scope].
type ScopeKind string

// The kinds of [Scope].
const (
	FleetScope    ScopeKind = ""
	IdentityScope ScopeKind = "identity"
	AttackerScope ScopeKind = "attacker"
	CampaignScope ScopeKind = "campaign"
	SessionScope  ScopeKind = "session"
)

// Fleet returns the scope of all tags.
func Fleet() Scope { return Scope{} }

// OfIdentity returns the scope of an identity.
func OfIdentity(id uuid.UUID) Scope { return Scope{Kind: IdentityScope, UUID: id} }

// OfAttacker returns the scope of an attacker.
func OfAttacker(id uuid.UUID) Scope { return Scope{Kind: AttackerScope, UUID: id} }

// OfCampaign returns the scope of a campaign.
func OfCampaign(id uuid.UUID) Scope { return Scope{Kind: CampaignScope, UUID: id} }

// OfSession returns the scope of a session.
func OfSession(id string) Scope { return Scope{Kind: SessionScope, SessionID: id} }

// ID returns the UUID or session ID as text, or "" for the fleet.
func (s Scope) ID() string {
	switch s.Kind {
	case FleetScope:
		return ""
	case SessionScope:
		return s.SessionID
	}
	return s.UUID.String()
}

// String returns "fleet", or the kind and the ID separated by a space. [ParseScope] is its inverse.
func (s Scope) String() string {
	if s.Kind == FleetScope {
		return "fleet"
	}
	return string(s.Kind) + " " + s.ID()
}

// ParseScope parses the format of [Scope.String], with a UUID in any form that [uuid.Validate] accepts. For any other
// text it returns an [*InvalidError] ([ErrInvalidQuery]) with the field "scope".
func ParseScope(text string) (Scope, error) {
	var c checker
	kind, id, spaced := strings.Cut(text, " ")
	scope := Scope{Kind: ScopeKind(kind)}
	switch scope.Kind {
	case "fleet":
		scope.Kind = FleetScope
		if spaced {
			c.refuse("scope", "must have no id for the fleet")
		}
	case SessionScope:
		if scope.SessionID = id; id == "" {
			c.refuse("scope", "must have a session's id")
		}
	case IdentityScope, AttackerScope, CampaignScope:
		if uuid.Validate(id) != nil { // Parse accepts any characters as braces
			c.refuse("scope", fmt.Sprintf("must have a UUID as its id, not %q", id))
			break
		}
		scope.UUID = uuid.MustParse(id)
	default:
		c.refuse("scope", "must be fleet, or identity, attacker, campaign or session and an id")
	}
	if err := c.queryError(); err != nil {
		return Scope{}, err
	}
	return scope, nil
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
