package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// storedKinds returns the kinds of scopes that have a row of their own.
func storedKinds() []ttp.ScopeKind {
	return []ttp.ScopeKind{ttp.CampaignScope, ttp.IdentityScope, ttp.AttackerScope}
}

func newScopeShowCommand() *cobra.Command {
	var args [1]scopeArg
	var out *output
	cmd := &cobra.Command{
		Use:   "show campaign|identity|attacker ID",
		Short: "Show a campaign, identity or attacker",
		Long: `Show a campaign, identity or attacker: its name or IP, its assignment and, if it
is merged, the survivor. An identity is shown with its attackers. An id that is
not stored is an error, even if it has tags.

ID is an id, at least the first 8 digits of one, the IP of an attacker or
identity, or the name of a campaign.`,
		Example: `  ttpstore scope show campaign "Copper Heron"
  ttpstore scope show identity 192.0.2.17
  ttpstore scope show attacker 192.0.2.17 --json | jq -r .identity_uuid`,
		Args:              takeNamedOfKind(storedKinds(), args[:], "ID"),
		ValidArgsFunction: completeScopeOf(storedKinds(), 1),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withScope(cmd, args[0], func(ctx context.Context, store *ttp.Store, scope ttp.Scope) error {
				d := out.fieldDisplay(cmd)
				switch scope.Kind {
				case ttp.CampaignScope:
					c, err := store.GetCampaign(ctx, scope.UUID)
					return showScope(cmd, out, campaignColumns(d), shownCampaign(c), err)
				case ttp.IdentityScope:
					i, err := getIdentity(ctx, store, scope.UUID)
					return showScope(cmd, out, identityFields(d), i, err)
				}
				a, err := store.GetAttacker(ctx, scope.UUID)
				return showScope(cmd, out, attackerColumns(d), a, err)
			})
		},
	}
	out = addOutput(cmd)
	return cmd
}

// fieldDisplay returns the display of a single object, which has room for full ids.
func (o *output) fieldDisplay(cmd *cobra.Command) display {
	d := o.display(cmd)
	d.wide = true
	return d
}

func showScope[T any](cmd *cobra.Command, o *output, columns []column[T], scope T, err error) error {
	if err != nil {
		return err
	}
	return printObject(cmd, o, scope, func(display) [][2]string { return fieldsOf(columns, scope) })
}

// campaign is the output of a campaign; Survivor is set only if it is merged.
type campaign struct {
	ttp.Campaign
	Survivor uuid.UUID `json:"survivor_uuid,omitzero"`
}

func shownCampaign(c ttp.Campaign) campaign {
	if c.SurvivorUUID == c.UUID {
		return campaign{Campaign: c}
	}
	return campaign{c, c.SurvivorUUID}
}

func campaignColumns(d display) []column[campaign] {
	return []column[campaign]{
		idColumn(d, "campaign", func(c campaign) uuid.UUID { return c.UUID }),
		textColumn("name", func(c campaign) string { return c.Name }),
		idColumn(d, "merged into", func(c campaign) uuid.UUID { return c.MergedIntoUUID }),
		idColumn(d, "survivor", func(c campaign) uuid.UUID { return c.Survivor }),
	}
}

// identity is the output form of an identity; Survivor is set only if it is merged.
type identity struct {
	ttp.Identity
	Survivor     uuid.UUID `json:"survivor_uuid,omitzero"`
	CampaignName string    `json:"campaign_name,omitempty"`
}

// shownIdentities adds the names of the campaigns to identities.
func shownIdentities(ctx context.Context, store *ttp.Store, rows ...ttp.Identity) ([]identity, error) {
	names := map[uuid.UUID]string{}
	out := make([]identity, len(rows))
	for n, i := range rows {
		if _, known := names[i.CampaignUUID]; !known && i.CampaignUUID != uuid.Nil {
			c, err := store.GetCampaign(ctx, i.CampaignUUID)
			if err != nil && !errors.Is(err, ttp.ErrNotFound) { // identities may precede their campaigns
				return nil, err
			}
			names[i.CampaignUUID] = c.Name
		}
		out[n] = identity{Identity: i, CampaignName: names[i.CampaignUUID]}
		if i.SurvivorUUID != i.UUID {
			out[n].Survivor = i.SurvivorUUID
		}
	}
	return out, nil
}

func identityColumns(d display) []column[identity] {
	return []column[identity]{
		idColumn(d, "identity", func(i identity) uuid.UUID { return i.UUID }),
		idColumn(d, "campaign", func(i identity) uuid.UUID { return i.CampaignUUID }),
		textColumn("campaign name", func(i identity) string { return i.CampaignName }),
		idColumn(d, "merged into", func(i identity) uuid.UUID { return i.MergedIntoUUID }),
		idColumn(d, "survivor", func(i identity) uuid.UUID { return i.Survivor }),
	}
}

// identityWithAttackers is an identity with its attackers and those of the identities merged into it.
type identityWithAttackers struct {
	identity
	Attackers int      `json:"attackers"`
	IPs       []string `json:"ips"`
}

func getIdentity(ctx context.Context, store *ttp.Store, id uuid.UUID) (identityWithAttackers, error) {
	i, err := store.GetIdentity(ctx, id)
	if err != nil {
		return identityWithAttackers{}, err
	}
	shown, err := shownIdentities(ctx, store, i)
	if err != nil {
		return identityWithAttackers{}, err
	}
	attackers, err := store.AttackersOfIdentities(ctx, id)
	return identityWithAttackers{shown[0], len(attackers[id]), ipsOf(attackers[id])}, err
}

// ipsOf returns the distinct IPs of attackers, sorted.
func ipsOf(attackers []ttp.Attacker) []string {
	ips := []string{}
	for _, a := range attackers {
		if a.IP.IsValid() {
			ips = append(ips, a.IP.String())
		}
	}
	slices.Sort(ips)
	return slices.Compact(ips)
}

func identityFields(d display) []column[identityWithAttackers] {
	var columns []column[identityWithAttackers]
	for _, c := range identityColumns(d) {
		columns = append(columns, textColumn(c.name, func(i identityWithAttackers) string { return c.text(i.identity) }))
	}
	return append(columns,
		countColumn("attackers", func(i identityWithAttackers) int { return i.Attackers }),
		textColumn("ips", func(i identityWithAttackers) string { return strings.Join(i.IPs, ", ") }))
}

func attackerColumns(d display) []column[ttp.Attacker] {
	return []column[ttp.Attacker]{
		idColumn(d, "attacker", func(a ttp.Attacker) uuid.UUID { return a.UUID }),
		textColumn("ip", ipText),
		idColumn(d, "identity", func(a ttp.Attacker) uuid.UUID { return a.IdentityUUID }),
	}
}

// ipText returns the IP of an attacker, "" if it has none.
func ipText(a ttp.Attacker) string {
	if !a.IP.IsValid() {
		return ""
	}
	return a.IP.String()
}
