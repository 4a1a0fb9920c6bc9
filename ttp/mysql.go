package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/golang-migrate/migrate/v4/database"
	migratemysql "github.com/golang-migrate/migrate/v4/database/mysql"
	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
)

// Server error numbers: https://dev.mysql.com/doc/mysql-errors/en/server-error-reference.html.
const (
	mysqlCheckRead   = 1020 // MariaDB with innodb_snapshot_isolation: the row changed since the snapshot
	mysqlNoTable     = 1146
	mysqlLockTimeout = 1205
	mysqlDeadlock    = 1213
)

const (
	// mysqlConnections bounds a store's share of the server's max_connections, 151 by default. A
	// service that wants another bound gives its own pool to New.
	mysqlConnections = 32
	// mysqlConnectionLife is below the time after which servers and proxies drop connections.
	mysqlConnectionLife = 3 * time.Minute
)

const mysqlLockWait = "innodb_lock_wait_timeout"

// mysqlSession holds for every connection that this package opens. Strict mode turns what the server
// would truncate or clamp into errors.
var mysqlSession = map[string]string{
	"sql_mode":  "'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION'",
	"time_zone": "'+00:00'",
}

// openMySQL opens a pool on user:password@tcp(host:port)/database?parameters. Its errors repeat nothing
// of the DSN, which holds a password.
func openMySQL(ctx context.Context, dsn string) (*sql.DB, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil || config.DBName == "" || (config.Net != "tcp" && config.Net != "unix") { // else the driver tells Net, which may hold a password
		return nil, errors.New("want mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE, with the driver's parameters behind a ?")
	}
	switch {
	case config.ClientFoundRows:
		return nil, errors.New("the parameter clientFoundRows makes duplicates count as new rows: leave it out")
	case config.MultiStatements:
		return nil, errors.New("the parameter multiStatements widens every injection: leave it out")
	case config.AllowAllFiles:
		return nil, errors.New("the parameter allowAllFiles lets the server read local files: leave it out")
	}
	config.InterpolateParams = true // no round trip to prepare, and no limit of 65535 placeholders
	config.Loc = time.UTC
	if config.Params == nil {
		config.Params = map[string]string{}
	}
	maps.Copy(config.Params, mysqlSession)
	if _, given := config.Params[mysqlLockWait]; !given {
		config.Params[mysqlLockWait] = "5" // seconds, as SQLite's busy_timeout; the default of 50 outlasts all retries
	}
	// What the DSN says of characters is overruled: the server must take and give UTF-8.
	if err := config.Apply(mysql.Charset("utf8mb4", "utf8mb4_bin")); err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(mysqlConnections)
	db.SetMaxIdleConns(mysqlConnections)
	db.SetConnMaxLifetime(mysqlConnectionLife)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

type mysqlEngine struct{}

func (mysqlEngine) dialect() Dialect { return MySQL }

func (mysqlEngine) queries(db dbtx) queries { return mysqlQueries{mysqlgen.New(db), db} }

func (e mysqlEngine) sentinel(err error) error {
	if e.retryable(err) {
		return ErrBusy
	}
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok && e.Number == mysqlNoTable {
		return ErrSchemaMissing
	}
	return nil
}

// retryable: after a lock timeout the server has rolled back only the statement, after a deadlock the
// transaction; the caller rolls back and runs the whole transaction again in either case.
func (mysqlEngine) retryable(err error) bool {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Number == mysqlDeadlock || e.Number == mysqlLockTimeout || e.Number == mysqlCheckRead
	}
	return false
}

// checkConnection refuses clientFoundRows and other character sets in a pool of the caller's, which
// cannot be asked for its DSN. With clientFoundRows, an update that changes nothing affects the row of
// golang-migrate's table.
func (mysqlEngine) checkConnection(ctx context.Context, db dbtx) error {
	result, err := db.ExecContext(ctx, "UPDATE "+migrationsTable+" SET version = version")
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return errors.Join(err, errors.New(
			"the connection counts found rows as affected rows, so that duplicates would count as new: open it without clientFoundRows"))
	}
	var charset string
	if err := db.QueryRowContext(ctx, "SELECT @@character_set_client").Scan(&charset); err != nil {
		return err
	}
	if charset != "utf8mb4" {
		return fmt.Errorf("the connection speaks %s, so that text would be stored as another: open it with charset=utf8mb4", charset)
	}
	return nil
}

