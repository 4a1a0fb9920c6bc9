package ttp

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

const (
	predecessorCampaigns  = "SELECT uuid, '', merged_into_uuid FROM campaigns ORDER BY REPLACE(LOWER(uuid), '-', ''), uuid"
	predecessorIdentities = `SELECT uuid, campaign_id, merged_into_uuid FROM attacker_identities
ORDER BY REPLACE(LOWER(uuid), '-', ''), uuid`
)

// mergeable is a campaign or identity of the predecessor's.
type mergeable struct{ uuid, campaign, mergedInto uuid.UUID }

// mergeables imports a table of campaigns or identities.
type mergeables struct {
	*predecessorImport
	table, query  string
	kind          mergeKind
	counts        *PredecessorRows
	stored        func(context.Context, []uuid.UUID) (map[uuid.UUID]mergeable, error)
	upsert        func(context.Context, queries, mergeable) error
	clearCampaign func(context.Context, queries, uuid.UUID) error
	known         knownScopes // the result of run, zero in its first pass
}

// knownScopes holds the campaigns or identities that have a row in the source.
type knownScopes struct {
	campaigns map[uuid.UUID]uuid.UUID // of all identities; the zero UUID for none, and for campaigns
	winners   map[uuid.UUID]uuid.UUID // the merges, without those that close a cycle
}

// lack reports whether a reference is to a scope without a row.
func (k knownScopes) lack(id uuid.UUID) bool {
	_, ok := k.campaigns[id]
	return id != uuid.Nil && !ok
}

func (k knownScopes) survivor(id uuid.UUID) uuid.UUID {
	for k.winners[id] != uuid.Nil {
		id = k.winners[id]
	}
	return id
}

func (in *predecessorImport) campaigns(ctx context.Context) (err error) {
	in.knownCampaigns, err = mergeables{
		predecessorImport: in, table: "campaigns", query: predecessorCampaigns, kind: campaignMerges, counts: &in.report.Campaigns,
		stored: func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]mergeable, error) {
			rows, err := readStored(ctx, in, listCampaignsByUUID, ids, Campaign.id)
			stored := make(map[uuid.UUID]mergeable, len(rows))
			for id, c := range rows {
				stored[id] = mergeable{id, uuid.Nil, c.MergedIntoUUID}
			}
			return stored, err
		},
		upsert: func(ctx context.Context, q queries, m mergeable) error {
			return upsertCampaign(ctx, q, Campaign{UUID: m.uuid}.args())
		},
	}.run(ctx)
	return err
}

func (in *predecessorImport) identities(ctx context.Context) (err error) {
	in.knownIdentities, err = mergeables{
		predecessorImport: in, table: "attacker_identities", query: predecessorIdentities, kind: identityMerges, counts: &in.report.Identities,
		stored: func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]mergeable, error) {
			rows, err := readStored(ctx, in, listIdentitiesByUUID, ids, Identity.id)
			stored := make(map[uuid.UUID]mergeable, len(rows))
			for id, i := range rows {
				stored[id] = mergeable{id, i.CampaignUUID, i.MergedIntoUUID}
			}
			return stored, err
		},
		upsert: func(ctx context.Context, q queries, m mergeable) error {
			return upsertIdentity(ctx, q, Identity{UUID: m.uuid, CampaignUUID: m.campaign}.args())
		},
		clearCampaign: func(ctx context.Context, q queries, id uuid.UUID) error {
			return errorOf(clearIdentityCampaigns(ctx, q, byID(id)))
		},
	}.run(ctx)
	return err
}

// run reads the table three times. It needs all merges to find cycles, and it undoes all changed merges before it makes
// the new ones, since a new merge may conflict with an old one.
func (m mergeables) run(ctx context.Context) (knownScopes, error) {
	known := knownScopes{campaigns: map[uuid.UUID]uuid.UUID{}, winners: map[uuid.UUID]uuid.UUID{}}
	err := m.pass(ctx, m.query, 3, true, func(texts [][]string) error {
		for _, row := range m.parse(texts) {
			known.campaigns[row.uuid] = row.campaign
			if row.mergedInto != uuid.Nil {
				known.winners[row.uuid] = row.mergedInto
			}
		}
		return nil
	})
	breakCycles(known.winners)
	m.known = known
	if err == nil {
		err = m.pass(ctx, m.query, 3, false, func(texts [][]string) error {
			m.counts.Read += len(texts)
			rows := m.parse(texts)
			m.inspect(rows)
			return m.storeChanged(ctx, rows)
		})
	}
	if err == nil && !m.opts.DryRun {
		err = m.pass(ctx, m.query, 3, true, func(texts [][]string) error { return m.merge(ctx, m.parse(texts)) })
	}
	return known, err
}

