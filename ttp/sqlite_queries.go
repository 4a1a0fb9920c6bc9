package ttp

import (
	"context"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/sqlitegen"
)

type sqliteQueries struct {
	*sqlitegen.Queries
	db dbtx
}

// insertTags loops over one prepared statement: SQLite runs in the process, and many rows in one
// statement gain nothing.
func (q sqliteQueries) insertTags(ctx context.Context, tags []*Tag) (int64, error) {
	stmt, err := q.db.PrepareContext(ctx, sqlitegen.InsertTag)
	if err != nil {
		return 0, err
	}
	defer func() { _ = stmt.Close() }()
	var written int64
	args := make([]any, 0, insertColumns)
	for _, tag := range tags {
		args = appendInsertArgs(args[:0], tag)
		result, err := stmt.ExecContext(ctx, args...)
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		written += n
	}
	return written, nil
}

func (q sqliteQueries) storedTagUUIDs(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.ListStoredTagUUIDs, a, toID)
}

func (q sqliteQueries) lockTagUUIDs(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.LockTagUUIDs, a, toID)
}

func (q sqliteQueries) tagUUIDsInBatch(ctx context.Context, batch uuid.UUID, tags []*Tag) ([]uuid.UUID, error) {
	rows, err := q.ListTagUUIDsInBatch(ctx, sqlitegen.ListTagUUIDsInBatchParams{BatchUUID: batch[:], UUIDs: tagUUIDs(tags)})
	return all(rows, err, toID)
}

func (q sqliteQueries) tag(ctx context.Context, id uuid.UUID) (Tag, error) {
	row, err := q.GetTag(ctx, sqlitegen.GetTagParams{UUID: id[:]})
	return one(row, err, toTag)
}

func (q sqliteQueries) tagsAfter(ctx context.Context, a asked) ([]Tag, error) {
	return list(ctx, q.ListTagsAfter, a, toTag)
}

func (q sqliteQueries) tagsInBatch(ctx context.Context, a asked) ([]Tag, error) {
	return list(ctx, q.ListTagsInBatch, a, toTag)
}

func (q sqliteQueries) lockTags(ctx context.Context, a asked) ([]lockedTag, error) {
	return list(ctx, q.LockTags, a, toLockedTag)
}

func (q sqliteQueries) deleteTags(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.DeleteTags, a)
}

func (q sqliteQueries) setTagIdentities(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.SetTagIdentities, a)
}

func (q sqliteQueries) lockTagNaming(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.LockTagNaming, a, toID)
}

func (q sqliteQueries) lockTagsToMove(ctx context.Context, a asked) ([]position, error) {
	return list(ctx, q.LockTagsToMove, a, toPosition)
}

func (q sqliteQueries) tagKeys(ctx context.Context, a asked) ([]tagKey, error) {
	return list(ctx, q.ListTagKeys, a, toTagKey)
}

func (q sqliteQueries) setTagKey(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.SetTagKey, a)
}

func (q sqliteQueries) addTombstone(ctx context.Context, t Tombstone) error {
	return q.AddTombstone(ctx, sqlitegen.AddTombstoneParams{
		UUID: t.UUID[:], Removed: t.Removed, Reason: nullText(t.Reason), CreatedAt: t.CreatedAt.UnixMicro(), Tags: t.Tags,
	})
}

func (q sqliteQueries) buryTags(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.BuryTags, a)
}

func (q sqliteQueries) anyTombstone(ctx context.Context) ([]uuid.UUID, error) {
	rows, err := q.AnyTombstone(ctx)
	return all(rows, err, toID)
}

func (q sqliteQueries) buriedTagUUIDs(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.ListBuriedTagUUIDs, a, toID)
}

func (q sqliteQueries) lockBuriedTags(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.LockBuriedTags, a, toID)
}

func (q sqliteQueries) tombstonesAfter(ctx context.Context, a asked) ([]Tombstone, error) {
	return list(ctx, q.ListTombstonesAfter, a, toTombstone)
}

func (q sqliteQueries) tombstone(ctx context.Context, id uuid.UUID) (Tombstone, error) {
	row, err := q.GetTombstone(ctx, sqlitegen.GetTombstoneParams{UUID: id[:]})
	return one(row, err, toTombstone)
}

func (q sqliteQueries) lockTombstone(ctx context.Context, id uuid.UUID) (Tombstone, error) {
	row, err := q.LockTombstone(ctx, sqlitegen.LockTombstoneParams{UUID: id[:]})
	return one(row, err, toTombstone)
}

func (q sqliteQueries) tagsOfTombstone(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.ListTagsOfTombstone, a, toID)
}

