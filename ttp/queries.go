package ttp

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

// queries runs the generated queries of one dialect.
type queries struct {
	writer
	db     dbtx
	sqlite *sqlitegen.Queries // nil on MySQL
	mysql  *mysqlgen.Queries  // nil on SQLite
}

// writer is what the dialects write in different ways.
type writer interface {
	// insertTags writes the tags that are not there yet and returns their number.
	insertTags(ctx context.Context, db dbtx, tags []*Tag) (int64, error)
	// addTechniqueCounts wants the groups in the order of their keys.
	addTechniqueCounts(ctx context.Context, db dbtx, groups []group) error
	// markTechniqueStale locks all slots of the key.
	markTechniqueStale(ctx context.Context, db dbtx, key groupKey) error
}

// A query is declared once, by the methods that sqlc generates for it. Its parameters are bound by their
// names from args, by a plan that is made here: a name that args lacks stops the program as it starts.
type (
	manyRows[T any] func(context.Context, queries, asked) ([]T, error)
	oneRow[T any]   func(context.Context, queries, asked) (T, error)
)

func many[SP, SR, MP, MR, T any](
	sqlite func(*sqlitegen.Queries, context.Context, SP) ([]SR, error), fromSQLite func(SR) T,
	mysql func(*mysqlgen.Queries, context.Context, MP) ([]MR, error), fromMySQL func(MR) T,
) manyRows[T] {
	sp, mp := plan[SP](), plan[MP]()
	return func(ctx context.Context, q queries, a asked) ([]T, error) {
		if q.mysql != nil {
			rows, err := mysql(q.mysql, ctx, mp(a))
			return all(rows, err, fromMySQL)
		}
		rows, err := sqlite(q.sqlite, ctx, sp(a))
		return all(rows, err, fromSQLite)
	}
}

func first[SP, SR, MP, MR, T any](
	sqlite func(*sqlitegen.Queries, context.Context, SP) (SR, error), fromSQLite func(SR) T,
	mysql func(*mysqlgen.Queries, context.Context, MP) (MR, error), fromMySQL func(MR) T,
) oneRow[T] {
	sp, mp := plan[SP](), plan[MP]()
	return func(ctx context.Context, q queries, a asked) (T, error) {
		if q.mysql != nil {
			row, err := mysql(q.mysql, ctx, mp(a))
			return one(row, err, fromMySQL)
		}
		row, err := sqlite(q.sqlite, ctx, sp(a))
		return one(row, err, fromSQLite)
	}
}

func byUUID1[SP, SR, MP, MR, T any](
	sqlite func(*sqlitegen.Queries, context.Context, SP) (SR, error), fromSQLite func(SR) T,
	mysql func(*mysqlgen.Queries, context.Context, MP) (MR, error), fromMySQL func(MR) T,
) func(context.Context, queries, uuid.UUID) (T, error) {
	get := first(sqlite, fromSQLite, mysql, fromMySQL)
	return func(ctx context.Context, q queries, id uuid.UUID) (T, error) { return get(ctx, q, asked{UUID: id[:]}) }
}

func every[SR, MR, T any](
	sqlite func(*sqlitegen.Queries, context.Context) ([]SR, error), fromSQLite func(SR) T,
	mysql func(*mysqlgen.Queries, context.Context) ([]MR, error), fromMySQL func(MR) T,
) func(context.Context, queries) ([]T, error) {
	return func(ctx context.Context, q queries) ([]T, error) {
		if q.mysql != nil {
			rows, err := mysql(q.mysql, ctx)
			return all(rows, err, fromMySQL)
		}
		rows, err := sqlite(q.sqlite, ctx)
		return all(rows, err, fromSQLite)
	}
}

// changes also runs a query that returns one number.
func changes[SP, MP any](
	sqlite func(*sqlitegen.Queries, context.Context, SP) (int64, error),
	mysql func(*mysqlgen.Queries, context.Context, MP) (int64, error),
) oneRow[int64] {
	return first(sqlite, self[int64], mysql, self[int64])
}

