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
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/decnet/ttpstore/db/sqlitegen"
)

const (
	sqliteMemory = ":memory:"
	// sqliteReaders is how many connections read a file beside the one that writes.
	sqliteReaders = 4
	// maxLinks bounds a chain of symbolic links, as SQLite and Linux do.
	maxLinks = 40
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

// sqlitePath returns the path of a database file, or sqliteMemory. A file has one path, by whatever name it
// is opened: absolute and without symbolic links, even where their target is yet to be made. So all
// processes take the same lock to migrate it.
func sqlitePath(name string) (string, error) {
	if name == "" || strings.ContainsAny(name, "?#") {
		return "", errors.New("want sqlite://PATH or sqlite://:memory:, without parameters")
	}
	if name == sqliteMemory {
		return name, nil
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	for range maxLinks {
		folder, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return "", fmt.Errorf("the database's folder: %w", err)
		}
		path = filepath.Join(folder, filepath.Base(path))
		target, err := os.Readlink(path)
		if err != nil {
			return path, nil // no link
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(folder, target)
		}
		path = target
	}
	return "", errors.New("the database's path has too many symbolic links")
}

// openSQLite opens a file for one writer and several readers, or a database in memory. The file is
// made by the first write.
func openSQLite(ctx context.Context, path string) (write, read *sql.DB, err error) {
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
	write.SetMaxOpenConns(1) // SQLite has one writer; others wait in Go and honour their contexts
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
	path string // sqlitePath of what Open was given; "" where only the connection knows
}

func (sqliteEngine) dialect() Dialect { return SQLite }

func (e sqliteEngine) queries(db dbtx) queries {
	return queries{writer: e, db: db, sqlite: sqlitegen.New(db)}
}

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

// writeOptions: the only writer sees the newest state.
func (sqliteEngine) writeOptions() *sql.TxOptions { return nil }

func (e sqliteEngine) retryable(err error) bool { return errors.Is(e.sentinel(err), ErrBusy) }

func (e sqliteEngine) absent() bool {
	if e.path == "" || e.path == sqliteMemory {
		return false
	}
	_, err := os.Stat(e.path)
	return errors.Is(err, os.ErrNotExist)
}

// optimize lets the planner learn the tables' sizes: https://sqlite.org/lang_analyze.html. It does not wait for
// another writer: the next store that closes does the same.
func (sqliteEngine) optimize(db *sql.DB) {
	_, _ = db.Exec("PRAGMA busy_timeout = 0; PRAGMA optimize")
}

func (sqliteEngine) checkConnection(context.Context, dbtx) error { return nil }

func (sqliteEngine) identify(context.Context, dbtx) error { return nil }

func (sqliteEngine) sharded() bool { return false }

func (sqliteEngine) enter(context.Context, dbtx) (func(), error) { return func() {}, nil }

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