func (q sqliteQueries) countTagsOfTombstone(ctx context.Context, id uuid.UUID) (int64, error) {
	return q.CountTagsOfTombstone(ctx, sqlitegen.CountTagsOfTombstoneParams{TombstoneUUID: id[:]})
}

func (q sqliteQueries) deleteBuriedTags(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.DeleteBuriedTags, a)
}

func (q sqliteQueries) takeFromTombstone(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.TakeFromTombstone, a)
}

func (q sqliteQueries) deleteEmptyTombstone(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.DeleteEmptyTombstone, a)
}

// addTechniqueCounts needs one slot: SQLite has one writer.
func (q sqliteQueries) addTechniqueCounts(ctx context.Context, groups []group) error {
	stmt, err := q.db.PrepareContext(ctx, sqlitegen.AddTechniqueCount)
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }()
	var args []any
	for _, g := range groups {
		args = appendCountArgs(args[:0], g, 0)
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

func (q sqliteQueries) techniqueCounts(ctx context.Context) ([]group, error) {
	rows, err := q.ListTechniqueCounts(ctx)
	return all(rows, err, toGroup)
}

func (q sqliteQueries) countedTechniques(ctx context.Context) ([]countedGroup, error) {
	rows, err := q.ListCountedTechniques(ctx)
	return all(rows, err, toCountedGroup)
}

func (q sqliteQueries) staleTechniques(ctx context.Context) ([]groupKey, error) {
	rows, err := q.ListStaleTechniques(ctx)
	return all(rows, err, func(key int64) groupKey { return groupKey(key) })
}

func (q sqliteQueries) markTechniqueStale(ctx context.Context, key groupKey) error {
	_, err := q.db.ExecContext(ctx, sqlitegen.MarkTechniqueStale, int64(key), 0)
	return err
}

func (q sqliteQueries) countTechnique(ctx context.Context, key groupKey) (group, error) {
	row, err := q.CountTechnique(ctx, sqlitegen.CountTechniqueParams{TechniqueKey: int64(key)})
	g, err := one(row, err, toTotal)
	g.key = key
	return g, err
}

func (q sqliteQueries) emptyTechniqueCounts(ctx context.Context, key groupKey) error {
	return q.EmptyTechniqueCounts(ctx, sqlitegen.EmptyTechniqueCountsParams{TechniqueKey: int64(key)})
}

func (q sqliteQueries) setTechniqueCount(ctx context.Context, g group) error {
	return q.SetTechniqueCount(ctx, sqlitegen.SetTechniqueCountParams{
		TechniqueKey: int64(g.key), Tags: g.tags, FirstSeen: g.firstSeen, LastSeen: g.lastSeen, ConfidenceMax: g.confidenceMax,
	})
}

func (q sqliteQueries) techniques(ctx context.Context, a asked) ([]group, error) {
	return list(ctx, q.ListDistinctTechniques, a, toGroup)
}

func (q sqliteQueries) techniquesByTime(ctx context.Context, a asked) ([]group, error) {
	return list(ctx, q.ListDistinctTechniquesByTime, a, toGroup)
}

func (q sqliteQueries) techniquesByIdentity(ctx context.Context, a asked) ([]group, error) {
	return list(ctx, q.ListTechniquesByIdentity, a, toGroup)
}

func (q sqliteQueries) techniquesByAttacker(ctx context.Context, a asked) ([]group, error) {
	return list(ctx, q.ListTechniquesByAttacker, a, toGroup)
}

func (q sqliteQueries) techniquesByCampaign(ctx context.Context, a asked) ([]campaignGroup, error) {
	return list(ctx, q.ListTechniquesByCampaign, a, toCampaignGroup)
}

func (q sqliteQueries) techniquesBySession(ctx context.Context, a asked) ([]group, error) {
	return list(ctx, q.ListTechniquesBySession, a, toGroup)
}

func (q sqliteQueries) countDistinct(ctx context.Context, a asked) ([]distinctCount, error) {
	return list(ctx, q.CountDistinct, a, toDistinctCount)
}

func (q sqliteQueries) countScopeDistinct(ctx context.Context, a asked) ([]distinctCount, error) {
	return list(ctx, q.CountScopeDistinct, a, toDistinctCount)
}

func (q sqliteQueries) countByTime(ctx context.Context, a asked) ([]bucketCount, error) {
	return list(ctx, q.CountByTime, a, toBucketCount)
}

func (q sqliteQueries) countScopeByTime(ctx context.Context, a asked) ([]bucketCount, error) {
	return list(ctx, q.CountScopeByTime, a, toBucketCount)
}

func (q sqliteQueries) tags(ctx context.Context, a asked) ([]Tag, error) {
	return list(ctx, q.ListTags, a, toTag)
}

func (q sqliteQueries) tagsByAttacker(ctx context.Context, a asked) ([]Tag, error) {
	return list(ctx, q.ListTagsByAttacker, a, toTag)
}

func (q sqliteQueries) tagsBySession(ctx context.Context, a asked) ([]Tag, error) {
	return list(ctx, q.ListTagsBySession, a, toTag)
}

func (q sqliteQueries) tagsBySessionInOrder(ctx context.Context, a asked) ([]Tag, error) {
	return list(ctx, q.ListTagsBySessionInOrder, a, toTag)
}

func (q sqliteQueries) tagsByIdentities(ctx context.Context, a asked) ([]Tag, error) {
	return list(ctx, q.ListTagsByIdentities, a, toTag)
}

func (q sqliteQueries) phases(ctx context.Context, a asked) ([]Phase, error) {
	return list(ctx, q.ListPhases, a, toPhase)
}

func (q sqliteQueries) topIdentities(ctx context.Context, a asked) ([]ScopeCount, error) {
	return list(ctx, q.TopIdentities, a, toActor[sqlitegen.TopIdentitiesRow](IdentityScope))
}

func (q sqliteQueries) topAttackers(ctx context.Context, a asked) ([]ScopeCount, error) {
	return list(ctx, q.TopAttackers, a, toActor[sqlitegen.TopAttackersRow](AttackerScope))
}

func (q sqliteQueries) topSessions(ctx context.Context, a asked) ([]ScopeCount, error) {
	return list(ctx, q.TopSessions, a, toSession)
}

func (q sqliteQueries) topCampaigns(ctx context.Context, a asked) ([]ScopeCount, error) {
	return list(ctx, q.TopCampaigns, a, toActor[sqlitegen.TopCampaignsRow](CampaignScope))
}

func (q sqliteQueries) rules(ctx context.Context, a asked) ([]RuleStats, error) {
	return list(ctx, q.ListRules, a, toRuleStats)
}

func (q sqliteQueries) taggedAttackers(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.ListTaggedAttackers, a, toID)
}

