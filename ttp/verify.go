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

// FindingKind is the kind of a [Finding].
type FindingKind string

// The kinds of findings. [VerifyOptions.Repair] repairs those that are [FindingKind.Repairable]; the others need a
// decision.
const (
	// WrongUUID is a tag whose UUID differs from [Tag.ComputeUUID].
	WrongUUID FindingKind = "wrong_uuid"
	// InvalidValue is a value that this version would not write.
	InvalidValue FindingKind = "invalid_value"
	// Dangling is a reference to an attacker, identity or campaign that is not stored. It may be upserted later.
	Dangling FindingKind = "dangling"
	// IdentityMismatch is a tag whose identity and whose attacker's identity have different survivors. Repair sets the
	// tag's identity to the attacker's.
	IdentityMismatch FindingKind = "identity_mismatch"
	// DanglingMerge is a merge into a scope that is not stored. It may be upserted later.
	DanglingMerge FindingKind = "dangling_merge"
	// MergeCycle is a merge that leads back to itself. Unmerge one scope of the cycle.
	MergeCycle FindingKind = "merge_cycle"
	// WrongSurvivor is a survivor that is not at the end of the merge chain. Repair follows the chain.
	WrongSurvivor FindingKind = "wrong_survivor"
	// WrongTechniqueKey is a tag whose grouping key in rollups differs from its technique, tactic and release. Repair
	// computes the key from these.
	WrongTechniqueKey FindingKind = "wrong_technique_key"
	// TombstonedTag is a stored tag with a tombstone. Repair removes it.
	TombstonedTag FindingKind = "tombstoned_tag"
	// WrongCount is a wrong number of tags of a tombstone or of a group of the fleet's rollup. Repair recounts them.
	WrongCount FindingKind = "wrong_count"
	// WrongIndex is an index that differs from its table, so that rollups and lists are wrong. Repair rebuilds it on
	// SQLite, unless the file is also [Damaged]; on MySQL, run ALTER TABLE ttp_tag FORCE.
	WrongIndex FindingKind = "wrong_index"
	// Damaged is any other fault that the engine's own check reports. Restore a backup, or export the readable rows.
	Damaged FindingKind = "damaged"
	// UnknownTechnique is a technique or sub-technique that its tags' own ATT&CK release does not have. This and the
	// four kinds below need [WithCatalogue] and are found once for each technique, tactic and release.
	UnknownTechnique FindingKind = "unknown_technique"
	// RevokedTechnique is a technique that its tags' release has revoked. Detail names the successor, if any.
	RevokedTechnique FindingKind = "revoked_technique"
	// DeprecatedTechnique is a technique that its tags' release has deprecated.
	DeprecatedTechnique FindingKind = "deprecated_technique"
	// WrongTactic is a tactic under which its tags' release does not have the technique.
	WrongTactic FindingKind = "wrong_tactic"
	// UnknownRelease is an ATT&CK release of tags that the catalogue lacks, so that their techniques were not checked.
	UnknownRelease FindingKind = "unknown_release"
)

// Repairable reports whether other rows determine the right state, so that Verify can repair the fault.
func (k FindingKind) Repairable() bool {
	switch k {
	case IdentityMismatch, WrongSurvivor, WrongTechniqueKey, TombstonedTag, WrongCount, WrongIndex:
		return true
	}
	return false
}

// Finding is an inconsistency that [Store.Verify] found.
type Finding struct {
	Kind     FindingKind `json:"kind"`
	Of       string      `json:"of"`            // tag, attacker, identity, campaign, tombstone, technique, release, index or database
	UUID     uuid.UUID   `json:"uuid,omitzero"` // zero for a technique, release, index or database, which Detail names
	Detail   string      `json:"detail"`
	Repaired bool        `json:"repaired"`
}

// VerifyOptions configures [Store.Verify]. The zero value changes no rows.
type VerifyOptions struct {
	// Repair repairs the findings that are [FindingKind.Repairable], each page of rows in one transaction.
	Repair bool
	// Progress, if not nil, is called after each page of rows with the counts so far.
	Progress func(VerifyReport)
}

// VerifyReport holds the numbers of checked rows.
type VerifyReport struct {
	Campaigns  int64 `json:"campaigns"`
	Identities int64 `json:"identities"`
	Attackers  int64 `json:"attackers"`
	Tags       int64 `json:"tags"`
	Tombstones int64 `json:"tombstones"`
	Techniques int64 `json:"techniques"` // distinct combinations of technique, tactic and release
}