func (mysqlEngine) absent() bool { return false }

func (mysqlEngine) beforeClose(*sql.DB) error { return nil }

// migrator uses a connection of its own: GET_LOCK, with which golang-migrate keeps other processes
// out, belongs to the connection.
func (mysqlEngine) migrator(ctx context.Context, db *sql.DB, table string) (database.Driver, func(), error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, nil, err
	}
	driver, err := migratemysql.WithConnection(ctx, conn, &migratemysql.Config{MigrationsTable: table})
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return driver, func() { _ = conn.Close() }, nil
}

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

func (q mysqlQueries) storedTagUUIDs(ctx context.Context, tags []*Tag) ([]uuid.UUID, error) {
	rows, err := q.ListStoredTagUUIDs(ctx, mysqlgen.ListStoredTagUUIDsParams{UUIDs: tagUUIDs(tags)})
	return all(rows, err, toID)
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

func (q mysqlQueries) moveAttackerTags(ctx context.Context, attacker, identity uuid.UUID) error {
	return q.MoveAttackerTags(ctx, mysqlgen.MoveAttackerTagsParams{AttackerUUID: attacker[:], IdentityUUID: identity[:]})
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

func (q mysqlQueries) techniquesByCampaign(ctx context.Context, a asked) ([]group, error) {
	return list(ctx, q.ListTechniquesByCampaign, a, toGroup)
}

func (q mysqlQueries) techniquesBySession(ctx context.Context, a asked) ([]group, error) {
	return list(ctx, q.ListTechniquesBySession, a, toGroup)
}

func (q mysqlQueries) campaignIdentities(ctx context.Context, a asked) ([]identityCount, error) {
	return list(ctx, q.CountCampaignIdentities, a, toIdentityCount)
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

func (q mysqlQueries) campaignsAfter(ctx context.Context, after uuid.UUID, limit int) ([]Campaign, error) {
	rows, err := q.ListCampaignsAfter(ctx, mysqlgen.ListCampaignsAfterParams{After: after[:], Limit: int64(limit)})
	return all(rows, err, toCampaign)
}

func (q mysqlQueries) identitiesAfter(ctx context.Context, after uuid.UUID, limit int) ([]Identity, error) {
	rows, err := q.ListIdentitiesAfter(ctx, mysqlgen.ListIdentitiesAfterParams{After: after[:], Limit: int64(limit)})
	return all(rows, err, toIdentity)
}

func (q mysqlQueries) attackersAfter(ctx context.Context, after uuid.UUID, limit int) ([]Attacker, error) {
	rows, err := q.ListAttackersAfter(ctx, mysqlgen.ListAttackersAfterParams{After: after[:], Limit: int64(limit)})
	return all(rows, err, toAttacker)
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
	return q.SetCampaignMergedInto(ctx, mysqlgen.SetCampaignMergedIntoParams{UUID: id[:], MergedIntoUUID: into[:]})
}

func (q mysqlQueries) setIdentityMergedInto(ctx context.Context, id, into uuid.UUID) error {
	return q.SetIdentityMergedInto(ctx, mysqlgen.SetIdentityMergedIntoParams{UUID: id[:], MergedIntoUUID: into[:]})
}

func (q mysqlQueries) replaceCampaignSurvivor(ctx context.Context, replaced, survivor uuid.UUID) error {
	return q.ReplaceCampaignSurvivor(ctx, mysqlgen.ReplaceCampaignSurvivorParams{ReplacedUUID: replaced[:], SurvivorUUID: survivor[:]})
}

func (q mysqlQueries) replaceIdentitySurvivor(ctx context.Context, replaced, survivor uuid.UUID) error {
	return q.ReplaceIdentitySurvivor(ctx, mysqlgen.ReplaceIdentitySurvivorParams{ReplacedUUID: replaced[:], SurvivorUUID: survivor[:]})
}
