package ttp

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
)

type mysqlQueries struct {
	*mysqlgen.Queries
	db dbtx
}

// insertTags writes all tags with one statement.
func (q mysqlQueries) insertTags(ctx context.Context, tags []*Tag) (int64, error) {
	args := make([]any, 0, len(tags)*insertColumns)
	for _, tag := range tags {
		args = appendInsertArgs(args, tag)
	}
	result, err := q.db.ExecContext(ctx, insertTagRows(len(tags)), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

var fullInsertTag = sync.OnceValue(func() string { return repeatTuple(mysqlgen.InsertTag, insertChunkRows) })

// insertTagRows is InsertTag for n rows.
func insertTagRows(n int) string {
	if n == insertChunkRows {
		return fullInsertTag()
	}
	return repeatTuple(mysqlgen.InsertTag, n)
}

// repeatTuple repeats the VALUES tuple of a generated INSERT, which holds nothing but placeholders.
func repeatTuple(query string, n int) string {
	head, rest, _ := strings.Cut(query, "VALUES (")
	tuple, tail, _ := strings.Cut(rest, ")")
	return head + "VALUES (" + tuple + ")" + strings.Repeat(", ("+tuple+")", n-1) + tail
}

func (q mysqlQueries) storedTagUUIDs(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.ListStoredTagUUIDs, a, toID)
}

func (q mysqlQueries) lockTagUUIDs(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.LockTagUUIDs, a, toID)
}

func (q mysqlQueries) tagUUIDsInBatch(ctx context.Context, batch uuid.UUID, tags []*Tag) ([]uuid.UUID, error) {
	rows, err := q.ListTagUUIDsInBatch(ctx, mysqlgen.ListTagUUIDsInBatchParams{BatchUUID: batch[:], UUIDs: tagUUIDs(tags)})
	return all(rows, err, toID)
}

func (q mysqlQueries) tag(ctx context.Context, id uuid.UUID) (Tag, error) {
	row, err := q.GetTag(ctx, mysqlgen.GetTagParams{UUID: id[:]})
	return one(row, err, toTag)
}

func (q mysqlQueries) tagsAfter(ctx context.Context, a asked) ([]Tag, error) {
	return list(ctx, q.ListTagsAfter, a, toTag)
}

func (q mysqlQueries) tagsInBatch(ctx context.Context, a asked) ([]Tag, error) {
	return list(ctx, q.ListTagsInBatch, a, toTag)
}

func (q mysqlQueries) lockTags(ctx context.Context, a asked) ([]lockedTag, error) {
	return list(ctx, q.LockTags, a, toLockedTag)
}

func (q mysqlQueries) deleteTags(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.DeleteTags, a)
}

func (q mysqlQueries) setTagIdentities(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.SetTagIdentities, a)
}

func (q mysqlQueries) lockTagNaming(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.LockTagNaming, a, toID)
}

func (q mysqlQueries) lockTagsToMove(ctx context.Context, a asked) ([]position, error) {
	return list(ctx, q.LockTagsToMove, a, toPosition)
}

func (q mysqlQueries) tagKeys(ctx context.Context, a asked) ([]tagKey, error) {
	return list(ctx, q.ListTagKeys, a, toTagKey)
}

func (q mysqlQueries) setTagKey(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.SetTagKey, a)
}

func (q mysqlQueries) addTombstone(ctx context.Context, t Tombstone) error {
	return q.AddTombstone(ctx, mysqlgen.AddTombstoneParams{
		UUID: t.UUID[:], Removed: t.Removed, Reason: nullText(t.Reason), CreatedAt: t.CreatedAt.UnixMicro(), Tags: t.Tags,
	})
}

func (q mysqlQueries) buryTags(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.BuryTags, a)
}

func (q mysqlQueries) anyTombstone(ctx context.Context) ([]uuid.UUID, error) {
	rows, err := q.AnyTombstone(ctx)
	return all(rows, err, toID)
}