func (q sqliteQueries) taggedIdentities(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.ListTaggedIdentities, a, toID)
}

func (q sqliteQueries) techniquesByAttackers(ctx context.Context, a asked) ([]scopeGroup, error) {
	return list(ctx, q.ListTechniquesByAttackers, a, toScopeGroup)
}

func (q sqliteQueries) techniquesByIdentities(ctx context.Context, a asked) ([]scopeGroup, error) {
	return list(ctx, q.ListTechniquesByIdentities, a, toScopeGroup)
}

func (q sqliteQueries) campaign(ctx context.Context, id uuid.UUID) (Campaign, error) {
	row, err := q.GetCampaign(ctx, sqlitegen.GetCampaignParams{UUID: id[:]})
	return one(row, err, toCampaign)
}

func (q sqliteQueries) identity(ctx context.Context, id uuid.UUID) (Identity, error) {
	row, err := q.GetIdentity(ctx, sqlitegen.GetIdentityParams{UUID: id[:]})
	return one(row, err, toIdentity)
}

func (q sqliteQueries) attacker(ctx context.Context, id uuid.UUID) (Attacker, error) {
	row, err := q.GetAttacker(ctx, sqlitegen.GetAttackerParams{UUID: id[:]})
	return one(row, err, toAttacker)
}

func (q sqliteQueries) campaignsAfter(ctx context.Context, a asked) ([]Campaign, error) {
	return list(ctx, q.ListCampaignsAfter, a, toCampaign)
}

func (q sqliteQueries) identitiesAfter(ctx context.Context, a asked) ([]Identity, error) {
	return list(ctx, q.ListIdentitiesAfter, a, toIdentity)
}

func (q sqliteQueries) attackersAfter(ctx context.Context, a asked) ([]Attacker, error) {
	return list(ctx, q.ListAttackersAfter, a, toAttacker)
}

func (q sqliteQueries) campaignsMergedInto(ctx context.Context, a asked) ([]Campaign, error) {
	return list(ctx, q.ListCampaignsMergedInto, a, toCampaign)
}

func (q sqliteQueries) identitiesByCampaign(ctx context.Context, a asked) ([]Identity, error) {
	return list(ctx, q.ListIdentitiesByCampaign, a, toIdentity)
}

func (q sqliteQueries) identitiesMergedInto(ctx context.Context, a asked) ([]Identity, error) {
	return list(ctx, q.ListIdentitiesMergedInto, a, toIdentity)
}

func (q sqliteQueries) identitiesBySurvivor(ctx context.Context, a asked) ([]Identity, error) {
	return list(ctx, q.ListIdentitiesBySurvivor, a, toIdentity)
}

