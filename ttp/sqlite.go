package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/golang-migrate/migrate/v4/database"
	migratesqlite "github.com/golang-migrate/migrate/v4/database/sqlite"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/decnet/ttpstore/db/sqlitegen"
)

const (
	sqliteMemory = ":memory:"
	// sqliteReaders is the number of read-only connections to a file, besides the one that writes.
	sqliteReaders = 4
	// maxLinks is the maximum length of a chain of symbolic links, like in SQLite and Linux.
	maxLinks = 40
)

const (
	sqliteBusyTimeout = "busy_timeout(5000)"
	sqliteForeignKeys = "foreign_keys(1)"
)

// sqlitePragmas holds the settings of connections that this package opens.
var sqlitePragmas = []string{
	sqliteBusyTimeout,     // milliseconds that a statement waits for a lock
	"journal_mode(WAL)",   // readers do not block the writer
	"synchronous(NORMAL)", // with WAL: a power failure may undo the last commits, but none in part
	sqliteForeignKeys,     // SQLite's default is off
	sqliteCheckpoint,
}

// sqliteCheckpoint is the number of pages in the WAL, 16 MB, at which a commit copies them to the file and syncs both. At
// SQLite's default of 1000, small calls on a disk take 1.1 to 1.25 times as long. The WAL's first hash table, through
// which readers find pages, has room for 4062.
const sqliteCheckpoint = "wal_autocheckpoint(4000)"

// Page cache sizes in KiB per connection; the driver uses twice as much memory. SQLite's default is 2 MiB. Writes access
// pages across all indexes, while reads access most pages once.
const (
	sqliteWriteCache = "cache_size(-24576)"
	sqliteReadCache  = "cache_size(-8192)"
)

// credentials matches the user and password of a server's URL.
var credentials = regexp.MustCompile(`(?s):.*@`)

// openSQLite opens a file with one connection for writes and several for reads, or a database in memory. The first write
// creates the file.
func openSQLite(ctx context.Context, path string) (e sqliteEngine, write, read *sql.DB, err error) {
	switch {
	case credentials.MatchString(path):
		return e, nil, nil, errors.New("want sqlite://PATH without a password; for a server, want mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE")
	case path == sqliteMemory:
		e.path = path
	default:
		if path, err = sqlitePath(path); err != nil {
			return e, nil, nil, err
		}
		if e, err = findSQLiteFile(path); err != nil {
			return e, nil, nil, err
		}
	}
	if path == sqliteMemory {
		// Another connection would open another database.
		write, err = sql.Open("sqlite", SQLiteDSN(path))
		if err != nil {
			return e, nil, nil, err
		}
		write.SetMaxOpenConns(1)
		return e, write, write, nil
	}
	file := sqliteFile(e.path)
	if write, err = sql.Open("sqlite", SQLiteDSN(e.path)); err != nil {
		return e, nil, nil, err
	}
	write.SetMaxOpenConns(1) // SQLite has one writer; the others wait in Go, where they respect their contexts
	query := sqliteSettings()
	query.Set("mode", "ro")
	if e.frozen != nil && hasRollbackJournal(ctx, file) {
		e.frozen = nil
	}
	if e.frozen != nil {
		query.Set("immutable", "1")
	}
	query["_pragma"] = []string{sqliteBusyTimeout, sqliteForeignKeys, sqliteReadCache} // the writer sets journal_mode
	if read, err = sql.Open("sqlite", file+query.Encode()); err != nil {
		return e, nil, nil, errors.Join(err, write.Close())
	}
	setPoolSize(read, sqliteReaders)
	if !e.absent() {
		err = e.explain(pingSQLite(ctx, read, file))
	}
	if err != nil {
		return e, nil, nil, errors.Join(err, write.Close(), read.Close())
	}
	return e, write, read, nil
}

