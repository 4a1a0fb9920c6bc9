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
	getCampaign          = one((*sqlitegen.Queries).GetCampaign, (*mysqlgen.Queries).GetCampaign, toCampaign, toCampaign)
	getIdentity          = one((*sqlitegen.Queries).GetIdentity, (*mysqlgen.Queries).GetIdentity, toIdentity, toIdentity)
	getAttacker          = one((*sqlitegen.Queries).GetAttacker, (*mysqlgen.Queries).GetAttacker, toAttacker, toAttacker)
	listCampaignsByUUID  = many((*sqlitegen.Queries).ListCampaignsByUUID, (*mysqlgen.Queries).ListCampaignsByUUID, toCampaign, toCampaign)
	listIdentitiesByUUID = many((*sqlitegen.Queries).ListIdentitiesByUUID, (*mysqlgen.Queries).ListIdentitiesByUUID, toIdentity, toIdentity)
	listAttackersByUUID  = many((*sqlitegen.Queries).ListAttackersByUUID, (*mysqlgen.Queries).ListAttackersByUUID, toAttacker, toAttacker)
	listAttackerIPs      = many((*sqlitegen.Queries).ListAttackersByUUID, (*mysqlgen.Queries).ListAttackersByUUID, toAttackerIP, toAttackerIP)
	upsertCampaign       = exec((*sqlitegen.Queries).UpsertCampaign, (*mysqlgen.Queries).UpsertCampaign)
	upsertIdentity       = exec((*sqlitegen.Queries).UpsertIdentity, (*mysqlgen.Queries).UpsertIdentity)
	upsertAttacker       = exec((*sqlitegen.Queries).UpsertAttacker, (*mysqlgen.Queries).UpsertAttacker)
)

// Campaign is a set of identities that act together. A field that is absent holds its zero value.
type Campaign struct {
	UUID uuid.UUID `json:"uuid"`
	Name string    `json:"name,omitempty"` // at most 255 characters
	// MergedIntoUUID is the campaign that this one was found to be.
	MergedIntoUUID uuid.UUID `json:"merged_into_uuid,omitzero"`
	// SurvivorUUID is the campaign at the end of the chain of merges, itself when it is not merged. The
	// store sets it.
	SurvivorUUID uuid.UUID `json:"-"`
}

// Identity is a set of attackers that are one actor. A field that is absent holds its zero value.
type Identity struct {
	UUID         uuid.UUID `json:"uuid"`
	CampaignUUID uuid.UUID `json:"campaign_uuid,omitzero"`
	// MergedIntoUUID is the identity that this one was found to be.
	MergedIntoUUID uuid.UUID `json:"merged_into_uuid,omitzero"`
	// SurvivorUUID is the identity at the end of the chain of merges, itself when it is not merged. The
	// store sets it.
	SurvivorUUID uuid.UUID `json:"-"`
}

// Attacker is one observed IP address. A field that is absent holds its zero value.
type Attacker struct {
	UUID         uuid.UUID  `json:"uuid"`
	IP           netip.Addr `json:"ip,omitzero"` // without a zone
	IdentityUUID uuid.UUID  `json:"identity_uuid,omitzero"`
}

func (c Campaign) id() uuid.UUID { return c.UUID }
func (i Identity) id() uuid.UUID { return i.UUID }
func (a Attacker) id() uuid.UUID { return a.UUID }

// UpsertCampaigns stores campaigns. Of one that is stored it changes what is given: an absent name or
// merge leaves the stored one.
//
// It returns [ErrInvalidScope], and [ErrConflict] for a merge that would close a cycle or that
// contradicts a stored one. After an error nothing is written.
func (s *Store) UpsertCampaigns(ctx context.Context, campaigns []Campaign) error {
	return s.upsertScopes(ctx, "upsert campaigns", &scopes{campaigns: campaigns})
}

// UpsertIdentities stores identities. Of one that is stored it changes what is given: an absent campaign
// or merge leaves the stored one. Its errors are those of [Store.UpsertCampaigns].
func (s *Store) UpsertIdentities(ctx context.Context, identities []Identity) error {
	return s.upsertScopes(ctx, "upsert identities", &scopes{identities: identities})
}