func (q sqliteQueries) attackersByIdentity(ctx context.Context, a asked) ([]Attacker, error) {
	return list(ctx, q.ListAttackersByIdentity, a, toAttacker)
}

func (q sqliteQueries) campaignsByUUID(ctx context.Context, a asked) ([]Campaign, error) {
	return list(ctx, q.ListCampaignsByUUID, a, toCampaign)
}

func (q sqliteQueries) identitiesByUUID(ctx context.Context, a asked) ([]Identity, error) {
	return list(ctx, q.ListIdentitiesByUUID, a, toIdentity)
}

func (q sqliteQueries) attackersByUUID(ctx context.Context, a asked) ([]Attacker, error) {
	return list(ctx, q.ListAttackersByUUID, a, toAttacker)
}

func (q sqliteQueries) attackerIPs(ctx context.Context, a asked) ([]attackerIP, error) {
	return list(ctx, q.ListAttackersByUUID, a, toAttackerIP)
}

func (q sqliteQueries) lockAttackers(ctx context.Context, a asked) ([]Attacker, error) {
	return list(ctx, q.LockAttackers, a, toAttacker)
}

func (q sqliteQueries) lockAttackerNaming(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.LockAttackerNaming, a, toID)
}

func (q sqliteQueries) releaseAttackers(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.ReleaseAttackers, a)
}

func (q sqliteQueries) deleteAttackers(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.DeleteAttackers, a)
}

func (q sqliteQueries) lockUnmergedOf(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.LockUnmergedOf, a, toID)
}

func (q sqliteQueries) deleteIdentities(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.DeleteIdentities, a)
}

func (q sqliteQueries) upsertCampaign(ctx context.Context, c Campaign) error {
	return q.UpsertCampaign(ctx, sqlitegen.UpsertCampaignParams{UUID: c.UUID[:], Name: nullText(c.Name)})
}

func (q sqliteQueries) upsertIdentity(ctx context.Context, i Identity) error {
	return q.UpsertIdentity(ctx, sqlitegen.UpsertIdentityParams{UUID: i.UUID[:], CampaignUUID: nullID(i.CampaignUUID)})
}

func (q sqliteQueries) upsertAttacker(ctx context.Context, a Attacker) error {
	return q.UpsertAttacker(ctx, sqlitegen.UpsertAttackerParams{UUID: a.UUID[:], IP: nullIP(a.IP), IdentityUUID: nullID(a.IdentityUUID)})
}

func (q sqliteQueries) lockMerges(ctx context.Context, kind string) error {
	return q.LockMerges(ctx, sqlitegen.LockMergesParams{Kind: kind})
}

func (q sqliteQueries) lockCampaign(ctx context.Context, id uuid.UUID) (Campaign, error) {
	row, err := q.LockCampaign(ctx, sqlitegen.LockCampaignParams{UUID: id[:]})
	return one(row, err, toCampaign)
}

func (q sqliteQueries) lockIdentity(ctx context.Context, id uuid.UUID) (Identity, error) {
	row, err := q.LockIdentity(ctx, sqlitegen.LockIdentityParams{UUID: id[:]})
	return one(row, err, toIdentity)
}

func (q sqliteQueries) setCampaignMergedInto(ctx context.Context, id, into uuid.UUID) error {
	return q.SetCampaignMergedInto(ctx, sqlitegen.SetCampaignMergedIntoParams{UUID: id[:], MergedIntoUUID: nullID(into)})
}

func (q sqliteQueries) setIdentityMergedInto(ctx context.Context, id, into uuid.UUID) error {
	return q.SetIdentityMergedInto(ctx, sqlitegen.SetIdentityMergedIntoParams{UUID: id[:], MergedIntoUUID: nullID(into)})
}

func (q sqliteQueries) replaceCampaignSurvivor(ctx context.Context, replaced, survivor uuid.UUID) error {
	return q.ReplaceCampaignSurvivor(ctx, sqlitegen.ReplaceCampaignSurvivorParams{ReplacedUUID: replaced[:], SurvivorUUID: survivor[:]})
}

func (q sqliteQueries) replaceIdentitySurvivor(ctx context.Context, replaced, survivor uuid.UUID) error {
	return q.ReplaceIdentitySurvivor(ctx, sqlitegen.ReplaceIdentitySurvivorParams{ReplacedUUID: replaced[:], SurvivorUUID: survivor[:]})
}

func (q sqliteQueries) lockMergedCampaigns(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.LockMergedCampaigns, a, toID)
}

func (q sqliteQueries) lockMergedIdentities(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.LockMergedIdentities, a, toID)
}

func (q sqliteQueries) setCampaignSurvivors(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.SetCampaignSurvivors, a)
}

func (q sqliteQueries) setIdentitySurvivors(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.SetIdentitySurvivors, a)
}
