package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"net/netip"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

// FindingKind names what [Store.Verify] finds.
type FindingKind string

// What there is to find. Repair mends those that are [FindingKind.Repairable]; the others are for a person
// to decide.
const (
	// WrongUUID is a tag whose uuid is not that of its fields.
	WrongUUID FindingKind = "wrong_uuid"
	// RefusedValue is a value that this version would not write.
	RefusedValue FindingKind = "refused_value"
	// Dangling is an attacker, identity or campaign that is named and not stored. It may still come.
	Dangling FindingKind = "dangling"
	// IdentityMismatch is a tag that names another identity than its attacker has, both after all
	// merges. Repair gives it the attacker's.
	IdentityMismatch FindingKind = "identity_mismatch"
	// MergedIntoNothing is a merge into what is not stored. It may still come.
	MergedIntoNothing FindingKind = "merged_into_nothing"
	// MergeCycle is a merge that leads back to itself. Unmerge one of the cycle.
	MergeCycle FindingKind = "merge_cycle"
	// WrongSurvivor is a survivor that is not at the end of the chain of merges. Repair follows the chain.
	WrongSurvivor FindingKind = "wrong_survivor"
	// WrongTechniqueKey is a tag that rollups count for another technique, tactic or release than it
	// names. Repair goes by its fields.
	WrongTechniqueKey FindingKind = "wrong_technique_key"
	// Buried is a tag that a tombstone should have kept out. Repair removes it.
	Buried FindingKind = "buried"
	// WrongCount is a tombstone, or a row of what the fleet shows, that counts other tags than there are.
	// Repair counts them.
	WrongCount FindingKind = "wrong_count"
	// WrongIndex is an index that differs from its table: rollups and lists answer from the index. Repair rebuilds
	// it on SQLite, unless something is [Damaged]; on MySQL, ALTER TABLE ttp_tag FORCE does.
	WrongIndex FindingKind = "wrong_index"
	// Damaged is what else the engine's own check of its tables finds. Restore a backup; what can still be read
	// can be exported.
	Damaged FindingKind = "damaged"
)

// Repairable tells whether the store's rows tell what should be.
func (k FindingKind) Repairable() bool {
	switch k {
	case IdentityMismatch, WrongSurvivor, WrongTechniqueKey, Buried, WrongCount, WrongIndex:
		return true
	}
	return false
}

// Finding is something in the store that is not as it should be.
type Finding struct {
	Kind     FindingKind `json:"kind"`
	Of       string      `json:"of"`            // tag, attacker, identity, campaign, tombstone, technique, index or database
	UUID     uuid.UUID   `json:"uuid,omitzero"` // not of a technique, index or database; the detail names it
	Detail   string      `json:"detail"`
	Repaired bool        `json:"repaired"`
}

// VerifyOptions change how [Store.Verify] runs; the zero value only looks.
type VerifyOptions struct {
	// Repair mends what the kinds of [Finding] say, each page of rows in one transaction.
	Repair bool
	// Progress, if not nil, is called after each page of rows with the counts so far.
	Progress func(VerifyReport)
}

// VerifyReport counts the rows that were looked at.
type VerifyReport struct {
	Campaigns  int64 `json:"campaigns"`
	Identities int64 `json:"identities"`
	Attackers  int64 `json:"attackers"`
	Tags       int64 `json:"tags"`
	Tombstones int64 `json:"tombstones"`
	Techniques int64 `json:"techniques"` // each once for a tactic and release
}

