package ttp

import (
	"context"
	"database/sql"
	"time"

	"github.com/golang-migrate/migrate/v4/database"
	"github.com/google/uuid"
)

// Dialect names the SQL that a database speaks.
type Dialect string

// The dialects there are.
const (
	SQLite Dialect = "sqlite"
	MySQL  Dialect = "mysql" // MariaDB too
)

// engine is what the facade asks of a dialect beside its queries.
type engine interface {
	dialect() Dialect
	queries(db dbtx) queries
	// hotWrites are the queries that InsertTags runs each time, to be kept prepared.
	hotWrites() []string
	// sentinel returns the error of this package that a driver's error stands for, or nil.
	sentinel(err error) error
	// retryable tells whether a whole transaction that failed so may succeed when run again.
	retryable(err error) bool
	// absent tells that the database is a file that is not there yet.
	absent() bool
	// beforeClose is run on a database that was written to.
	beforeClose(db *sql.DB) error
	// checkConnection refuses a connection whose settings would make writes or their results wrong.
	checkConnection(ctx context.Context, db dbtx) error
	// migrator returns golang-migrate's driver for the database, and what to call when done. While it
	// is held, no other process migrates.
	migrator(ctx context.Context, db *sql.DB, table string) (database.Driver, func(), error)
}

// dbtx is a *sql.DB or *sql.Tx.
type dbtx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// queries are the generated queries of one dialect, in the facade's words.
type queries interface {
	// insertTags writes the tags that are not there yet and returns their number.
	insertTags(ctx context.Context, tags []*Tag) (int64, error)
	storedTagUUIDs(ctx context.Context, a asked) ([]uuid.UUID, error)
	lockTagUUIDs(ctx context.Context, a asked) ([]uuid.UUID, error)
	tagUUIDsInBatch(ctx context.Context, batch uuid.UUID, tags []*Tag) ([]uuid.UUID, error)
	tag(ctx context.Context, id uuid.UUID) (Tag, error)
	tagsAfter(ctx context.Context, a asked) ([]Tag, error)

	// Writes of a purge, a rollback and the like, by the ids in UUIDs.
	tagsInBatch(ctx context.Context, a asked) ([]Tag, error)
	lockTags(ctx context.Context, a asked) ([]lockedTag, error)
	deleteTags(ctx context.Context, a asked) (int64, error)
	setTagIdentities(ctx context.Context, a asked) (int64, error)
	lockTagNaming(ctx context.Context, a asked) ([]uuid.UUID, error)
	lockTagsToMove(ctx context.Context, a asked) ([]position, error)
	tagKeys(ctx context.Context, a asked) ([]tagKey, error)
	setTagKey(ctx context.Context, a asked) (int64, error)

	addTombstone(ctx context.Context, t Tombstone) error
	buryTags(ctx context.Context, a asked) (int64, error)
	anyTombstone(ctx context.Context) ([]uuid.UUID, error)
	buriedTagUUIDs(ctx context.Context, a asked) ([]uuid.UUID, error)
	lockBuriedTags(ctx context.Context, a asked) ([]uuid.UUID, error)
	tombstonesAfter(ctx context.Context, a asked) ([]Tombstone, error)
	tombstone(ctx context.Context, id uuid.UUID) (Tombstone, error)
	lockTombstone(ctx context.Context, id uuid.UUID) (Tombstone, error)
	tagsOfTombstone(ctx context.Context, a asked) ([]uuid.UUID, error)
	countTagsOfTombstone(ctx context.Context, id uuid.UUID) (int64, error)
	deleteBuriedTags(ctx context.Context, a asked) (int64, error)
	takeFromTombstone(ctx context.Context, a asked) (int64, error)
	deleteEmptyTombstone(ctx context.Context, a asked) (int64, error)

	// addTechniqueCounts wants the groups in the order of their keys.
	addTechniqueCounts(ctx context.Context, groups []group) error
	techniqueCounts(ctx context.Context) ([]group, error)
	countedTechniques(ctx context.Context) ([]countedGroup, error)
	staleTechniques(ctx context.Context) ([]groupKey, error)
	// markTechniqueStale locks all slots of the key.
	markTechniqueStale(ctx context.Context, key groupKey) error
	countTechnique(ctx context.Context, key groupKey) (group, error)
	emptyTechniqueCounts(ctx context.Context, key groupKey) error
	setTechniqueCount(ctx context.Context, g group) error

	techniques(ctx context.Context, a asked) ([]group, error)
	techniquesByTime(ctx context.Context, a asked) ([]group, error)
	techniquesByIdentity(ctx context.Context, a asked) ([]group, error)
	techniquesByAttacker(ctx context.Context, a asked) ([]group, error)
	techniquesByCampaign(ctx context.Context, a asked) ([]campaignGroup, error)
	techniquesBySession(ctx context.Context, a asked) ([]group, error)
	countDistinct(ctx context.Context, a asked) ([]distinctCount, error)
	countScopeDistinct(ctx context.Context, a asked) ([]distinctCount, error)
	countByTime(ctx context.Context, a asked) ([]bucketCount, error)
	countScopeByTime(ctx context.Context, a asked) ([]bucketCount, error)

	// Pages of tags, the newest first but for the one in order.
	tags(ctx context.Context, a asked) ([]Tag, error)
	tagsByAttacker(ctx context.Context, a asked) ([]Tag, error)
	tagsBySession(ctx context.Context, a asked) ([]Tag, error)
	tagsBySessionInOrder(ctx context.Context, a asked) ([]Tag, error)
	// tagsByIdentities are of an identity or a campaign.
	tagsByIdentities(ctx context.Context, a asked) ([]Tag, error)
	phases(ctx context.Context, a asked) ([]Phase, error)

	topIdentities(ctx context.Context, a asked) ([]ScopeCount, error)
	topAttackers(ctx context.Context, a asked) ([]ScopeCount, error)
	topSessions(ctx context.Context, a asked) ([]ScopeCount, error)
	topCampaigns(ctx context.Context, a asked) ([]ScopeCount, error)
	rules(ctx context.Context, a asked) ([]RuleStats, error)

	taggedAttackers(ctx context.Context, a asked) ([]uuid.UUID, error)
	taggedIdentities(ctx context.Context, a asked) ([]uuid.UUID, error)
	techniquesByAttackers(ctx context.Context, a asked) ([]scopeGroup, error)
	techniquesByIdentities(ctx context.Context, a asked) ([]scopeGroup, error)

	campaign(ctx context.Context, id uuid.UUID) (Campaign, error)
	identity(ctx context.Context, id uuid.UUID) (Identity, error)
	attacker(ctx context.Context, id uuid.UUID) (Attacker, error)
	campaignsAfter(ctx context.Context, a asked) ([]Campaign, error)
	identitiesAfter(ctx context.Context, a asked) ([]Identity, error)
	attackersAfter(ctx context.Context, a asked) ([]Attacker, error)
	campaignsMergedInto(ctx context.Context, a asked) ([]Campaign, error)
	identitiesByCampaign(ctx context.Context, a asked) ([]Identity, error)
	identitiesMergedInto(ctx context.Context, a asked) ([]Identity, error)
	identitiesBySurvivor(ctx context.Context, a asked) ([]Identity, error)
	attackersByIdentity(ctx context.Context, a asked) ([]Attacker, error)
	campaignsByUUID(ctx context.Context, a asked) ([]Campaign, error)
	identitiesByUUID(ctx context.Context, a asked) ([]Identity, error)
	attackersByUUID(ctx context.Context, a asked) ([]Attacker, error)
	attackerIPs(ctx context.Context, a asked) ([]attackerIP, error)
	lockAttackers(ctx context.Context, a asked) ([]Attacker, error)
	lockAttackerNaming(ctx context.Context, a asked) ([]uuid.UUID, error)
	releaseAttackers(ctx context.Context, a asked) (int64, error)
	deleteAttackers(ctx context.Context, a asked) (int64, error)
	lockUnmergedOf(ctx context.Context, a asked) ([]uuid.UUID, error)
	deleteIdentities(ctx context.Context, a asked) (int64, error)
	upsertCampaign(ctx context.Context, c Campaign) error
	upsertIdentity(ctx context.Context, i Identity) error
	upsertAttacker(ctx context.Context, a Attacker) error

	lockMerges(ctx context.Context, kind string) error
	lockCampaign(ctx context.Context, id uuid.UUID) (Campaign, error)
	lockIdentity(ctx context.Context, id uuid.UUID) (Identity, error)
	setCampaignMergedInto(ctx context.Context, id, into uuid.UUID) error
	setIdentityMergedInto(ctx context.Context, id, into uuid.UUID) error
	replaceCampaignSurvivor(ctx context.Context, replaced, survivor uuid.UUID) error
	replaceIdentitySurvivor(ctx context.Context, replaced, survivor uuid.UUID) error
	lockMergedCampaigns(ctx context.Context, a asked) ([]uuid.UUID, error)
	lockMergedIdentities(ctx context.Context, a asked) ([]uuid.UUID, error)
	setCampaignSurvivors(ctx context.Context, a asked) (int64, error)
	setIdentitySurvivors(ctx context.Context, a asked) (int64, error)
}