// UpsertAttackers stores attackers. Of one that is stored it changes what is given: an absent IP or
// identity leaves the stored one. When an attacker leaves an identity for another, its tags that name
// an identity go with it.
//
// It returns [ErrInvalidScope]; after an error nothing is written.
func (s *Store) UpsertAttackers(ctx context.Context, attackers []Attacker) error {
	return s.upsertScopes(ctx, "upsert attackers", &scopes{attackers: attackers})
}

// GetCampaign returns a stored campaign, or [ErrNotFound].
func (s *Store) GetCampaign(ctx context.Context, id uuid.UUID) (Campaign, error) {
	return query(ctx, s, "get campaign "+id.String(), func(q queries) (Campaign, error) { return getCampaign(ctx, q, byID(id)) })
}

// GetIdentity returns a stored identity, or [ErrNotFound].
func (s *Store) GetIdentity(ctx context.Context, id uuid.UUID) (Identity, error) {
	return query(ctx, s, "get identity "+id.String(), func(q queries) (Identity, error) { return getIdentity(ctx, q, byID(id)) })
}

// GetAttacker returns a stored attacker, or [ErrNotFound].
func (s *Store) GetAttacker(ctx context.Context, id uuid.UUID) (Attacker, error) {
	return query(ctx, s, "get attacker "+id.String(), func(q queries) (Attacker, error) { return getAttacker(ctx, q, byID(id)) })
}

// scopes are rows to upsert together.
type scopes struct {
	campaigns  []Campaign
	identities []Identity
	attackers  []Attacker
}

func (s *Store) upsertScopes(ctx context.Context, op string, rows *scopes) error {
	if problems := rows.problems(); len(problems) > 0 {
		return s.fail(ctx, op, &InvalidError{Kind: ErrInvalidScope, Problems: problems})
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

// upsert writes the rows in uuid order, so that racing calls do not deadlock, and then the merges in
// the order given.
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

// upsertAttackers takes the tags of an attacker along that leaves its identity for another. One that gets
// its first takes none, since the tags may come later as well.
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
	for _, a := range byUUID(rows.attackers, Attacker.id) {
		if before := stored[a.UUID].IdentityUUID; before != uuid.Nil && a.IdentityUUID != uuid.Nil && before != a.IdentityUUID {
			if err := moveTags(ctx, q, a.UUID, a.IdentityUUID); err != nil {
				return err
			}
		}
		if err := upsertAttacker(ctx, q, a.args()); err != nil {
			return err
		}
		if a.IdentityUUID != uuid.Nil {
			stored[a.UUID] = a // it may come again
		}
	}
	return nil
}

// storeAttackers stores those that are not, since what is not there cannot be locked: another call may give
// one its first identity at the same time.
func storeAttackers(ctx context.Context, q queries, attackers []uuid.UUID, stored map[uuid.UUID]Attacker) (map[uuid.UUID]Attacker, error) {
	if len(stored) == len(mapByID(attackers, self)) {
		return stored, nil
	}
	for _, id := range byUUID(attackers, self) {
		if _, ok := stored[id]; !ok {
			if err := upsertAttacker(ctx, q, Attacker{UUID: id}.args()); err != nil {
				return nil, err
			}
		}
	}
	return lockStoredAttackers(ctx, q, attackers)
}

// The stored scopes, as each dialect generates them.
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
	ip, _ := netip.ParseAddr(r.IP.String) // what nullIP wrote; NULL is the zero Addr
	return Attacker{toID(r.UUID), ip, toID(r.IdentityUUID)}
}

func (c Campaign) args() args { return args{UUID: c.UUID[:], Name: nullText(c.Name)} }

func (i Identity) args() args {
	return args{UUID: i.UUID[:], CampaignUUID: nullID(i.CampaignUUID)}
}

func (a Attacker) args() args {
	return args{UUID: a.UUID[:], IP: nullIP(a.IP), IdentityUUID: nullID(a.IdentityUUID)}
}