func (q mysqlQueries) buriedTagUUIDs(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.ListBuriedTagUUIDs, a, toID)
}

func (q mysqlQueries) lockBuriedTags(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.LockBuriedTags, a, toID)
}

func (q mysqlQueries) tombstonesAfter(ctx context.Context, a asked) ([]Tombstone, error) {
	return list(ctx, q.ListTombstonesAfter, a, toTombstone)
}

func (q mysqlQueries) tombstone(ctx context.Context, id uuid.UUID) (Tombstone, error) {
	row, err := q.GetTombstone(ctx, mysqlgen.GetTombstoneParams{UUID: id[:]})
	return one(row, err, toTombstone)
}

func (q mysqlQueries) lockTombstone(ctx context.Context, id uuid.UUID) (Tombstone, error) {
	row, err := q.LockTombstone(ctx, mysqlgen.LockTombstoneParams{UUID: id[:]})
	return one(row, err, toTombstone)
}

func (q mysqlQueries) tagsOfTombstone(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.ListTagsOfTombstone, a, toID)
}

func (q mysqlQueries) countTagsOfTombstone(ctx context.Context, id uuid.UUID) (int64, error) {
	return q.CountTagsOfTombstone(ctx, mysqlgen.CountTagsOfTombstoneParams{TombstoneUUID: id[:]})
}

func (q mysqlQueries) deleteBuriedTags(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.DeleteBuriedTags, a)
}

func (q mysqlQueries) takeFromTombstone(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.TakeFromTombstone, a)
}

func (q mysqlQueries) deleteEmptyTombstone(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.DeleteEmptyTombstone, a)
}

// countSlots is how many transactions may write one technique's tags at a time, if they draw well. One that
// waits for another longer than the server lets it runs again, by another slot.
const countSlots = 16

func (q mysqlQueries) addTechniqueCounts(ctx context.Context, groups []group) error {
	slot := rand.IntN(countSlots)
	for chunk := range slices.Chunk(groups, insertChunkRows) {
		var args []any
		for _, g := range chunk {
			args = appendCountArgs(args, g, slot)
		}
		if _, err := q.db.ExecContext(ctx, repeatTuple(mysqlgen.AddTechniqueCount, len(chunk)), args...); err != nil {
			return err
		}
	}
	return nil
}

func (q mysqlQueries) techniqueCounts(ctx context.Context) ([]group, error) {
	rows, err := q.ListTechniqueCounts(ctx)
	return all(rows, err, toGroup)
}

func (q mysqlQueries) countedTechniques(ctx context.Context) ([]countedGroup, error) {
	rows, err := q.ListCountedTechniques(ctx)
	return all(rows, err, toCountedGroup)
}

func (q mysqlQueries) staleTechniques(ctx context.Context) ([]groupKey, error) {
	rows, err := q.ListStaleTechniques(ctx)
	return all(rows, err, func(key int64) groupKey { return groupKey(key) })
}

func (q mysqlQueries) markTechniqueStale(ctx context.Context, key groupKey) error {
	var args []any
	for slot := range countSlots {
		args = append(args, int64(key), slot)
	}
	_, err := q.db.ExecContext(ctx, repeatTuple(mysqlgen.MarkTechniqueStale, countSlots), args...)
	return err
}

func (q mysqlQueries) countTechnique(ctx context.Context, key groupKey) (group, error) {
	row, err := q.CountTechnique(ctx, mysqlgen.CountTechniqueParams{TechniqueKey: int64(key)})
	g, err := one(row, err, toTotal)
	g.key = key
	return g, err
}

func (q mysqlQueries) emptyTechniqueCounts(ctx context.Context, key groupKey) error {
	return q.EmptyTechniqueCounts(ctx, mysqlgen.EmptyTechniqueCountsParams{TechniqueKey: int64(key)})
}

