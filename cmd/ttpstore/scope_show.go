package main

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// storedKinds returns the kinds of scopes that have a row of their own.
func storedKinds() []ttp.ScopeKind {
	return []ttp.ScopeKind{ttp.CampaignScope, ttp.IdentityScope, ttp.AttackerScope}
}

func newScopeShowCommand() *cobra.Command {
	var kind ttp.ScopeKind
	var ids [1]uuid.UUID
	var asJSON *bool
	cmd := &cobra.Command{
		Use:   "show campaign|identity|attacker ID",
		Short: "Show one campaign, identity or attacker",
		Long: `Show one campaign, identity or attacker with its assignments and, if it is merged, the survivor. An id that
is not stored is an error, even if tags name it.`,
		Example: `  ttpstore scope show campaign 27b9630e-70f3-513e-b7aa-1f4f8ca1f251
  ttpstore scope show attacker 542eed02-5e33-5182-94c3-b95ea9af1b84 --json | jq -r .identity_uuid`,
		Args:              takeIDsOfKind(&kind, storedKinds(), ids[:], "ID"),
		ValidArgsFunction: completeKind(storedKinds()),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				switch kind {
				case ttp.CampaignScope:
					c, err := store.GetCampaign(ctx, ids[0])
					return showScope(cmd, *asJSON, campaignColumns(), shownCampaign(c), err)
				case ttp.IdentityScope:
					i, err := store.GetIdentity(ctx, ids[0])
					return showScope(cmd, *asJSON, identityColumns(), shownIdentity(i), err)
				}
				a, err := store.GetAttacker(ctx, ids[0])
				return showScope(cmd, *asJSON, attackerColumns(), a, err)
			})
		},
	}
	asJSON = cmd.Flags().Bool("json", false, "print one JSON object")
	return cmd
}

func showScope[T any](cmd *cobra.Command, asJSON bool, columns []column[T], scope T, err error) error {
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd, scope)
	}
	var fields [][2]string
	for _, c := range columns {
		fields = append(fields, [2]string{label(c.name), c.text(scope)})
	}
	return printFields(cmd.OutOrStdout(), fields)
}

// campaign is the output form of a campaign; Survivor is set only if it is merged.
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

func campaignColumns() []column[campaign] {
	return []column[campaign]{
		idColumn("uuid", func(c campaign) uuid.UUID { return c.UUID }),
		textColumn("name", func(c campaign) string { return c.Name }),
		idColumn("merged_into_uuid", func(c campaign) uuid.UUID { return c.MergedIntoUUID }),
		idColumn("survivor_uuid", func(c campaign) uuid.UUID { return c.Survivor }),
	}
}

// identity is the output form of an identity; Survivor is set only if it is merged.
type identity struct {
	ttp.Identity
	Survivor uuid.UUID `json:"survivor_uuid,omitzero"`
}

func shownIdentity(i ttp.Identity) identity {
	if i.SurvivorUUID == i.UUID {
		return identity{Identity: i}
	}
	return identity{i, i.SurvivorUUID}
}

func identityColumns() []column[identity] {
	return []column[identity]{
		idColumn("uuid", func(i identity) uuid.UUID { return i.UUID }),
		idColumn("campaign_uuid", func(i identity) uuid.UUID { return i.CampaignUUID }),
		idColumn("merged_into_uuid", func(i identity) uuid.UUID { return i.MergedIntoUUID }),
		idColumn("survivor_uuid", func(i identity) uuid.UUID { return i.Survivor }),
	}
}

func attackerColumns() []column[ttp.Attacker] {
	return []column[ttp.Attacker]{
		idColumn("uuid", func(a ttp.Attacker) uuid.UUID { return a.UUID }),
		textColumn("ip", func(a ttp.Attacker) string {
			if !a.IP.IsValid() {
				return ""
			}
			return a.IP.String()
		}),
		idColumn("identity_uuid", func(a ttp.Attacker) uuid.UUID { return a.IdentityUUID }),
	}
}
