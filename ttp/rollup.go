package ttp

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

// TechniqueRollupRow sums up the tags of one scope that show one (sub-)technique.
type TechniqueRollupRow struct {
	TechniqueID string `json:"technique_id"`
	// TechniqueName, SubTechniqueName and MitreURL come from an ATT&CK catalogue; they are empty when
	// none is loaded.
	TechniqueName    string `json:"technique_name,omitempty"`
	SubTechniqueID   string `json:"sub_technique_id,omitempty"` // empty for the technique itself
	SubTechniqueName string `json:"sub_technique_name,omitempty"`
	// Tactic is the tactic that most of the tags name; of several, the one with the smallest id.
	Tactic string `json:"tactic"`
	// Tactics are all tactics that the tags name, in the order that makes Tactic the first.
	Tactics []TacticCount `json:"tactics"`
	// Releases are the ATT&CK releases that the tags speak, sorted.
	Releases []string `json:"releases"`
	// Count is the number of tags.
	Count int64 `json:"count"`
	// FirstSeen and LastSeen are the earliest and the latest ObservedAt.
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	// ConfidenceMax is the highest confidence, from 0 to 1.
	ConfidenceMax float64 `json:"confidence_max"`
	MitreURL      string  `json:"mitre_url,omitempty"`
}

// IdentityTechniqueRow is a row of the rollups of one identity, attacker or session.
type IdentityTechniqueRow = TechniqueRollupRow

// CampaignTechniqueRow is a row of the rollup of a campaign.
type CampaignTechniqueRow struct {
	TechniqueRollupRow
	// IdentityCount is the number of the campaign's identities that show the technique; merged ones
	// count as the one they are merged into.
	IdentityCount int64 `json:"identity_count"`
}

// TacticCount is the number of tags that name a tactic.
type TacticCount struct {
	Tactic string `json:"tactic"`
	Count  int64  `json:"count"`
}

// ListTechniquesByIdentity rolls up the tags of an identity and of all identities merged into it, each
// tag once. A tag belongs to the identity that it names, or else to the one that its attacker has now.
// Asked for a merged identity, it answers for the survivor.
func (s *Store) ListTechniquesByIdentity(ctx context.Context, id uuid.UUID) ([]IdentityTechniqueRow, error) {
	return snapshot(ctx, s, "list techniques by identity", func(q queries) ([]IdentityTechniqueRow, error) {
		stored, err := q.identity(ctx, id)
		survivor, err := survivorOf(id, stored.SurvivorUUID, err)
		if err != nil {
			return nil, err
		}
		groups, err := q.techniquesByIdentity(ctx, survivor)
		return rollup(groups), err
	})
}

// ListTechniquesByAttacker rolls up the tags that name the attacker. Tags that only an identity has are
// not among them.
func (s *Store) ListTechniquesByAttacker(ctx context.Context, id uuid.UUID) ([]IdentityTechniqueRow, error) {
	return query(ctx, s, "list techniques by attacker", func(q queries) ([]IdentityTechniqueRow, error) {
		groups, err := q.techniquesByAttacker(ctx, id)
		return rollup(groups), err
	})
}

// ListTechniquesByCampaign rolls up the tags of all identities whose survivor is in the campaign or in
// one merged into it: the union of the rollups of its identities. Asked for a merged campaign, it
// answers for the survivor.
func (s *Store) ListTechniquesByCampaign(ctx context.Context, id uuid.UUID) ([]CampaignTechniqueRow, error) {
	return snapshot(ctx, s, "list techniques by campaign", func(q queries) ([]CampaignTechniqueRow, error) {
		stored, err := q.campaign(ctx, id)
		survivor, err := survivorOf(id, stored.SurvivorUUID, err)
		if err != nil {
			return nil, err
		}
		groups, err := q.techniquesByCampaign(ctx, survivor)
		if err != nil {
			return nil, err
		}
		identities, err := q.campaignIdentities(ctx, survivor)
		return campaignRollup(groups, identities), err
	})
}

// ListTechniquesBySession rolls up the tags of one login session.
func (s *Store) ListTechniquesBySession(ctx context.Context, id string) ([]IdentityTechniqueRow, error) {
	return query(ctx, s, "list techniques by session", func(q queries) ([]IdentityTechniqueRow, error) {
		var c checker
		if c.text("session_id", id, 255, required); len(c.problems) > 0 {
			return []IdentityTechniqueRow{}, ctx.Err() // no tag has such an id; MySQL would match it without its spaces
		}
		groups, err := q.techniquesBySession(ctx, id)
		return rollup(groups), err
	})
}

// ListDistinctTechniques rolls up all tags of the fleet.
func (s *Store) ListDistinctTechniques(ctx context.Context) ([]TechniqueRollupRow, error) {
	return query(ctx, s, "list distinct techniques", func(q queries) ([]TechniqueRollupRow, error) {
		groups, err := q.techniques(ctx)
		return rollup(groups), err
	})
}