// Verify checks the store and streams its inconsistencies: those that the engine's own check of its tables reports
// (skipped in a caller's transaction), then of campaigns, identities, attackers, tags and tombstones, each in UUID
// order, then of the indexes and of the fleet's counts and, with a catalogue, of techniques and tactics.
//
// It reads a page of rows at a time and holds no transaction between pages. Concurrent writes may or may not be seen,
// but are not reported as inconsistent. An error ends the stream, with a zero Finding.
func (s *Store) Verify(ctx context.Context, opts VerifyOptions) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		v := &verifier{store: s, opts: opts, yield: yield}
		for _, step := range []func(context.Context) error{
			v.readNames,
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
	intact bool // the engine's own check reported no damage
	names  *catalogue
}

func (v *verifier) readNames(ctx context.Context) (err error) {
	v.names, err = v.store.names(ctx, "verify")
	return err
}

// errStopped means that the caller has ended the stream.
var errStopped = errors.New("stopped")

// fault is a finding with its repair, nil if there is none. The repair checks the row again, since it may have changed,
// and reports whether it repaired it.
type fault struct {
	Finding
	repair func(context.Context, queries) (bool, error)
}

// rows returns a step that checks the rows of one table.
func rows[T any](v *verifier, count *int64, read generated[[]T],
	check func(context.Context, queries, []T) ([]fault, error), id func(T) uuid.UUID,
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

// finish repairs the faults if Repair is set, calls Progress, and streams the findings.
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

func invalid(of string, id uuid.UUID, problems []Problem) []fault {
	var faults []fault
	for _, p := range problems {
		faults = append(faults, fault{Finding: Finding{Kind: InvalidValue, Of: of, UUID: id, Detail: p.String()}})
	}
	return faults
}

func dangling(of string, id uuid.UUID, field string, reference uuid.UUID) fault {
	return fault{Finding: Finding{Kind: Dangling, Of: of, UUID: id, Detail: fmt.Sprintf("%s %s is not stored", field, reference)}}
}

func checkCampaigns(ctx context.Context, q queries, page []Campaign) ([]fault, error) {
	merges := newMergeCheck(campaignMerges, q)
	var faults []fault
	for _, c := range page {
		faults = append(faults, invalid("campaign", c.UUID, c.problems())...)
		found, err := merges.check(ctx, c.UUID, c.MergedIntoUUID, c.SurvivorUUID)
		if err != nil {
			return nil, err
		}
		faults = append(faults, found...)
	}
	return faults, nil
}

func checkIdentities(ctx context.Context, q queries, page []Identity) ([]fault, error) {
	var referenced []uuid.UUID
	for _, i := range page {
		referenced = append(referenced, i.CampaignUUID)
	}
	stored, err := listCampaignsByUUID(ctx, q, args{UUIDs: idBytes(referenced)})
	if err != nil {
		return nil, err
	}
	campaigns, merges := mapByID(stored, Campaign.id), newMergeCheck(identityMerges, q)
	var faults []fault
	for _, i := range page {
		faults = append(faults, invalid("identity", i.UUID, i.problems())...)
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
	var attackers, referenced []uuid.UUID
	for _, a := range page {
		attackers, referenced = append(attackers, a.UUID), append(referenced, a.IdentityUUID)
	}
	ips, err := listAttackerIPs(ctx, q, args{UUIDs: idBytes(attackers)})
	if err != nil {
		return nil, err
	}
	var faults []fault
	for _, row := range ips {
		if ip, err := netip.ParseAddr(row.ip); row.ip != "" && (err != nil || ip.Zone() != "" || ip.String() != row.ip) {
			problem := Problem{Field: "ip", Reason: fmt.Sprintf("must not be %q", row.ip)}
			faults = append(faults, invalid("attacker", row.attacker, []Problem{problem})...)
		}
	}
	stored, err := listIdentitiesByUUID(ctx, q, args{UUIDs: idBytes(referenced)})
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
		f := Finding{Kind: WrongCount, Of: "tombstone", UUID: t.UUID, Detail: fmt.Sprintf("has %d tags but a count of %d", n, t.Tags)}
		faults = append(faults, fault{f, func(ctx context.Context, q queries) (bool, error) {
			return recountTombstone(ctx, q, t.UUID)
		}})
	}
	return faults, nil
}

// recountTombstone corrects the count of a tombstone, unless it was lifted since.
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

// attackerIP is the stored text of an attacker's IP address.
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