func (q mysqlQueries) setTechniqueCount(ctx context.Context, g group) error {
	return q.SetTechniqueCount(ctx, mysqlgen.SetTechniqueCountParams{
		TechniqueKey: int64(g.key), Tags: g.tags, FirstSeen: g.firstSeen, LastSeen: g.lastSeen, ConfidenceMax: g.confidenceMax,
	})
}

func (q mysqlQueries) techniques(ctx context.Context, a asked) ([]group, error) {
	return list(ctx, q.ListDistinctTechniques, a, toGroup)
}

func (q mysqlQueries) techniquesByTime(ctx context.Context, a asked) ([]group, error) {
	return list(ctx, q.ListDistinctTechniquesByTime, a, toGroup)
}

func (q mysqlQueries) techniquesByIdentity(ctx context.Context, a asked) ([]group, error) {
	return list(ctx, q.ListTechniquesByIdentity, a, toGroup)
}

func (q mysqlQueries) techniquesByAttacker(ctx context.Context, a asked) ([]group, error) {
	return list(ctx, q.ListTechniquesByAttacker, a, toGroup)
}

func (q mysqlQueries) techniquesByCampaign(ctx context.Context, a asked) ([]campaignGroup, error) {
	return list(ctx, q.ListTechniquesByCampaign, a, toCampaignGroup)
}

func (q mysqlQueries) techniquesBySession(ctx context.Context, a asked) ([]group, error) {
	return list(ctx, q.ListTechniquesBySession, a, toGroup)
}

func (q mysqlQueries) countDistinct(ctx context.Context, a asked) ([]distinctCount, error) {
	return list(ctx, q.CountDistinct, a, toDistinctCount)
}

func (q mysqlQueries) countScopeDistinct(ctx context.Context, a asked) ([]distinctCount, error) {
	return list(ctx, q.CountScopeDistinct, a, toDistinctCount)
}

func (q mysqlQueries) countByTime(ctx context.Context, a asked) ([]bucketCount, error) {
	return list(ctx, q.CountByTime, a, toBucketCount)
}

func (q mysqlQueries) countScopeByTime(ctx context.Context, a asked) ([]bucketCount, error) {
	return list(ctx, q.CountScopeByTime, a, toBucketCount)
}

func (q mysqlQueries) tags(ctx context.Context, a asked) ([]Tag, error) {
	return list(ctx, q.ListTags, a, toTag)
}

func (q mysqlQueries) tagsByAttacker(ctx context.Context, a asked) ([]Tag, error) {
	return list(ctx, q.ListTagsByAttacker, a, toTag)
}

func (q mysqlQueries) tagsBySession(ctx context.Context, a asked) ([]Tag, error) {
	return list(ctx, q.ListTagsBySession, a, toTag)
}

func (q mysqlQueries) tagsBySessionInOrder(ctx context.Context, a asked) ([]Tag, error) {
	return list(ctx, q.ListTagsBySessionInOrder, a, toTag)
}

func (q mysqlQueries) tagsByIdentities(ctx context.Context, a asked) ([]Tag, error) {
	return list(ctx, q.ListTagsByIdentities, a, toTag)
}

func (q mysqlQueries) phases(ctx context.Context, a asked) ([]Phase, error) {
	return list(ctx, q.ListPhases, a, toPhase)
}

func (q mysqlQueries) topIdentities(ctx context.Context, a asked) ([]ScopeCount, error) {
	return list(ctx, q.TopIdentities, a, toActor[mysqlgen.TopIdentitiesRow](IdentityScope))
}

func (q mysqlQueries) topAttackers(ctx context.Context, a asked) ([]ScopeCount, error) {
	return list(ctx, q.TopAttackers, a, toActor[mysqlgen.TopAttackersRow](AttackerScope))
}

func (q mysqlQueries) topSessions(ctx context.Context, a asked) ([]ScopeCount, error) {
	return list(ctx, q.TopSessions, a, toSession)
}

func (q mysqlQueries) topCampaigns(ctx context.Context, a asked) ([]ScopeCount, error) {
	return list(ctx, q.TopCampaigns, a, toActor[mysqlgen.TopCampaignsRow](CampaignScope))
}

