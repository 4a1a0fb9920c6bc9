package ttp

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"
)

// GetAttackers returns the attackers with the UUIDs, by UUID. It omits those that are not stored.
func (s *Store) GetAttackers(ctx context.Context, ids ...uuid.UUID) (map[uuid.UUID]Attacker, error) {
	return query(ctx, s, "get attackers", func(q queries) (map[uuid.UUID]Attacker, error) {
		stored, err := inChunks(ctx, q, listAttackersByUUID, unique(ids), args{})
		return mapByID(stored, Attacker.id), err
	})
}

// AttackersOfIdentities returns the attackers of each of the identities, ordered by UUID: its own, and those of the
// identities whose survivor it is.
func (s *Store) AttackersOfIdentities(ctx context.Context, identities ...uuid.UUID) (map[uuid.UUID][]Attacker, error) {
	return snapshot(ctx, s, "attackers of identities", func(q queries) (map[uuid.UUID][]Attacker, error) {
		merged, err := inChunks(ctx, q, listIdentitiesBySurvivors, unique(identities), args{})
		if err != nil {
			return nil, err
		}
		requested, survivors := map[uuid.UUID]bool{}, map[uuid.UUID]uuid.UUID{}
		members := slices.Clone(identities)
		for _, id := range identities {
			requested[id] = true
		}
		for _, i := range merged {
			survivors[i.UUID] = i.SurvivorUUID
			members = append(members, i.UUID)
		}
		attackers, err := inChunks(ctx, q, listAttackersByIdentities, unique(members), args{})
		out := map[uuid.UUID][]Attacker{}
		for _, a := range uniqueAttackers(attackers) {
			for _, id := range unique([]uuid.UUID{a.IdentityUUID, survivors[a.IdentityUUID]}) {
				if requested[id] {
					out[id] = append(out[id], a)
				}
			}
		}
		return out, err
	})
}

// uniqueAttackers sorts attackers by UUID and removes duplicates.
func uniqueAttackers(attackers []Attacker) []Attacker {
	slices.SortFunc(attackers, func(a, b Attacker) int { return cmp.Compare(string(a.UUID[:]), string(b.UUID[:])) })
	return slices.Compact(attackers)
}