func statement[SP, MP any](
	sqlite func(*sqlitegen.Queries, context.Context, SP) error,
	mysql func(*mysqlgen.Queries, context.Context, MP) error,
) func(context.Context, queries, asked) error {
	sp, mp := plan[SP](), plan[MP]()
	return func(ctx context.Context, q queries, a asked) error {
		if q.mysql != nil {
			return mysql(q.mysql, ctx, mp(a))
		}
		return sqlite(q.sqlite, ctx, sp(a))
	}
}

// plan binds a query's parameters by their names: the two dialects number them differently, and no query
// has all. MySQL's bare ? are told apart by a suffix, as in Limit_2.
func plan[P any]() func(asked) P {
	params, from := reflect.TypeFor[P](), reflect.TypeFor[asked]()
	fields := make([][]int, params.NumField())
	for i := range fields {
		name, _, _ := strings.Cut(params.Field(i).Name, "_")
		field, ok := from.FieldByName(name)
		if !ok || field.Type != params.Field(i).Type {
			panic(fmt.Sprintf("ttp: %s has %s, which cannot be bound", params, name))
		}
		fields[i] = field.Index
	}
	return func(a asked) P {
		var p P
		values, to := reflect.ValueOf(a), reflect.ValueOf(&p).Elem()
		for i, index := range fields {
			to.Field(i).Set(values.FieldByIndex(index))
		}
		return p
	}
}