// SQLiteDSN returns the data source name with which [Open] writes to a file, or to a database in memory for ":memory:",
// for sql.Open("sqlite", ...) and [New]:
//
//   - foreign_keys(1), journal_mode(WAL), synchronous(NORMAL): readers and the writer do not wait for each other; a
//     power failure may undo the last commits, but none in part
//   - busy_timeout(5000): milliseconds that a statement waits for a lock of another process
//   - wal_autocheckpoint(4000): pages in the WAL, 16 MB, before a commit copies them to the file
//   - cache_size(-24576): KiB of page cache of each connection
//   - _txlock=immediate: a transaction that reads before it writes could not be retried otherwise
//   - _dqs=0: a misspelled column is an error, not a string
//
// A pool of a database in memory must have one connection ([sql.DB.SetMaxOpenConns]). The driver creates a missing file
// with the mode that the umask leaves; [Open] and [Store.Migrate] create it with access for the owner only.
func SQLiteDSN(path string) string {
	if path == sqliteMemory {
		return "file::memory:?" + sqliteSettings().Encode()
	}
	return sqliteFile(path) + sqliteSettings().Encode()
}

func sqliteFile(path string) string { return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" }

func sqliteSettings() url.Values {
	return url.Values{"_pragma": append(slices.Clone(sqlitePragmas), sqliteWriteCache), "_txlock": {"immediate"}, "_dqs": {"0"}}
}

// pingSQLite reads the file. A process that was killed while writing may have left a journal, which a read-only connection
// cannot roll back. pingSQLite does so over a connection that does not switch the file to WAL, since the file may belong
// to another product.
func pingSQLite(ctx context.Context, read *sql.DB, file string) error {
	err := read.PingContext(ctx)
	if e, ok := errors.AsType[*sqlite.Error](err); !ok || e.Code() != sqlite3.SQLITE_READONLY_ROLLBACK {
		return err
	}
	write, err := sql.Open("sqlite", file+"mode=rw&_pragma="+sqliteBusyTimeout)
	if err != nil {
		return err
	}
	_, err = write.ExecContext(ctx, "SELECT 1 FROM sqlite_schema")
	return errors.Join(err, write.Close(), read.PingContext(ctx))
}

type sqliteEngine struct {
	path string // result of sqlitePath, or "" for a caller's pool
	// frozen is set for a file in WAL mode that this process cannot write and no other process had open. Such a file is
	// read without locks, which would need side files, and each read checks that the file is unchanged.
	frozen fs.FileInfo
	// walLimit is the size at which afterWrite truncates the write-ahead log; nil for a caller's pool.
	walLimit *atomic.Int64
}

func (sqliteEngine) dialect() Dialect { return SQLite }

func (e sqliteEngine) queries(db dbtx) queries {
	return queries{writer: e, db: db, sqlite: sqlitegen.New(db)}
}

// sentinel uses the primary result code, the low byte of the extended code: https://sqlite.org/rescode.html.
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

// writeOptions returns nil: SQLite has one writer, which reads the latest rows.
func (sqliteEngine) writeOptions() *sql.TxOptions { return nil }

func (sqliteEngine) snapshotOptions() *sql.TxOptions { return &sql.TxOptions{ReadOnly: true} }

func (e sqliteEngine) retryable(err error) bool { return errors.Is(e.sentinel(err), ErrBusy) }

// rolledBack returns false after an I/O error: the commit record may have reached the disk.
func (sqliteEngine) rolledBack(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff != sqlite3.SQLITE_IOERR
}

func (e sqliteEngine) absent() bool {
	if e.path == "" || e.path == sqliteMemory {
		return false
	}
	_, err := os.Stat(e.path)
	return errors.Is(err, os.ErrNotExist)
}

// optimize runs ANALYZE if necessary: https://sqlite.org/lang_analyze.html. It does not wait for another writer, since
// the next store that closes runs it too.
func (sqliteEngine) optimize(db *sql.DB) {
	_, _ = db.Exec("PRAGMA busy_timeout = 0; PRAGMA optimize")
}

func (sqliteEngine) checkConnection(context.Context, dbtx) error { return nil }

func (sqliteEngine) identify(context.Context, dbtx) error { return nil }

func (sqliteEngine) sharded() bool { return false }

func (sqliteEngine) secondGroup() bool { return false } // there is one writer

func (sqliteEngine) enter(context.Context, dbtx) (func(), error) { return func() {}, nil }

// sqliteMaxCheck is the maximum size in bytes of a file for integrity_check, which compares indexes with tables in more
// than linear time.
const sqliteMaxCheck = 1 << 30

// sqliteWrongIndex matches the messages of integrity_check about an index that can be rebuilt.
var sqliteWrongIndex = regexp.MustCompile(
	`^(?:row \d+ missing from|wrong # of entries in|row \d+ values differ from) index ((?:sqlite_autoindex_)?ttp_\w+)$`)

// checkTables returns at most one damage per index. It ignores violated CHECK constraints, which read-only connections do
// not report: Verify checks every value.
func (sqliteEngine) checkTables(ctx context.Context, db *sql.DB) ([]damage, error) {
	check := "integrity_check"
	var size int64
	if err := db.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&size); err != nil {
		return nil, err
	}
	if size > sqliteMaxCheck {
		check = "quick_check"
	}
	rows, err := db.QueryContext(ctx, "PRAGMA "+check+"(1000)")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var damages []damage
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		if line == "ok" || strings.HasPrefix(line, "CHECK constraint failed in ") {
			continue
		}
		d := damage{Damaged, "", line}
		if index := sqliteWrongIndex.FindStringSubmatch(line); index != nil {
			d.kind, d.index = WrongIndex, index[1]
		}
		if d.index == "" || !slices.ContainsFunc(damages, func(other damage) bool { return other.index == d.index }) {
			damages = append(damages, d)
		}
	}
	return damages, rows.Err()
}