// Verify runs the engine's own check of its tables, but in a caller's transaction, and then reads every row of the
// store, a page at a time, and streams what is not as it should be: campaigns, identities, attackers, tags, each
// also in the indexes that rollups answer from, then tombstones, each by uuid, then the indexes and the fleet's
// counts. It holds no transaction between pages; what others write meanwhile may be seen or not, but is never
// taken for a fault. The error is the last that comes.
func (s *Store) Verify(ctx context.Context, opts VerifyOptions) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		v := &verifier{store: s, opts: opts, yield: yield}
		for _, step := range []func(context.Context) error{
			v.verifyTables,
			rows(v, &v.report.Campaigns, listCampaignsAfter, checkCampaigns, Campaign.id),
			rows(v, &v.report.Identities, listIdentitiesAfter, checkIdentities, Identity.id),
			rows(v, &v.report.Attackers, listAttackersAfter, checkAttackers, Attacker.id),
			rows(v, &v.report.Tags, listKeyedTagsAfter, v.checkTags, func(t keyedTag) uuid.UUID { return t.UUID }),
			rows(v, &v.report.Tombstones, listTombstonesAfter, checkTombstones, func(t Tombstone) uuid.UUID { return t.UUID }),
			v.verifyIndexes,
			v.verifyCounts,
		} {
			if err := step(ctx); err != nil {
				if !errors.Is(err, errStopped) {
					yield(Finding{}, err)
				}
				return
			}
		}
	}
}

type verifier struct {
	store  *Store
	opts   VerifyOptions
	report VerifyReport
	yield  func(Finding, error) bool
	intact bool // the engine's own check found no damage
}

// errStopped means that the caller wants no more findings.
var errStopped = errors.New("stopped")

// fault is a finding and how to mend it, if it can be: repair looks again, since the row may have changed,
// and tells whether it mended it.
type fault struct {
	Finding
	repair func(context.Context, queries) (bool, error)
}

// rows returns the step that checks the rows of one table.
func rows[T any](v *verifier, count *int64, read pageQuery[T], check func(context.Context, queries, []T) ([]fault, error), id func(T) uuid.UUID,
) func(context.Context) error {
	return func(ctx context.Context) error {
		var faults []fault // of the page
		next := func(after uuid.UUID) ([]T, error) {
			return snapshot(ctx, v.store, "verify", func(q queries) ([]T, error) {
				page, err := read(ctx, q, args{After: after[:], Limit: seqPage})
				if err == nil && len(page) > 0 {
					faults, err = check(ctx, q, page)
				}
				return page, err
			})
		}
		for page, err := range pages(next, seqPage, uuid.Nil, id) {
			if err != nil {
				return err
			}
			*count += int64(len(page))
			if err := v.finish(ctx, faults); err != nil {
				return err
			}
		}
		return nil
	}
}

// finish repairs, if it is to, and reports.
func (v *verifier) finish(ctx context.Context, faults []fault) error {
	if v.opts.Repair {
		if err := v.repair(ctx, faults); err != nil {
			return v.store.fail(ctx, "verify", err)
		}
	}
	if v.opts.Progress != nil {
		v.opts.Progress(v.report)
	}
	for _, f := range faults {
		if !v.yield(f.Finding, nil) {
			return errStopped
		}
	}
	return nil
}

func (v *verifier) repair(ctx context.Context, faults []fault) error {
	if len(faults) == 0 {
		return nil
	}
	repaired, err := update(ctx, v.store, "verify", func(q queries) ([]bool, error) {
		repaired := make([]bool, len(faults))
		for i, f := range faults {
			if f.repair == nil {
				continue
			}
			var err error
			if repaired[i], err = f.repair(ctx, q); err != nil {
				return nil, err
			}
		}
		return repaired, nil
	})
	for i := range repaired {
		faults[i].Repaired = repaired[i]
	}
	return err
}

func refused(of string, id uuid.UUID, problems []Problem) []fault {
	var faults []fault
	for _, p := range problems {
		faults = append(faults, fault{Finding: Finding{Kind: RefusedValue, Of: of, UUID: id, Detail: p.String()}})
	}
	return faults
}

func dangling(of string, id uuid.UUID, field string, named uuid.UUID) fault {
	return fault{Finding: Finding{Kind: Dangling, Of: of, UUID: id, Detail: fmt.Sprintf("%s %s is not stored", field, named)}}
}

func checkCampaigns(ctx context.Context, q queries, page []Campaign) ([]fault, error) {
	merges := newMergeCheck(campaignMerges, q)
	var faults []fault
	for _, c := range page {
		faults = append(faults, refused("campaign", c.UUID, c.problems())...)
		found, err := merges.check(ctx, c.UUID, c.MergedIntoUUID, c.SurvivorUUID)
		if err != nil {
			return nil, err
		}
		faults = append(faults, found...)
	}
	return faults, nil
}