func (q mysqlQueries) rules(ctx context.Context, a asked) ([]RuleStats, error) {
	return list(ctx, q.ListRules, a, toRuleStats)
}

func (q mysqlQueries) taggedAttackers(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.ListTaggedAttackers, a, toID)
}

func (q mysqlQueries) taggedIdentities(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.ListTaggedIdentities, a, toID)
}

func (q mysqlQueries) techniquesByAttackers(ctx context.Context, a asked) ([]scopeGroup, error) {
	return list(ctx, q.ListTechniquesByAttackers, a, toScopeGroup)
}

func (q mysqlQueries) techniquesByIdentities(ctx context.Context, a asked) ([]scopeGroup, error) {
	return list(ctx, q.ListTechniquesByIdentities, a, toScopeGroup)
}

func (q mysqlQueries) campaign(ctx context.Context, id uuid.UUID) (Campaign, error) {
	row, err := q.GetCampaign(ctx, mysqlgen.GetCampaignParams{UUID: id[:]})
	return one(row, err, toCampaign)
}

func (q mysqlQueries) identity(ctx context.Context, id uuid.UUID) (Identity, error) {
	row, err := q.GetIdentity(ctx, mysqlgen.GetIdentityParams{UUID: id[:]})
	return one(row, err, toIdentity)
}

func (q mysqlQueries) attacker(ctx context.Context, id uuid.UUID) (Attacker, error) {
	row, err := q.GetAttacker(ctx, mysqlgen.GetAttackerParams{UUID: id[:]})
	return one(row, err, toAttacker)
}

func (q mysqlQueries) campaignsAfter(ctx context.Context, a asked) ([]Campaign, error) {
	return list(ctx, q.ListCampaignsAfter, a, toCampaign)
}

func (q mysqlQueries) identitiesAfter(ctx context.Context, a asked) ([]Identity, error) {
	return list(ctx, q.ListIdentitiesAfter, a, toIdentity)
}

func (q mysqlQueries) attackersAfter(ctx context.Context, a asked) ([]Attacker, error) {
	return list(ctx, q.ListAttackersAfter, a, toAttacker)
}

func (q mysqlQueries) campaignsMergedInto(ctx context.Context, a asked) ([]Campaign, error) {
	return list(ctx, q.ListCampaignsMergedInto, a, toCampaign)
}

func (q mysqlQueries) identitiesByCampaign(ctx context.Context, a asked) ([]Identity, error) {
	return list(ctx, q.ListIdentitiesByCampaign, a, toIdentity)
}

func (q mysqlQueries) identitiesMergedInto(ctx context.Context, a asked) ([]Identity, error) {
	return list(ctx, q.ListIdentitiesMergedInto, a, toIdentity)
}

func (q mysqlQueries) identitiesBySurvivor(ctx context.Context, a asked) ([]Identity, error) {
	return list(ctx, q.ListIdentitiesBySurvivor, a, toIdentity)
}

func (q mysqlQueries) attackersByIdentity(ctx context.Context, a asked) ([]Attacker, error) {
	return list(ctx, q.ListAttackersByIdentity, a, toAttacker)
}

func (q mysqlQueries) campaignsByUUID(ctx context.Context, a asked) ([]Campaign, error) {
	return list(ctx, q.ListCampaignsByUUID, a, toCampaign)
}

func (q mysqlQueries) identitiesByUUID(ctx context.Context, a asked) ([]Identity, error) {
	return list(ctx, q.ListIdentitiesByUUID, a, toIdentity)
}

func (q mysqlQueries) attackersByUUID(ctx context.Context, a asked) ([]Attacker, error) {
	return list(ctx, q.ListAttackersByUUID, a, toAttacker)
}

func (q mysqlQueries) attackerIPs(ctx context.Context, a asked) ([]attackerIP, error) {
	return list(ctx, q.ListAttackersByUUID, a, toAttackerIP)
}