// breakCycles removes from each cycle the merge of the greatest UUID.
func breakCycles(winners map[uuid.UUID]uuid.UUID) {
	walks := map[uuid.UUID]uuid.UUID{} // the start of the first walk along merges that reached a UUID
	for start := range winners {
		id := start
		for winners[id] != uuid.Nil && walks[id] == uuid.Nil {
			walks[id] = start
			id = winners[id]
		}
		if walks[id] != start {
			continue // the walk did not return to its own path
		}
		last := id
		for at := winners[id]; at != id; at = winners[at] {
			if bytes.Compare(at[:], last[:]) > 0 {
				last = at
			}
		}
		delete(winners, last)
	}
}

// parse returns the rows that can be stored.
func (m mergeables) parse(texts [][]string) []mergeable {
	var rows []mergeable
	for _, text := range texts {
		var row mergeable
		var ok bool
		if row.uuid, ok = m.rowID(m.table, text[0]); !ok {
			continue
		}
		if row.campaign, ok = m.id(text[1]); !ok {
			m.note(PredecessorNote{Table: m.table, UUID: text[0], Field: "campaign_id", Reason: uuidRule, Kept: true})
		}
		if row.mergedInto, ok = m.id(text[2]); !ok {
			m.note(PredecessorNote{Table: m.table, UUID: text[0], Field: "merged_into_uuid", Reason: uuidRule, Kept: true})
		}
		if m.known.winners != nil && m.known.winners[row.uuid] != row.mergedInto {
			row.mergedInto = uuid.Nil
			m.note(m.cycle(text[0]))
		}
		rows = append(rows, row)
	}
	return rows
}

// inspect counts references without a row, and merged identities with another campaign than their survivor's. Campaigns
// that are merged are the same.
func (m mergeables) inspect(rows []mergeable) {
	for _, row := range rows {
		if m.known.lack(row.mergedInto) {
			m.noteNoRow(m.table, "merged_into_uuid", m.table)
		}
		if m.knownCampaigns.lack(row.campaign) {
			m.noteNoRow(m.table, "campaign_id", "campaigns")
		}
		if row.mergedInto == uuid.Nil || row.campaign == uuid.Nil {
			continue
		}
		survivors := m.known.campaigns[m.known.survivor(row.uuid)]
		if m.knownCampaigns.survivor(row.campaign) != m.knownCampaigns.survivor(survivors) {
			m.report.Odd[m.table+".campaign_id: not the campaign of its survivor"]++
		}
	}
}

// noteNoRow counts a reference to a scope without a row.
func (in *predecessorImport) noteNoRow(table, field, referenced string) {
	in.report.Odd[table+"."+field+": no row in "+referenced]++
}

// storeChanged writes new and changed rows, and undoes changed merges.
func (m mergeables) storeChanged(ctx context.Context, rows []mergeable) error {
	stored, err := m.stored(ctx, idsOf(rows))
	if err != nil {
		return err
	}
	var changed []mergeable
	for _, row := range rows {
		before, known := stored[row.uuid]
		switch {
		case !known:
			m.counts.Inserted++
		case before != row:
			m.counts.Updated++
		default:
			m.counts.Unchanged++
			continue
		}
		changed = append(changed, row)
	}
	if len(changed) == 0 {
		return nil
	}
	return m.write(ctx, func(q queries) error {
		if err := lockMerges(ctx, q, args{Kind: m.kind.name}); err != nil {
			return err
		}
		for _, row := range changed {
			if err := m.upsert(ctx, q, row); err != nil {
				return err
			}
			before := stored[row.uuid]
			if before.campaign != uuid.Nil && row.campaign == uuid.Nil {
				if err := m.clearCampaign(ctx, q, row.uuid); err != nil {
					return err
				}
			}
			if before.mergedInto != row.mergedInto && before.mergedInto != uuid.Nil {
				if err := m.kind.unmerge(ctx, q, row.uuid); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (m mergeables) cycle(id string) PredecessorNote {
	return PredecessorNote{Table: m.table, UUID: id, Field: "merged_into_uuid", Reason: "must not close a cycle", Kept: true}
}

// merge makes the missing merges, except those that would close a cycle with a merge that only the store has.
func (m mergeables) merge(ctx context.Context, rows []mergeable) error {
	stored, err := m.stored(ctx, idsOf(rows))
	if err != nil {
		return err
	}
	var refused []PredecessorNote
	err = m.write(ctx, func(q queries) error {
		refused = nil
		if err := lockMerges(ctx, q, args{Kind: m.kind.name}); err != nil {
			return err
		}
		for _, row := range rows {
			if stored[row.uuid].mergedInto == row.mergedInto {
				continue
			}
			err := m.kind.merge(ctx, q, row.uuid, row.mergedInto)
			if errors.Is(err, ErrConflict) {
				refused = append(refused, m.cycle(row.uuid.String()))
			} else if err != nil {
				return fmt.Errorf("merge %s %s: %w", m.kind.name, row.uuid, err)
			}
		}
		return nil
	})
	if err == nil {
		m.quiet = false // no other pass reports these
		for _, note := range refused {
			m.note(note)
		}
	}
	return err
}

func idsOf(rows []mergeable) []uuid.UUID {
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.uuid
	}
	return ids
}