var (
	listStoredTagUUIDs           = many((*sqlitegen.Queries).ListStoredTagUUIDs, toID, (*mysqlgen.Queries).ListStoredTagUUIDs, toID)
	lockTagUUIDs                 = many((*sqlitegen.Queries).LockTagUUIDs, toID, (*mysqlgen.Queries).LockTagUUIDs, toID)
	getTag                       = byUUID1((*sqlitegen.Queries).GetTag, toTag, (*mysqlgen.Queries).GetTag, toTag)
	listTagsAfter                = many((*sqlitegen.Queries).ListTagsAfter, toTag, (*mysqlgen.Queries).ListTagsAfter, toTag)
	listTagsInBatch              = many((*sqlitegen.Queries).ListTagsInBatch, toTag, (*mysqlgen.Queries).ListTagsInBatch, toTag)
	lockTags                     = many((*sqlitegen.Queries).LockTags, toLockedTag, (*mysqlgen.Queries).LockTags, toLockedTag)
	deleteTags                   = changes((*sqlitegen.Queries).DeleteTags, (*mysqlgen.Queries).DeleteTags)
	setTagIdentities             = changes((*sqlitegen.Queries).SetTagIdentities, (*mysqlgen.Queries).SetTagIdentities)
	lockTagNaming                = many((*sqlitegen.Queries).LockTagNaming, toID, (*mysqlgen.Queries).LockTagNaming, toID)
	lockTagsToMove               = many((*sqlitegen.Queries).LockTagsToMove, toPosition, (*mysqlgen.Queries).LockTagsToMove, toPosition)
	listTagKeys                  = many((*sqlitegen.Queries).ListTagKeys, toTagKey, (*mysqlgen.Queries).ListTagKeys, toTagKey)
	setTagKey                    = changes((*sqlitegen.Queries).SetTagKey, (*mysqlgen.Queries).SetTagKey)
	buryTags                     = changes((*sqlitegen.Queries).BuryTags, (*mysqlgen.Queries).BuryTags)
	anyTombstone                 = every((*sqlitegen.Queries).AnyTombstone, toID, (*mysqlgen.Queries).AnyTombstone, toID)
	listBuriedTagUUIDs           = many((*sqlitegen.Queries).ListBuriedTagUUIDs, toID, (*mysqlgen.Queries).ListBuriedTagUUIDs, toID)
	lockBuriedTags               = many((*sqlitegen.Queries).LockBuriedTags, toID, (*mysqlgen.Queries).LockBuriedTags, toID)
	listTombstonesAfter          = many((*sqlitegen.Queries).ListTombstonesAfter, toTombstone, (*mysqlgen.Queries).ListTombstonesAfter, toTombstone)
	getTombstone                 = byUUID1((*sqlitegen.Queries).GetTombstone, toTombstone, (*mysqlgen.Queries).GetTombstone, toTombstone)
	lockTombstone                = byUUID1((*sqlitegen.Queries).LockTombstone, toTombstone, (*mysqlgen.Queries).LockTombstone, toTombstone)
	listTagsOfTombstone          = many((*sqlitegen.Queries).ListTagsOfTombstone, toID, (*mysqlgen.Queries).ListTagsOfTombstone, toID)
	deleteBuriedTags             = changes((*sqlitegen.Queries).DeleteBuriedTags, (*mysqlgen.Queries).DeleteBuriedTags)
	takeFromTombstone            = changes((*sqlitegen.Queries).TakeFromTombstone, (*mysqlgen.Queries).TakeFromTombstone)
	deleteEmptyTombstone         = changes((*sqlitegen.Queries).DeleteEmptyTombstone, (*mysqlgen.Queries).DeleteEmptyTombstone)
	listTechniqueCounts          = every((*sqlitegen.Queries).ListTechniqueCounts, toGroup, (*mysqlgen.Queries).ListTechniqueCounts, toGroup)
	listCountedTechniques        = every((*sqlitegen.Queries).ListCountedTechniques, toCountedGroup, (*mysqlgen.Queries).ListCountedTechniques, toCountedGroup)
	listStaleTechniques          = every((*sqlitegen.Queries).ListStaleTechniques, func(key int64) groupKey { return groupKey(key) }, (*mysqlgen.Queries).ListStaleTechniques, func(key int64) groupKey { return groupKey(key) })
	listDistinctTechniques       = many((*sqlitegen.Queries).ListDistinctTechniques, toGroup, (*mysqlgen.Queries).ListDistinctTechniques, toGroup)
	listDistinctTechniquesByTime = many((*sqlitegen.Queries).ListDistinctTechniquesByTime, toGroup, (*mysqlgen.Queries).ListDistinctTechniquesByTime, toGroup)
	listTechniquesByIdentity     = many((*sqlitegen.Queries).ListTechniquesByIdentity, toGroup, (*mysqlgen.Queries).ListTechniquesByIdentity, toGroup)
	listTechniquesByAttacker     = many((*sqlitegen.Queries).ListTechniquesByAttacker, toGroup, (*mysqlgen.Queries).ListTechniquesByAttacker, toGroup)
	listTechniquesByCampaign     = many((*sqlitegen.Queries).ListTechniquesByCampaign, toCampaignGroup, (*mysqlgen.Queries).ListTechniquesByCampaign, toCampaignGroup)
	listTechniquesBySession      = many((*sqlitegen.Queries).ListTechniquesBySession, toGroup, (*mysqlgen.Queries).ListTechniquesBySession, toGroup)
	countDistinct                = many((*sqlitegen.Queries).CountDistinct, toDistinctCount, (*mysqlgen.Queries).CountDistinct, toDistinctCount)
	countScopeDistinct           = many((*sqlitegen.Queries).CountScopeDistinct, toDistinctCount, (*mysqlgen.Queries).CountScopeDistinct, toDistinctCount)
	countByTime                  = many((*sqlitegen.Queries).CountByTime, toBucketCount, (*mysqlgen.Queries).CountByTime, toBucketCount)
	countScopeByTime             = many((*sqlitegen.Queries).CountScopeByTime, toBucketCount, (*mysqlgen.Queries).CountScopeByTime, toBucketCount)
	listTags                     = many((*sqlitegen.Queries).ListTags, toTag, (*mysqlgen.Queries).ListTags, toTag)
	listTagsByAttacker           = many((*sqlitegen.Queries).ListTagsByAttacker, toTag, (*mysqlgen.Queries).ListTagsByAttacker, toTag)
	listTagsBySession            = many((*sqlitegen.Queries).ListTagsBySession, toTag, (*mysqlgen.Queries).ListTagsBySession, toTag)
	listTagsBySessionInOrder     = many((*sqlitegen.Queries).ListTagsBySessionInOrder, toTag, (*mysqlgen.Queries).ListTagsBySessionInOrder, toTag)
	listTagsByIdentities         = many((*sqlitegen.Queries).ListTagsByIdentities, toTag, (*mysqlgen.Queries).ListTagsByIdentities, toTag)
	listPhases                   = many((*sqlitegen.Queries).ListPhases, toPhase, (*mysqlgen.Queries).ListPhases, toPhase)
	topIdentities                = many((*sqlitegen.Queries).TopIdentities, toActor[sqlitegen.TopIdentitiesRow](IdentityScope), (*mysqlgen.Queries).TopIdentities, toActor[mysqlgen.TopIdentitiesRow](IdentityScope))
	topAttackers                 = many((*sqlitegen.Queries).TopAttackers, toActor[sqlitegen.TopAttackersRow](AttackerScope), (*mysqlgen.Queries).TopAttackers, toActor[mysqlgen.TopAttackersRow](AttackerScope))
	topSessions                  = many((*sqlitegen.Queries).TopSessions, toSession, (*mysqlgen.Queries).TopSessions, toSession)
	topCampaigns                 = many((*sqlitegen.Queries).TopCampaigns, toActor[sqlitegen.TopCampaignsRow](CampaignScope), (*mysqlgen.Queries).TopCampaigns, toActor[mysqlgen.TopCampaignsRow](CampaignScope))
	listRules                    = many((*sqlitegen.Queries).ListRules, toRuleStats, (*mysqlgen.Queries).ListRules, toRuleStats)
	listTaggedAttackers          = many((*sqlitegen.Queries).ListTaggedAttackers, toID, (*mysqlgen.Queries).ListTaggedAttackers, toID)
	listTaggedIdentities         = many((*sqlitegen.Queries).ListTaggedIdentities, toID, (*mysqlgen.Queries).ListTaggedIdentities, toID)
	listTechniquesByAttackers    = many((*sqlitegen.Queries).ListTechniquesByAttackers, toScopeGroup, (*mysqlgen.Queries).ListTechniquesByAttackers, toScopeGroup)
	listTechniquesByIdentities   = many((*sqlitegen.Queries).ListTechniquesByIdentities, toScopeGroup, (*mysqlgen.Queries).ListTechniquesByIdentities, toScopeGroup)
	getCampaign                  = byUUID1((*sqlitegen.Queries).GetCampaign, toCampaign, (*mysqlgen.Queries).GetCampaign, toCampaign)
	getIdentity                  = byUUID1((*sqlitegen.Queries).GetIdentity, toIdentity, (*mysqlgen.Queries).GetIdentity, toIdentity)
	getAttacker                  = byUUID1((*sqlitegen.Queries).GetAttacker, toAttacker, (*mysqlgen.Queries).GetAttacker, toAttacker)
	listCampaignsAfter           = many((*sqlitegen.Queries).ListCampaignsAfter, toCampaign, (*mysqlgen.Queries).ListCampaignsAfter, toCampaign)
	listIdentitiesAfter          = many((*sqlitegen.Queries).ListIdentitiesAfter, toIdentity, (*mysqlgen.Queries).ListIdentitiesAfter, toIdentity)
	listAttackersAfter           = many((*sqlitegen.Queries).ListAttackersAfter, toAttacker, (*mysqlgen.Queries).ListAttackersAfter, toAttacker)
	listCampaignsMergedInto      = many((*sqlitegen.Queries).ListCampaignsMergedInto, toCampaign, (*mysqlgen.Queries).ListCampaignsMergedInto, toCampaign)
	listIdentitiesByCampaign     = many((*sqlitegen.Queries).ListIdentitiesByCampaign, toIdentity, (*mysqlgen.Queries).ListIdentitiesByCampaign, toIdentity)
	listIdentitiesMergedInto     = many((*sqlitegen.Queries).ListIdentitiesMergedInto, toIdentity, (*mysqlgen.Queries).ListIdentitiesMergedInto, toIdentity)
	listIdentitiesBySurvivor     = many((*sqlitegen.Queries).ListIdentitiesBySurvivor, toIdentity, (*mysqlgen.Queries).ListIdentitiesBySurvivor, toIdentity)
	listAttackersByIdentity      = many((*sqlitegen.Queries).ListAttackersByIdentity, toAttacker, (*mysqlgen.Queries).ListAttackersByIdentity, toAttacker)
	listCampaignsByUUID          = many((*sqlitegen.Queries).ListCampaignsByUUID, toCampaign, (*mysqlgen.Queries).ListCampaignsByUUID, toCampaign)
	listIdentitiesByUUID         = many((*sqlitegen.Queries).ListIdentitiesByUUID, toIdentity, (*mysqlgen.Queries).ListIdentitiesByUUID, toIdentity)
	listAttackersByUUID          = many((*sqlitegen.Queries).ListAttackersByUUID, toAttacker, (*mysqlgen.Queries).ListAttackersByUUID, toAttacker)
	listAttackerIPs              = many((*sqlitegen.Queries).ListAttackersByUUID, toAttackerIP, (*mysqlgen.Queries).ListAttackersByUUID, toAttackerIP)
	lockAttackers                = many((*sqlitegen.Queries).LockAttackers, toAttacker, (*mysqlgen.Queries).LockAttackers, toAttacker)
	lockAttackerNaming           = many((*sqlitegen.Queries).LockAttackerNaming, toID, (*mysqlgen.Queries).LockAttackerNaming, toID)
	releaseAttackers             = changes((*sqlitegen.Queries).ReleaseAttackers, (*mysqlgen.Queries).ReleaseAttackers)
	deleteAttackers              = changes((*sqlitegen.Queries).DeleteAttackers, (*mysqlgen.Queries).DeleteAttackers)
	lockUnmergedOf               = many((*sqlitegen.Queries).LockUnmergedOf, toID, (*mysqlgen.Queries).LockUnmergedOf, toID)
	deleteIdentities             = changes((*sqlitegen.Queries).DeleteIdentities, (*mysqlgen.Queries).DeleteIdentities)
	lockCampaign                 = byUUID1((*sqlitegen.Queries).LockCampaign, toCampaign, (*mysqlgen.Queries).LockCampaign, toCampaign)
	lockIdentity                 = byUUID1((*sqlitegen.Queries).LockIdentity, toIdentity, (*mysqlgen.Queries).LockIdentity, toIdentity)
	lockMergedCampaigns          = many((*sqlitegen.Queries).LockMergedCampaigns, toID, (*mysqlgen.Queries).LockMergedCampaigns, toID)
	lockMergedIdentities         = many((*sqlitegen.Queries).LockMergedIdentities, toID, (*mysqlgen.Queries).LockMergedIdentities, toID)
	setCampaignSurvivors         = changes((*sqlitegen.Queries).SetCampaignSurvivors, (*mysqlgen.Queries).SetCampaignSurvivors)
	setIdentitySurvivors         = changes((*sqlitegen.Queries).SetIdentitySurvivors, (*mysqlgen.Queries).SetIdentitySurvivors)
	listTagUUIDsInBatch          = many((*sqlitegen.Queries).ListTagUUIDsInBatch, toID, (*mysqlgen.Queries).ListTagUUIDsInBatch, toID)
	addTombstoneTags             = statement((*sqlitegen.Queries).AddTombstone, (*mysqlgen.Queries).AddTombstone)
	countTombstoneTags           = changes((*sqlitegen.Queries).CountTagsOfTombstone, (*mysqlgen.Queries).CountTagsOfTombstone)
	totalOfTechnique             = first((*sqlitegen.Queries).CountTechnique, toTotal, (*mysqlgen.Queries).CountTechnique, toTotal)
	emptyCounts                  = statement((*sqlitegen.Queries).EmptyTechniqueCounts, (*mysqlgen.Queries).EmptyTechniqueCounts)
	setCount                     = statement((*sqlitegen.Queries).SetTechniqueCount, (*mysqlgen.Queries).SetTechniqueCount)
	writeCampaign                = statement((*sqlitegen.Queries).UpsertCampaign, (*mysqlgen.Queries).UpsertCampaign)
	writeIdentity                = statement((*sqlitegen.Queries).UpsertIdentity, (*mysqlgen.Queries).UpsertIdentity)
	writeAttacker                = statement((*sqlitegen.Queries).UpsertAttacker, (*mysqlgen.Queries).UpsertAttacker)
	lockAllMerges                = statement((*sqlitegen.Queries).LockMerges, (*mysqlgen.Queries).LockMerges)
	pointCampaign                = statement((*sqlitegen.Queries).SetCampaignMergedInto, (*mysqlgen.Queries).SetCampaignMergedInto)
	pointIdentity                = statement((*sqlitegen.Queries).SetIdentityMergedInto, (*mysqlgen.Queries).SetIdentityMergedInto)
	replaceCampaign              = statement((*sqlitegen.Queries).ReplaceCampaignSurvivor, (*mysqlgen.Queries).ReplaceCampaignSurvivor)
	replaceIdentity              = statement((*sqlitegen.Queries).ReplaceIdentitySurvivor, (*mysqlgen.Queries).ReplaceIdentitySurvivor)
)