func (q mysqlQueries) lockAttackers(ctx context.Context, a asked) ([]Attacker, error) {
	return list(ctx, q.LockAttackers, a, toAttacker)
}

func (q mysqlQueries) lockAttackerNaming(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.LockAttackerNaming, a, toID)
}

func (q mysqlQueries) releaseAttackers(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.ReleaseAttackers, a)
}

func (q mysqlQueries) deleteAttackers(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.DeleteAttackers, a)
}

func (q mysqlQueries) lockUnmergedOf(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.LockUnmergedOf, a, toID)
}

func (q mysqlQueries) deleteIdentities(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.DeleteIdentities, a)
}

func (q mysqlQueries) upsertCampaign(ctx context.Context, c Campaign) error {
	return q.UpsertCampaign(ctx, mysqlgen.UpsertCampaignParams{UUID: c.UUID[:], Name: nullText(c.Name)})
}

func (q mysqlQueries) upsertIdentity(ctx context.Context, i Identity) error {
	return q.UpsertIdentity(ctx, mysqlgen.UpsertIdentityParams{UUID: i.UUID[:], CampaignUUID: nullID(i.CampaignUUID)})
}

func (q mysqlQueries) upsertAttacker(ctx context.Context, a Attacker) error {
	return q.UpsertAttacker(ctx, mysqlgen.UpsertAttackerParams{UUID: a.UUID[:], IP: nullIP(a.IP), IdentityUUID: nullID(a.IdentityUUID)})
}

func (q mysqlQueries) lockMerges(ctx context.Context, kind string) error {
	return q.LockMerges(ctx, mysqlgen.LockMergesParams{Kind: kind})
}

func (q mysqlQueries) lockCampaign(ctx context.Context, id uuid.UUID) (Campaign, error) {
	row, err := q.LockCampaign(ctx, mysqlgen.LockCampaignParams{UUID: id[:]})
	return one(row, err, toCampaign)
}

func (q mysqlQueries) lockIdentity(ctx context.Context, id uuid.UUID) (Identity, error) {
	row, err := q.LockIdentity(ctx, mysqlgen.LockIdentityParams{UUID: id[:]})
	return one(row, err, toIdentity)
}

func (q mysqlQueries) setCampaignMergedInto(ctx context.Context, id, into uuid.UUID) error {
	return q.SetCampaignMergedInto(ctx, mysqlgen.SetCampaignMergedIntoParams{UUID: id[:], MergedIntoUUID: nullID(into)})
}

func (q mysqlQueries) setIdentityMergedInto(ctx context.Context, id, into uuid.UUID) error {
	return q.SetIdentityMergedInto(ctx, mysqlgen.SetIdentityMergedIntoParams{UUID: id[:], MergedIntoUUID: nullID(into)})
}

func (q mysqlQueries) replaceCampaignSurvivor(ctx context.Context, replaced, survivor uuid.UUID) error {
	return q.ReplaceCampaignSurvivor(ctx, mysqlgen.ReplaceCampaignSurvivorParams{ReplacedUUID: replaced[:], SurvivorUUID: survivor[:]})
}

func (q mysqlQueries) replaceIdentitySurvivor(ctx context.Context, replaced, survivor uuid.UUID) error {
	return q.ReplaceIdentitySurvivor(ctx, mysqlgen.ReplaceIdentitySurvivorParams{ReplacedUUID: replaced[:], SurvivorUUID: survivor[:]})
}

func (q mysqlQueries) lockMergedCampaigns(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.LockMergedCampaigns, a, toID)
}

func (q mysqlQueries) lockMergedIdentities(ctx context.Context, a asked) ([]uuid.UUID, error) {
	return list(ctx, q.LockMergedIdentities, a, toID)
}

func (q mysqlQueries) setCampaignSurvivors(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.SetCampaignSurvivors, a)
}

func (q mysqlQueries) setIdentitySurvivors(ctx context.Context, a asked) (int64, error) {
	return change(ctx, q.SetIdentitySurvivors, a)
}