func (sqliteEngine) rebuildIndex(ctx context.Context, db dbtx, name string) (bool, error) {
	_, err := db.ExecContext(ctx, "REINDEX "+name)
	return err == nil, err
}

func (sqliteEngine) copyTo(ctx context.Context, db *sql.DB, path string) error {
	_, err := db.ExecContext(ctx, "VACUUM INTO ?", path)
	return err
}

func (sqliteEngine) listColumns() string {
	return `SELECT t.name, c.name FROM pragma_table_list AS t, pragma_table_info(t.name) AS c
WHERE t.schema = 'main' AND (t.name LIKE 'ttp%' OR t.name = 'alembic_version')`
}

// migrator holds an exclusive lock on a file next to the database, since golang-migrate's lock for SQLite is only valid in
// its own process. The lock ends with the process.
//
// It takes the lock before the first connection, since no two processes may switch a new file to WAL at once.
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
		err := createSQLiteFile(path)
		if err != nil {
			return nil, nil, err
		}
		if unlock, err = lockSQLiteFile(ctx, path+".migrate-lock", path); err != nil {
			return nil, nil, fmt.Errorf("lock %s.migrate-lock: %w", path, err)
		}
	}
	driver, err := migratesqlite.WithInstance(db, &migratesqlite.Config{MigrationsTable: table})
	if err != nil {
		unlock()
		return nil, nil, err
	}
	return driver, unlock, nil // driver.Close would close db
}

// lockSQLiteFile creates and locks a file. If the file modeOf exists, the new one gets its mode.
func lockSQLiteFile(ctx context.Context, path, modeOf string) (unlock func(), err error) {
	query := "?_pragma=busy_timeout(30000)"
	if _, err := os.Stat(modeOf); err == nil {
		query += "&modeof=" + strings.ReplaceAll(url.QueryEscape(modeOf), "+", "%20") // SQLite does not decode + as a space
	}
	lock, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+query)
	if err != nil {
		return nil, err
	}
	lock.SetMaxOpenConns(1)
	// Unlike a sql.Tx, this transaction outlives the context: so does a migration that has begun.
	if _, err := lock.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return func() { _ = lock.Close() }, nil
}
