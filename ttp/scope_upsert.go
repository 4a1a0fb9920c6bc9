package ttp

import (
	"bytes"
	"context"
	"net/netip"
	"slices"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listCampaignsByUUID  = many((*sqlitegen.Queries).ListCampaignsByUUID, (*mysqlgen.Queries).ListCampaignsByUUID, toCampaign, toCampaign)
	listIdentitiesByUUID = many((*sqlitegen.Queries).ListIdentitiesByUUID, (*mysqlgen.Queries).ListIdentitiesByUUID, toIdentity, toIdentity)
	listAttackersByUUID  = many((*sqlitegen.Queries).ListAttackersByUUID, (*mysqlgen.Queries).ListAttackersByUUID, toAttacker, toAttacker)
	listAttackerIPs      = many(
		(*sqlitegen.Queries).ListAttackersByUUID, (*mysqlgen.Queries).ListAttackersByUUID, toAttackerIP, toAttackerIP)
	getCampaign    = first(listCampaignsByUUID)
	getIdentity    = first(listIdentitiesByUUID)
	getAttacker    = first(listAttackersByUUID)
	upsertCampaign = exec((*sqlitegen.Queries).UpsertCampaign, (*mysqlgen.Queries).UpsertCampaign)
	upsertIdentity = exec((*sqlitegen.Queries).UpsertIdentity, (*mysqlgen.Queries).UpsertIdentity)
	upsertAttacker = exec((*sqlitegen.Queries).UpsertAttacker, (*mysqlgen.Queries).UpsertAttacker)
)

// Campaign is a set of identities that act together. Optional fields are zero when absent.
type Campaign struct {
	UUID uuid.UUID `json:"uuid"`
	Name string    `json:"name,omitempty"` // at most 255 characters
	// MergedIntoUUID is the campaign that this one is merged into, if any.
	MergedIntoUUID uuid.UUID `json:"merged_into_uuid,omitzero"`
	// SurvivorUUID is the campaign at the end of the merge chain, equal to UUID without a merge. The store sets it.
	SurvivorUUID uuid.UUID `json:"-"`
}

// Identity is a set of attackers that are one actor. Optional fields are zero when absent.
type Identity struct {
	UUID         uuid.UUID `json:"uuid"`
	CampaignUUID uuid.UUID `json:"campaign_uuid,omitzero"`
	// MergedIntoUUID is the identity that this one is merged into, if any.
	MergedIntoUUID uuid.UUID `json:"merged_into_uuid,omitzero"`
	// SurvivorUUID is the identity at the end of the merge chain, equal to UUID without a merge. The store sets it.
	SurvivorUUID uuid.UUID `json:"-"`
}

// Attacker is an observed IP address. Optional fields are zero when absent.
type Attacker struct {
	UUID         uuid.UUID  `json:"uuid"`
	IP           netip.Addr `json:"ip,omitzero"` // without a zone
	IdentityUUID uuid.UUID  `json:"identity_uuid,omitzero"`
}

func (c Campaign) id() uuid.UUID { return c.UUID }
func (i Identity) id() uuid.UUID { return i.UUID }
func (a Attacker) id() uuid.UUID { return a.UUID }

// UpsertCampaigns inserts or updates campaigns in one transaction. Zero fields keep their stored value.
//
// It returns [ErrInvalidScope] for invalid fields, and [ErrConflict] if a merge would close a cycle or contradicts a
// stored one. On error nothing is written.
func (s *Store) UpsertCampaigns(ctx context.Context, campaigns []Campaign) error {
	return s.upsertScopes(ctx, "upsert campaigns", &scopes{campaigns: campaigns})
}

// UpsertIdentities inserts or updates identities. See [Store.UpsertCampaigns].
func (s *Store) UpsertIdentities(ctx context.Context, identities []Identity) error {
	return s.upsertScopes(ctx, "upsert identities", &scopes{identities: identities})
}

// UpsertAttackers inserts or updates attackers in one transaction. Zero fields keep their stored value. Changing the
// identity of an attacker re-keys its tags that have an identity, like [Store.AssignAttackers].
//
// It returns [ErrInvalidScope] for invalid fields. On error nothing is written.
func (s *Store) UpsertAttackers(ctx context.Context, attackers []Attacker) error {
	return s.upsertScopes(ctx, "upsert attackers", &scopes{attackers: attackers})
}

// GetCampaign returns the campaign with the UUID, or [ErrNotFound].
func (s *Store) GetCampaign(ctx context.Context, id uuid.UUID) (Campaign, error) {
	return query(ctx, s, about("get campaign", id.String()), func(q queries) (Campaign, error) { return getCampaign(ctx, q, byID(id)) })
}

// GetIdentity returns the identity with the UUID, or [ErrNotFound].
func (s *Store) GetIdentity(ctx context.Context, id uuid.UUID) (Identity, error) {
	return query(ctx, s, about("get identity", id.String()), func(q queries) (Identity, error) { return getIdentity(ctx, q, byID(id)) })
}

// GetAttacker returns the attacker with the UUID, or [ErrNotFound].
func (s *Store) GetAttacker(ctx context.Context, id uuid.UUID) (Attacker, error) {
	return query(ctx, s, about("get attacker", id.String()), func(q queries) (Attacker, error) { return getAttacker(ctx, q, byID(id)) })
}

// scopes holds rows to upsert in one transaction.
type scopes struct {
	campaigns  []Campaign
	identities []Identity
	attackers  []Attacker
}