func tagUUIDsInBatch(ctx context.Context, q queries, batch uuid.UUID, tags []*Tag) ([]uuid.UUID, error) {
	return listTagUUIDsInBatch(ctx, q, asked{BatchUUID: batch[:], UUIDs: tagUUIDs(tags)})
}

func addTombstone(ctx context.Context, q queries, t Tombstone) error {
	return addTombstoneTags(ctx, q, asked{UUID: t.UUID[:], Removed: t.Removed, Reason: nullText(t.Reason), CreatedAt: t.CreatedAt.UnixMicro(), Tags: t.Tags})
}

func countTagsOfTombstone(ctx context.Context, q queries, id uuid.UUID) (int64, error) {
	return countTombstoneTags(ctx, q, asked{TombstoneUUID: id[:]})
}

func countTechnique(ctx context.Context, q queries, key groupKey) (group, error) {
	g, err := totalOfTechnique(ctx, q, asked{TechniqueKey: int64(key)})
	g.key = key
	return g, err
}

func emptyTechniqueCounts(ctx context.Context, q queries, key groupKey) error {
	return emptyCounts(ctx, q, asked{TechniqueKey: int64(key)})
}

func setTechniqueCount(ctx context.Context, q queries, g group) error {
	return setCount(ctx, q, asked{TechniqueKey: int64(g.key), Tags: g.tags, FirstSeen: g.firstSeen, LastSeen: g.lastSeen, ConfidenceMax: g.confidenceMax})
}

