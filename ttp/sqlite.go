package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/golang-migrate/migrate/v4/database"
	migratesqlite "github.com/golang-migrate/migrate/v4/database/sqlite"
	"github.com/google/uuid"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/decnet/ttpstore/db/sqlitegen"
)

const (
	sqliteMemory = ":memory:"
	// sqliteReaders is how many connections read a file beside the one that writes.
	sqliteReaders = 4
)

// sqlitePragmas holds for every connection that this package opens.
var sqlitePragmas = []string{
	"busy_timeout(5000)",  // milliseconds that a statement waits for another process's lock
	"journal_mode(WAL)",   // readers and the writer do not wait for each other
	"synchronous(NORMAL)", // with WAL: a power cut may undo the last commits, never tear one
	"foreign_keys(1)",     // SQLite's default is off
}

// KiB of page cache a connection, of which the driver makes twice that of memory; SQLite's default is 2 MiB.
// Writes touch pages all over the indexes; most of what readers read, they read once.
const (
	sqliteWriteCache = "cache_size(-24576)"
	sqliteReadCache  = "cache_size(-8192)"
)

// openSQLite opens a file for one writer and several readers, or a database in memory. The file is
// made by the first write.
func openSQLite(ctx context.Context, path string) (write, read *sql.DB, err error) {
	if path == "" || strings.ContainsAny(path, "?#") {
		return nil, nil, errors.New("want sqlite://PATH or sqlite://:memory:, without parameters")
	}
	if path != sqliteMemory {
		path = filepath.Clean(path) // SQLite would read //host in a URI
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return nil, nil, fmt.Errorf("the database's folder: %w", err)
		}
	}
	query := url.Values{"_pragma": append(sqlitePragmas[:4:4], sqliteWriteCache), "_txlock": {"immediate"}, "_dqs": {"0"}}
	if path == sqliteMemory {
		// Each connection would have a database of its own.
		write, err = sql.Open("sqlite", "file::memory:?"+query.Encode())
		if err != nil {
			return nil, nil, err
		}
		write.SetMaxOpenConns(1)
		return write, write, nil
	}
	file := "file:" + (&url.URL{Path: path}).EscapedPath() + "?"
	if write, err = sql.Open("sqlite", file+query.Encode()); err != nil {
		return nil, nil, err
	}
	write.SetMaxOpenConns(1) // SQLite has one writer; others wait in Go, in turn, and honour their contexts
	query.Set("mode", "ro")
	query["_pragma"] = []string{sqlitePragmas[0], sqlitePragmas[3], sqliteReadCache} // the writer sets the journal
	if read, err = sql.Open("sqlite", file+query.Encode()); err != nil {
		return nil, nil, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(sqliteReaders)
	read.SetMaxIdleConns(sqliteReaders)
	if _, err = os.Stat(path); err == nil {
		err = read.PingContext(ctx)
	} else if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return nil, nil, errors.Join(err, write.Close(), read.Close())
	}
	return write, read, nil
}

type sqliteEngine struct {
	path string // of the file that Open was given; "" where only the connection knows
}

func (sqliteEngine) dialect() Dialect { return SQLite }

func (sqliteEngine) queries(db dbtx) queries { return sqliteQueries{sqlitegen.New(db), db} }

// See https://sqlite.org/rescode.html. The driver reports extended codes; the low byte is the primary.
func (sqliteEngine) sentinel(err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch code := e.Code() & 0xff; {
		case code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED:
			return ErrBusy
		case code == sqlite3.SQLITE_ERROR && strings.Contains(e.Error(), "no such table"):
			return ErrSchemaMissing
		}
	}
	return nil
}

func (e sqliteEngine) retryable(err error) bool { return errors.Is(e.sentinel(err), ErrBusy) }

func (e sqliteEngine) absent() bool {
	if e.path == "" || e.path == sqliteMemory {
		return false
	}
	_, err := os.Stat(e.path)
	return errors.Is(err, os.ErrNotExist)
}

// beforeClose lets the planner learn the tables' sizes: https://sqlite.org/lang_analyze.html.
func (sqliteEngine) beforeClose(db *sql.DB) error {
	_, err := db.Exec("PRAGMA optimize")
	return err
}

func (sqliteEngine) checkConnection(context.Context, dbtx) error { return nil }

