package main

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// scopeName is what people call a scope.
type scopeName struct {
	IP        string   `json:"ip,omitempty"`        // of an attacker
	Attackers int      `json:"attackers,omitempty"` // of an identity or an IP
	IPs       []string `json:"ips,omitempty"`       // of an identity
	Name      string   `json:"name,omitempty"`      // of a campaign
}

// ip returns the IPs for a cell.
func (n scopeName) ip() string {
	if len(n.IPs) > 0 {
		return strings.Join(n.IPs, ", ")
	}
	return n.IP
}

// nameScopes returns the names of the scopes of a kind by id.
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