func upsertCampaign(ctx context.Context, q queries, c Campaign) error {
	return writeCampaign(ctx, q, asked{UUID: c.UUID[:], Name: nullText(c.Name)})
}

func upsertIdentity(ctx context.Context, q queries, i Identity) error {
	return writeIdentity(ctx, q, asked{UUID: i.UUID[:], CampaignUUID: nullID(i.CampaignUUID)})
}

func upsertAttacker(ctx context.Context, q queries, a Attacker) error {
	return writeAttacker(ctx, q, asked{UUID: a.UUID[:], IP: nullIP(a.IP), IdentityUUID: nullID(a.IdentityUUID)})
}

func lockMerges(ctx context.Context, q queries, kind string) error {
	return lockAllMerges(ctx, q, asked{Kind: kind})
}

func setCampaignMergedInto(ctx context.Context, q queries, id, into uuid.UUID) error {
	return pointCampaign(ctx, q, asked{UUID: id[:], MergedIntoUUID: nullID(into)})
}

func setIdentityMergedInto(ctx context.Context, q queries, id, into uuid.UUID) error {
	return pointIdentity(ctx, q, asked{UUID: id[:], MergedIntoUUID: nullID(into)})
}

func replaceCampaignSurvivor(ctx context.Context, q queries, replaced, survivor uuid.UUID) error {
	return replaceCampaign(ctx, q, asked{ReplacedUUID: replaced[:], SurvivorUUID: survivor[:]})
}

func replaceIdentitySurvivor(ctx context.Context, q queries, replaced, survivor uuid.UUID) error {
	return replaceIdentity(ctx, q, asked{ReplacedUUID: replaced[:], SurvivorUUID: survivor[:]})
}