// migrator holds an exclusive lock on a file beside the database, since golang-migrate's lock for
// SQLite is a flag of its own process. The lock ends with the process, however it ends.
//
// The lock comes before the first connection, which turns a new file to WAL: that must not be done by
// two at once.
func (e sqliteEngine) migrator(ctx context.Context, db *sql.DB, table string) (database.Driver, func(), error) {
	path := e.path
	if path == "" {
		err := db.QueryRowContext(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&path)
		if err != nil {
			return nil, nil, err
		}
	}
	unlock := func() {}
	if path != "" && path != sqliteMemory {
		var err error
		if unlock, err = lockSQLiteFile(ctx, path+".migrate-lock"); err != nil {
			return nil, nil, fmt.Errorf("lock %s.migrate-lock: %w", path, err)
		}
	}
	driver, err := migratesqlite.WithInstance(db, &migratesqlite.Config{MigrationsTable: table})
	if err != nil {
		unlock()
		return nil, nil, err
	}
	return driver, unlock, nil // never driver.Close, which would close db
}

func lockSQLiteFile(ctx context.Context, path string) (unlock func(), err error) {
	lock, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+
		"?_pragma=busy_timeout(30000)&_txlock=exclusive")
	if err != nil {
		return nil, err
	}
	tx, err := lock.BeginTx(ctx, nil)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return func() {
		_ = tx.Rollback()
		_ = lock.Close()
	}, nil
}

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

func (q sqliteQueries) storedTagUUIDs(ctx context.Context, tags []*Tag) ([]uuid.UUID, error) {
	rows, err := q.ListStoredTagUUIDs(ctx, sqlitegen.ListStoredTagUUIDsParams{UUIDs: tagUUIDs(tags)})
	return all(rows, err, toID)
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

func (q sqliteQueries) moveAttackerTags(ctx context.Context, attacker, identity uuid.UUID) error {
	return q.MoveAttackerTags(ctx, sqlitegen.MoveAttackerTagsParams{AttackerUUID: attacker[:], IdentityUUID: identity[:]})
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

func (q sqliteQueries) techniquesByCampaign(ctx context.Context, a asked) ([]group, error) {
	return list(ctx, q.ListTechniquesByCampaign, a, toGroup)
}

func (q sqliteQueries) techniquesBySession(ctx context.Context, a asked) ([]group, error) {
	return list(ctx, q.ListTechniquesBySession, a, toGroup)
}

func (q sqliteQueries) campaignIdentities(ctx context.Context, a asked) ([]identityCount, error) {
	return list(ctx, q.CountCampaignIdentities, a, toIdentityCount)
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

func (q sqliteQueries) campaignsAfter(ctx context.Context, after uuid.UUID, limit int) ([]Campaign, error) {
	rows, err := q.ListCampaignsAfter(ctx, sqlitegen.ListCampaignsAfterParams{After: after[:], Limit: int64(limit)})
	return all(rows, err, toCampaign)
}

func (q sqliteQueries) identitiesAfter(ctx context.Context, after uuid.UUID, limit int) ([]Identity, error) {
	rows, err := q.ListIdentitiesAfter(ctx, sqlitegen.ListIdentitiesAfterParams{After: after[:], Limit: int64(limit)})
	return all(rows, err, toIdentity)
}

func (q sqliteQueries) attackersAfter(ctx context.Context, after uuid.UUID, limit int) ([]Attacker, error) {
	rows, err := q.ListAttackersAfter(ctx, sqlitegen.ListAttackersAfterParams{After: after[:], Limit: int64(limit)})
	return all(rows, err, toAttacker)
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
	return q.SetCampaignMergedInto(ctx, sqlitegen.SetCampaignMergedIntoParams{UUID: id[:], MergedIntoUUID: into[:]})
}

func (q sqliteQueries) setIdentityMergedInto(ctx context.Context, id, into uuid.UUID) error {
	return q.SetIdentityMergedInto(ctx, sqlitegen.SetIdentityMergedIntoParams{UUID: id[:], MergedIntoUUID: into[:]})
}

func (q sqliteQueries) replaceCampaignSurvivor(ctx context.Context, replaced, survivor uuid.UUID) error {
	return q.ReplaceCampaignSurvivor(ctx, sqlitegen.ReplaceCampaignSurvivorParams{ReplacedUUID: replaced[:], SurvivorUUID: survivor[:]})
}

func (q sqliteQueries) replaceIdentitySurvivor(ctx context.Context, replaced, survivor uuid.UUID) error {
	return q.ReplaceIdentitySurvivor(ctx, sqlitegen.ReplaceIdentitySurvivorParams{ReplacedUUID: replaced[:], SurvivorUUID: survivor[:]})
}