// survivorOf returns who answers for an id, given what looking it up gave: a scope that is not stored
// answers for itself, since tags and merges may name it before it arrives.
func survivorOf(id, survivor uuid.UUID, err error) (uuid.UUID, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return id, nil
	}
	return survivor, err
}

// group is the tags of one technique, sub-technique, tactic and release.
type group struct {
	technique           techniqueKey
	tactic, release     string
	tags                int64
	firstSeen, lastSeen int64 // microseconds
	confidenceMax       float64
}

type techniqueKey struct{ technique, sub string }

// groupRow is a row of a rollup's query, as each dialect generates it.
type groupRow interface {
	sqlitegen.ListTechniquesByIdentityRow | mysqlgen.ListTechniquesByIdentityRow |
		sqlitegen.ListTechniquesByAttackerRow | mysqlgen.ListTechniquesByAttackerRow |
		sqlitegen.ListTechniquesByCampaignRow | mysqlgen.ListTechniquesByCampaignRow |
		sqlitegen.ListTechniquesBySessionRow | mysqlgen.ListTechniquesBySessionRow |
		sqlitegen.ListDistinctTechniquesRow | mysqlgen.ListDistinctTechniquesRow
}

func toGroup[R groupRow](row R) group {
	r := sqlitegen.ListDistinctTechniquesRow(row)
	return group{
		technique: techniqueKey{r.TechniqueID, r.SubTechniqueID.String},
		tactic:    r.Tactic, release: r.AttackRelease,
		tags: r.Tags, firstSeen: r.FirstSeen, lastSeen: r.LastSeen, confidenceMax: r.ConfidenceMax,
	}
}

// identityCount is how many identities of a campaign show a technique.
type identityCount struct {
	technique  techniqueKey
	identities int64
}

type identityCountRow interface {
	sqlitegen.CountCampaignIdentitiesRow | mysqlgen.CountCampaignIdentitiesRow
}

func toIdentityCount[R identityCountRow](row R) identityCount {
	r := sqlitegen.CountCampaignIdentitiesRow(row)
	return identityCount{techniqueKey{r.TechniqueID, r.SubTechniqueID.String}, r.Identities}
}

// rollup adds the groups up to one row a technique.
func rollup(groups []group) []TechniqueRollupRow {
	rows := make([]TechniqueRollupRow, 0, len(groups))
	at := make(map[techniqueKey]int, len(groups))
	for _, g := range groups {
		i, ok := at[g.technique]
		if !ok {
			i = len(rows)
			at[g.technique] = i
			rows = append(rows, TechniqueRollupRow{
				TechniqueID: g.technique.technique, SubTechniqueID: g.technique.sub,
				FirstSeen: toTime(g.firstSeen), LastSeen: toTime(g.lastSeen),
			})
		}
		rows[i].add(g)
	}
	for i := range rows {
		rows[i].finish()
	}
	slices.SortFunc(rows, func(a, b TechniqueRollupRow) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count),
			strings.Compare(a.TechniqueID, b.TechniqueID), strings.Compare(a.SubTechniqueID, b.SubTechniqueID))
	})
	return rows
}

func (r *TechniqueRollupRow) add(g group) {
	r.Count += g.tags
	if first := toTime(g.firstSeen); first.Before(r.FirstSeen) {
		r.FirstSeen = first
	}
	if last := toTime(g.lastSeen); last.After(r.LastSeen) {
		r.LastSeen = last
	}
	r.ConfidenceMax = max(r.ConfidenceMax, g.confidenceMax)
	r.Releases = append(r.Releases, g.release)
	i := slices.IndexFunc(r.Tactics, func(t TacticCount) bool { return t.Tactic == g.tactic })
	if i < 0 {
		i = len(r.Tactics)
		r.Tactics = append(r.Tactics, TacticCount{Tactic: g.tactic})
	}
	r.Tactics[i].Count += g.tags
}

func (r *TechniqueRollupRow) finish() {
	slices.Sort(r.Releases)
	r.Releases = slices.Compact(r.Releases)
	slices.SortFunc(r.Tactics, func(a, b TacticCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Tactic, b.Tactic))
	})
	r.Tactic = r.Tactics[0].Tactic
}

func campaignRollup(groups []group, identities []identityCount) []CampaignTechniqueRow {
	counts := make(map[techniqueKey]int64, len(identities))
	for _, c := range identities {
		counts[c.technique] = c.identities
	}
	rows := rollup(groups)
	out := make([]CampaignTechniqueRow, len(rows))
	for i, row := range rows {
		out[i] = CampaignTechniqueRow{row, counts[techniqueKey{row.TechniqueID, row.SubTechniqueID}]}
	}
	return out
}
