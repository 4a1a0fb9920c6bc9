package ttp

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

const (
	predecessorCampaigns  = "SELECT uuid, '', merged_into_uuid FROM campaigns ORDER BY uuid"
	predecessorIdentities = "SELECT uuid, campaign_id, merged_into_uuid FROM attacker_identities ORDER BY uuid"
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
}

func (in *predecessorImport) campaigns(ctx context.Context) error {
	return mergeables{
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
}

func (in *predecessorImport) identities(ctx context.Context) error {
	return mergeables{
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
}

// run reads the table twice: it undoes all changed merges before it makes the new ones, since a new merge may conflict
// with an old one.
func (m mergeables) run(ctx context.Context) error {
	for texts, err := range m.source.batchesFrom(ctx, m.query, 3) {
		if err == nil {
			m.counts.Read += len(texts)
			err = m.storeChanged(ctx, m.parse(texts))
		}
		if err != nil {
			return err
		}
		m.progress(len(texts))
	}
	if m.opts.DryRun {
		return nil
	}
	for texts, err := range m.source.batchesFrom(ctx, m.query, 3) {
		if err == nil {
			m.quiet = true
			rows := m.parse(texts)
			m.quiet = false
			err = m.merge(ctx, rows)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// parse returns the rows that can be stored.
func (m mergeables) parse(texts [][]string) []mergeable {
	var rows []mergeable
	for _, text := range texts {
		var row mergeable
		var ok bool
		if row.uuid, ok = m.id(text[0]); !ok || row.uuid == uuid.Nil {
			m.note(PredecessorNote{Table: m.table, UUID: text[0], Field: "uuid", Reason: uuidRule})
			continue
		}
		if row.campaign, ok = m.id(text[1]); !ok {
			m.note(PredecessorNote{Table: m.table, UUID: text[0], Field: "campaign_id", Reason: uuidRule, Kept: true})
		}
		if row.mergedInto, ok = m.id(text[2]); !ok {
			m.note(PredecessorNote{Table: m.table, UUID: text[0], Field: "merged_into_uuid", Reason: uuidRule, Kept: true})
		}
		rows = append(rows, row)
	}
	return rows
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

// merge makes the missing merges, except those that would close a cycle.
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
				refused = append(refused, PredecessorNote{
					Table: m.table, UUID: row.uuid.String(), Field: "merged_into_uuid", Reason: "must not close a cycle", Kept: true,
				})
			} else if err != nil {
				return fmt.Errorf("merge %s %s: %w", m.kind.name, row.uuid, err)
			}
		}
		return nil
	})
	if err == nil {
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