func checkIdentities(ctx context.Context, q queries, page []Identity) ([]fault, error) {
	var named []uuid.UUID
	for _, i := range page {
		named = append(named, i.CampaignUUID)
	}
	stored, err := listCampaignsByUUID(ctx, q, args{UUIDs: idBytes(named)})
	if err != nil {
		return nil, err
	}
	campaigns, merges := mapByID(stored, Campaign.id), newMergeCheck(identityMerges, q)
	var faults []fault
	for _, i := range page {
		faults = append(faults, refused("identity", i.UUID, i.problems())...)
		if _, ok := campaigns[i.CampaignUUID]; !ok && i.CampaignUUID != uuid.Nil {
			faults = append(faults, dangling("identity", i.UUID, "campaign_uuid", i.CampaignUUID))
		}
		found, err := merges.check(ctx, i.UUID, i.MergedIntoUUID, i.SurvivorUUID)
		if err != nil {
			return nil, err
		}
		faults = append(faults, found...)
	}
	return faults, nil
}

func checkAttackers(ctx context.Context, q queries, page []Attacker) ([]fault, error) {
	var own, named []uuid.UUID
	for _, a := range page {
		own, named = append(own, a.UUID), append(named, a.IdentityUUID)
	}
	ips, err := listAttackerIPs(ctx, q, args{UUIDs: idBytes(own)})
	if err != nil {
		return nil, err
	}
	var faults []fault
	for _, row := range ips {
		if ip, err := netip.ParseAddr(row.ip); row.ip != "" && (err != nil || ip.Zone() != "" || ip.String() != row.ip) {
			faults = append(faults, refused("attacker", row.attacker, []Problem{{Field: "ip", Reason: fmt.Sprintf("must not be %q", row.ip)}})...)
		}
	}
	stored, err := listIdentitiesByUUID(ctx, q, args{UUIDs: idBytes(named)})
	if err != nil {
		return nil, err
	}
	identities := mapByID(stored, Identity.id)
	for _, a := range page {
		if _, ok := identities[a.IdentityUUID]; !ok && a.IdentityUUID != uuid.Nil {
			faults = append(faults, dangling("attacker", a.UUID, "identity_uuid", a.IdentityUUID))
		}
	}
	return faults, nil
}

func checkTombstones(ctx context.Context, q queries, page []Tombstone) ([]fault, error) {
	var faults []fault
	for _, t := range page {
		n, err := countTagsOfTombstone(ctx, q, args{TombstoneUUID: t.UUID[:]})
		if err != nil {
			return nil, err
		}
		if n == t.Tags {
			continue
		}
		f := Finding{Kind: WrongCount, Of: "tombstone", UUID: t.UUID, Detail: fmt.Sprintf("has %d tags and counts %d", n, t.Tags)}
		faults = append(faults, fault{f, func(ctx context.Context, q queries) (bool, error) {
			return recountTombstone(ctx, q, t.UUID)
		}})
	}
	return faults, nil
}

// recountTombstone mends one that was not lifted meanwhile.
func recountTombstone(ctx context.Context, q queries, id uuid.UUID) (bool, error) {
	t, err := lockTombstone(ctx, q, byID(id))
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	n, err := countTagsOfTombstone(ctx, q, args{TombstoneUUID: id[:]})
	if err != nil || n == t.Tags {
		return false, err
	}
	_, err = subtractFromTombstone(ctx, q, args{UUID: id[:], Tags: t.Tags - n})
	return true, err
}

// attackerIP is an IP as it is stored.
type attackerIP struct {
	attacker uuid.UUID
	ip       string
}

type attackerIPRow interface {
	sqlitegen.TtpAttacker | mysqlgen.TtpAttacker
}

func toAttackerIP[R attackerIPRow](row R) attackerIP {
	r := sqlitegen.TtpAttacker(row)
	return attackerIP{toID(r.UUID), r.IP.String}
}
