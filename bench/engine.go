package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/go-sql-driver/mysql"
	_ "github.com/mattn/go-sqlite3" // ttp imports modernc.org/sqlite
)

const (
	sqliteEngine = "sqlite"
	mysqlEngine  = "mysql"
)

var engineNames = []string{sqliteEngine, mysqlEngine}

// engine creates databases for its subjects.
type engine struct {
	name     string
	subjects []subject // ttpstore first
	versions []string
	create   func(ctx context.Context) (place, error)
	drop     func(p place) error
	stop     func() error

	logName string                                                 // name of the engine's log
	logSize func(ctx context.Context, p place) (int64, error)      // in bytes
	size    func(ctx context.Context, p place) (int64, error)      // of a database, in bytes
	work    func(ctx context.Context, p place) (serverWork, error) // nil without a server
}

// place is a database: a file, or a database of a server.
type place struct {
	file   string
	server *mysql.Config
}

func newEngine(ctx context.Context, c config, name string) (*engine, error) {
	if name == mysqlEngine {
		return newMySQL(ctx)
	}
	return newSQLite(ctx, c.dir)
}

func newSQLite(ctx context.Context, dir string) (*engine, error) {
	versions, err := sqliteVersions(ctx)
	if err != nil {
		return nil, err
	}
	n := 0
	return &engine{
		name:     sqliteEngine,
		subjects: []subject{ttpstoreSubject(), handwrittenSubject(goSQLite), handwrittenSubject(cSQLite), gormSubject(), bunSubject()},
		versions: versions,
		create: func(context.Context) (place, error) {
			n++
			return place{file: filepath.Join(dir, fmt.Sprintf("bench-%d-%d.db", os.Getpid(), n))}, nil
		},
		drop: func(p place) error {
			var errs []error
			for _, suffix := range []string{"", "-wal", "-shm", ".migrate-lock"} {
				if err := os.Remove(p.file + suffix); !errors.Is(err, os.ErrNotExist) {
					errs = append(errs, err)
				}
			}
			return errors.Join(errs...)
		},
		stop:    func() error { return nil },
		logName: "WAL",
		logSize: func(_ context.Context, p place) (int64, error) { return fileSize(p.file + "-wal") },
		size:    func(_ context.Context, p place) (int64, error) { return fileSize(p.file) },
	}, nil
}

// fileSize returns the size of a file, or 0 if it does not exist.
func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func sqliteVersions(ctx context.Context) ([]string, error) {
	var versions []string
	for _, driver := range []string{goSQLite, cSQLite} {
		db, err := sql.Open(driver, ":memory:")
		if err != nil {
			return nil, err
		}
		var version string
		err = db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version)
		if err = errors.Join(err, db.Close()); err != nil {
			return nil, err
		}
		versions = append(versions, fmt.Sprintf("SQLite %s in %s", version, driverModules[driver]))
	}
	return versions, nil
}

// The names that the drivers register.
const (
	goSQLite = "sqlite"
	cSQLite  = "sqlite3"
)

var driverModules = map[string]string{goSQLite: "modernc.org/sqlite", cSQLite: "github.com/mattn/go-sqlite3"}

// sqliteDSN returns the settings of ttpstore's writer for every SQLite subject, including the page cache, so that the
// comparison does not depend on pragmas.
func sqliteDSN(driver, file string) string {
	query := url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {"NORMAL"}, "_busy_timeout": {"5000"},
		"_foreign_keys": {"1"}, "_cache_size": {"-24576"}, "_txlock": {"immediate"},
	}
	if driver == goSQLite {
		query = url.Values{
			"_pragma": {"journal_mode(WAL)", "synchronous(NORMAL)", "busy_timeout(5000)", "foreign_keys(1)", "cache_size(-24576)"},
			"_txlock": {"immediate"},
		}
	}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + query.Encode()
}

// openSQLite opens one connection. SQLite has one writer, and waiting for a connection of the pool is shorter than sleeping
// in SQLite's busy handler.
func openSQLite(ctx context.Context, driver, file string) (*sql.DB, error) {
	db, err := sql.Open(driver, sqliteDSN(driver, file))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	// mattn/go-sqlite3 has no parameter for this setting of ttpstore's.
	if err := execute(ctx, db, "PRAGMA wal_autocheckpoint = 4000"); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// openMySQL opens a pool that keeps its connections, which the driver's documentation recommends. The flag interpolate
// saves the round trip that prepares a statement.
func openMySQL(server *mysql.Config, interpolate bool) (*sql.DB, error) {
	config := server.Clone()
	config.ParseTime = true // recommended by GORM and bun
	config.InterpolateParams = interpolate
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(mysqlConnections)
	db.SetMaxIdleConns(mysqlConnections)
	return db, nil
}

const mysqlConnections = 32 // like ttpstore's pool

// execute runs statements in order.
func execute(ctx context.Context, db *sql.DB, statements ...string) error {
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}
