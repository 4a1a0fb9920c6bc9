package ttp

import (
	"context"
	"net/netip"

	"github.com/google/uuid"
)

const predecessorAttackers = "SELECT uuid, ip, identity_id FROM attackers ORDER BY uuid"

func (in *predecessorImport) attackers(ctx context.Context) error {
	for texts, err := range in.source.batchesFrom(ctx, predecessorAttackers, 3) {
		if err == nil {
			err = in.storeAttackers(ctx, in.parseAttackers(texts))
		}
		if err != nil {
			return err
		}
		in.progress(len(texts))
	}
	return nil
}

func (in *predecessorImport) parseAttackers(texts [][]string) []Attacker {
	in.report.Attackers.Read += len(texts)
	var rows []Attacker
	for _, text := range texts {
		var a Attacker
		var ok bool
		if a.UUID, ok = in.id(text[0]); !ok || a.UUID == uuid.Nil {
			in.note(PredecessorNote{Table: "attackers", UUID: text[0], Field: "uuid", Reason: uuidRule})
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
				in.report.Normalised["ip"]++
			}
		}
		if a.IdentityUUID, ok = in.id(text[2]); !ok {
			in.note(PredecessorNote{Table: "attackers", UUID: text[0], Field: "identity_id", Reason: uuidRule, Kept: true})
		}
		rows = append(rows, a)
	}
	return rows
}

// storeAttackers writes attackers that are new or have changed, and moves the tags of those that have another identity.
func (in *predecessorImport) storeAttackers(ctx context.Context, rows []Attacker) error {
	ids := make([]uuid.UUID, len(rows))
	for i, a := range rows {
		ids[i] = a.UUID
	}
	stored, err := readStored(ctx, in, listAttackersByUUID, ids, Attacker.id)
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
					if _, err := clearAttackerIdentities(ctx, q, byID(a.UUID)); err != nil {
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
