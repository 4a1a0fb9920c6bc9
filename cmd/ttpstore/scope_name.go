package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// scopeName holds the readable names of a scope.
type scopeName struct {
	IP        string   `json:"ip,omitempty"`        // of an attacker
	Attackers int      `json:"attackers,omitempty"` // of an identity or an IP
	IPs       []string `json:"ips,omitempty"`       // of an identity
	Name      string   `json:"name,omitempty"`      // of a campaign
}

// ip formats the IPs for a cell.
func (n scopeName) ip() string {
	if len(n.IPs) > 0 {
		return strings.Join(n.IPs, ", ")
	}
	return n.IP
}

// nameScopes maps the ids of scopes of a kind to their names.
func nameScopes(ctx context.Context, store *ttp.Store, kind ttp.ScopeKind, ids []uuid.UUID) (map[uuid.UUID]scopeName, error) {
	names := map[uuid.UUID]scopeName{}
	switch kind {
	case ttp.AttackerScope:
		attackers, err := store.GetAttackers(ctx, ids...)
		for id, a := range attackers {
			names[id] = scopeName{IP: ipText(a)}
		}
		return names, err
	case ttp.IdentityScope:
		attackers, err := store.AttackersOfIdentities(ctx, ids...)
		for id, of := range attackers {
			names[id] = scopeName{Attackers: len(of), IPs: ipsOf(of)}
		}
		return names, err
	case ttp.CampaignScope:
		for _, id := range ids {
			campaign, err := store.GetCampaign(ctx, id)
			if err != nil {
				return nil, err
			}
			names[id] = scopeName{Name: campaign.Name}
		}
	}
	return names, nil
}

// describeScope formats a scope with its name or IPs, if it has any, for a note.
func describeScope(ctx context.Context, store *ttp.Store, scope ttp.Scope) (string, error) {
	names, err := nameScopes(ctx, store, scope.Kind, []uuid.UUID{scope.UUID})
	if err != nil && !errors.Is(err, ttp.ErrNotFound) {
		return "", err
	}
	of := names[scope.UUID]
	name := cmp.Or(of.Name, of.ip())
	if n := len(of.IPs); n > 1 {
		name = fmt.Sprintf("%s and %d more", of.IPs[0], n-1)
	}
	if name == "" {
		return scope.String(), nil
	}
	return fmt.Sprintf("%s (%s)", scope, printable(name)), nil
}
