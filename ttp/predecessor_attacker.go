package ttp

import (
	"context"
	"net/netip"

	"github.com/google/uuid"
)

const (
	predecessorAttackers = "SELECT uuid, ip, identity_id FROM attackers ORDER BY REPLACE(LOWER(uuid), '-', ''), uuid"
	// predecessorGone selects attackers that have tags but no row.
	predecessorGone = `SELECT DISTINCT REPLACE(LOWER(attacker_uuid), '-', '') FROM ttp_tag
WHERE attacker_uuid <> '' AND REPLACE(LOWER(attacker_uuid), '-', '') NOT IN (SELECT REPLACE(LOWER(uuid), '-', '') FROM attackers)`
)

func (in *predecessorImport) attackers(ctx context.Context) error {
	return in.pass(ctx, predecessorAttackers, 3, false, func(texts [][]string) error {
		return in.storeAttackers(ctx, in.parseAttackers(texts))
	})
}

func (in *predecessorImport) parseAttackers(texts [][]string) []Attacker {
	in.report.Attackers.Read += len(texts)
	var rows []Attacker
	for _, text := range texts {
		var a Attacker
		var ok bool
		if a.UUID, ok = in.rowID("attackers", text[0]); !ok {
			continue
		}
		ip, err := netip.ParseAddr(text[1])
		switch {
		case err != nil:
			in.note(PredecessorNote{Table: "attackers", UUID: text[0], Field: "ip", Reason: "must be an IP address", Kept: true})
		case ip.Zone() != "":
			in.note(PredecessorNote{Table: "attackers", UUID: text[0], Field: "ip", Reason: "must have no zone", Kept: true})
		default:
			a.IP = ip
			if text[1] != ip.String() {
				in.report.Normalized["ip"]++
			}
		}
		if a.IdentityUUID, ok = in.id(text[2]); !ok {
			in.note(PredecessorNote{Table: "attackers", UUID: text[0], Field: "identity_id", Reason: uuidRule, Kept: true})
		}
		if in.knownIdentities.lack(a.IdentityUUID) {
			in.noteNoRow("attackers", "identity_id", "attacker_identities")
		}
		rows = append(rows, a)
	}
	return rows
}

// storeAttackers writes attackers that are new or have changed.
func (in *predecessorImport) storeAttackers(ctx context.Context, rows []Attacker) error {
	stored, err := storedAttackers(ctx, in, rows, Attacker.id)
	if err != nil {
		return err
	}
	var changed []Attacker
	for _, a := range rows {
		before, known := stored[a.UUID]
		sameIP := before.IP == a.IP || !a.IP.IsValid() // a row without an IP keeps the stored one
		switch {
		case !known:
			in.report.Attackers.Inserted++
		case !sameIP || before.IdentityUUID != a.IdentityUUID:
			in.report.Attackers.Updated++
		default:
			in.report.Attackers.Unchanged++
			continue
		}
		changed = append(changed, a)
	}
	return in.changeAttackers(ctx, changed)
}

// detachMissingAttackers removes the identity of attackers that have tags but no row in the source, since a first import
// would not assign them one.
func (in *predecessorImport) detachMissingAttackers(ctx context.Context) error {
	return in.pass(ctx, predecessorGone, 1, true, func(texts [][]string) error {
		stored, err := storedAttackers(ctx, in, texts, func(text []string) uuid.UUID {
			id, _ := in.id(text[0])
			in.noRow[id] = id != uuid.Nil
			return id
		})
		if err != nil {
			return err
		}
		var changed []Attacker
		for _, a := range stored {
			if a.IdentityUUID != uuid.Nil {
				in.report.Attackers.Updated++
				changed = append(changed, Attacker{UUID: a.UUID})
			}
		}
		return in.changeAttackers(ctx, changed)
	})
}

// storedAttackers returns the attackers of rows that the store has, by their UUIDs.
func storedAttackers[T any](ctx context.Context, in *predecessorImport, rows []T, id func(T) uuid.UUID,
) (map[uuid.UUID]Attacker, error) {
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = id(row)
	}
	return readStored(ctx, in, listAttackersByUUID, unique(ids), Attacker.id)
}

// changeAttackers writes attackers, and moves the tags of those that have another identity.
func (in *predecessorImport) changeAttackers(ctx context.Context, changed []Attacker) error {
	if len(changed) == 0 {
		return nil
	}
	return in.write(ctx, func(q queries) error {
		for _, a := range byUUID(changed, Attacker.id) {
			locked, err := lockStoredAttackers(ctx, q, []uuid.UUID{a.UUID})
			if err != nil {
				return err
			}
			if before := locked[a.UUID].IdentityUUID; before != a.IdentityUUID {
				if err := moveTags(ctx, q, a.UUID, a.IdentityUUID); err != nil {
					return err
				}
				if a.IdentityUUID == uuid.Nil {
					if _, err := releaseAttackers(ctx, q, args{IdentityUUID: before[:], UUIDs: [][]byte{a.UUID[:]}}); err != nil {
						return err
					}
				}
			}
			if err := upsertAttacker(ctx, q, a.args()); err != nil {
				return err
			}
		}
		return nil
	})
}