func (s *Store) upsertScopes(ctx context.Context, op string, rows *scopes) error {
	if problems := rows.problems(); len(problems) > 0 {
		return s.refuse(ctx, op, &InvalidError{Kind: ErrInvalidScope, Problems: problems})
	}
	_, err := update(ctx, s, op, func(q queries) (struct{}, error) { return struct{}{}, rows.upsert(ctx, q) })
	return err
}

func (rows *scopes) problems() []Problem {
	var problems []Problem
	for i, c := range rows.campaigns {
		problems = append(problems, at(RowPlace, i, c.problems())...)
	}
	for i, identity := range rows.identities {
		problems = append(problems, at(RowPlace, i, identity.problems())...)
	}
	for i, a := range rows.attackers {
		problems = append(problems, at(RowPlace, i, a.problems())...)
	}
	return problems
}

func (c Campaign) problems() []Problem {
	var check checker
	check.id("uuid", c.UUID)
	check.text("name", c.Name, 255)
	return check.problems
}

func (i Identity) problems() []Problem {
	var check checker
	check.id("uuid", i.UUID)
	return check.problems
}

func (a Attacker) problems() []Problem {
	var check checker
	check.id("uuid", a.UUID)
	if a.IP.Zone() != "" {
		check.refuse("ip", "must have no zone")
	}
	return check.problems
}

// upsert writes the rows in UUID order, so that concurrent calls do not deadlock, and then the merges in input order.
func (rows *scopes) upsert(ctx context.Context, q queries) error {
	if err := rows.lockMerges(ctx, q); err != nil {
		return err
	}
	for _, c := range byUUID(rows.campaigns, Campaign.id) {
		if err := upsertCampaign(ctx, q, c.args()); err != nil {
			return err
		}
	}
	for _, i := range byUUID(rows.identities, Identity.id) {
		if err := upsertIdentity(ctx, q, i.args()); err != nil {
			return err
		}
	}
	if err := rows.upsertAttackers(ctx, q); err != nil {
		return err
	}
	return rows.merge(ctx, q)
}

func byUUID[T any](rows []T, id func(T) uuid.UUID) []T {
	return slices.SortedStableFunc(slices.Values(rows), func(a, b T) int {
		x, y := id(a), id(b)
		return bytes.Compare(x[:], y[:])
	})
}

// upsertAttackers re-keys the tags of attackers whose identity changes. A first identity re-keys none, so that tags
// may be written before or after it.
func (rows *scopes) upsertAttackers(ctx context.Context, q queries) error {
	var assigned []uuid.UUID
	for _, a := range rows.attackers {
		if a.IdentityUUID != uuid.Nil {
			assigned = append(assigned, a.UUID)
		}
	}
	stored, err := lockStoredAttackers(ctx, q, assigned)
	if err != nil {
		return err
	}
	if stored, err = storeAttackers(ctx, q, assigned, stored); err != nil {
		return err
	}
	sorted := byUUID(rows.attackers, Attacker.id)
	for _, a := range sorted {
		if before := stored[a.UUID].IdentityUUID; before != uuid.Nil && a.IdentityUUID != uuid.Nil && before != a.IdentityUUID {
			if err := moveTags(ctx, q, a.UUID, a.IdentityUUID); err != nil {
				return err
			}
		}
		if a.IdentityUUID != uuid.Nil {
			stored[a.UUID] = a // the call may contain the attacker again
		}
	}
	return q.upsertAttackers(ctx, q.db, sorted)
}

// storeAttackers inserts the attackers that are missing in stored, and locks all. A missing row cannot be locked, and
// a concurrent call may give it an identity.
func storeAttackers(ctx context.Context, q queries, attackers []uuid.UUID, stored map[uuid.UUID]Attacker) (
	map[uuid.UUID]Attacker, error,
) {
	if len(stored) == len(mapByID(attackers, self)) {
		return stored, nil
	}
	var missing []Attacker
	for _, id := range byUUID(attackers, self) {
		if _, ok := stored[id]; !ok {
			missing = append(missing, Attacker{UUID: id})
		}
	}
	if err := q.upsertAttackers(ctx, q.db, missing); err != nil {
		return nil, err
	}
	return lockStoredAttackers(ctx, q, attackers)
}

// The generated rows of both dialects.
type (
	campaignRow interface {
		sqlitegen.TtpCampaign | mysqlgen.TtpCampaign
	}
	identityRow interface {
		sqlitegen.TtpIdentity | mysqlgen.TtpIdentity
	}
	attackerRow interface {
		sqlitegen.TtpAttacker | mysqlgen.TtpAttacker
	}
)

func toCampaign[R campaignRow](row R) Campaign {
	r := sqlitegen.TtpCampaign(row)
	return Campaign{toID(r.UUID), r.Name.String, toID(r.MergedIntoUUID), toID(r.SurvivorUUID)}
}

func toIdentity[R identityRow](row R) Identity {
	r := sqlitegen.TtpIdentity(row)
	return Identity{toID(r.UUID), toID(r.CampaignUUID), toID(r.MergedIntoUUID), toID(r.SurvivorUUID)}
}

func toAttacker[R attackerRow](row R) Attacker {
	r := sqlitegen.TtpAttacker(row)
	ip, _ := netip.ParseAddr(r.IP.String) // NULL becomes the zero Addr
	return Attacker{toID(r.UUID), ip, toID(r.IdentityUUID)}
}

func (c Campaign) args() args { return args{UUID: c.UUID[:], Name: nullText(c.Name)} }

func (i Identity) args() args {
	return args{UUID: i.UUID[:], CampaignUUID: nullID(i.CampaignUUID)}
}

func (a Attacker) args() args {
	return args{UUID: a.UUID[:], IP: nullIP(a.IP), IdentityUUID: nullID(a.IdentityUUID)}
}