// one maps the row of a generated query.
func one[R, T any](row R, err error, mapRow func(R) T) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	return mapRow(row), nil
}

// all maps the rows of a generated query.
func all[R, T any](rows []R, err error, mapRow func(R) T) ([]T, error) {
	if err != nil {
		return nil, err
	}
	out := make([]T, len(rows))
	for i, row := range rows {
		out[i] = mapRow(row)
	}
	return out, nil
}

// mapByID makes rows a map.
func mapByID[T any](rows []T, id func(T) uuid.UUID) map[uuid.UUID]T {
	out := make(map[uuid.UUID]T, len(rows))
	for _, row := range rows {
		out[id(row)] = row
	}
	return out
}

// The columns' forms of what may be absent, and of times. Both dialects store ids as 16 bytes and
// times as microseconds.

func nullText(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

func nullID(id uuid.UUID) []byte {
	if id == uuid.Nil {
		return nil
	}
	return id[:]
}

func idBytes(ids []uuid.UUID) [][]byte {
	out := make([][]byte, len(ids))
	for i := range ids {
		out[i] = ids[i][:]
	}
	return out
}

func toID(b []byte) uuid.UUID {
	if b == nil {
		return uuid.Nil
	}
	return uuid.UUID(b)
}

func toTime(microseconds int64) time.Time { return time.UnixMicro(microseconds).UTC() }
