package ttp

import (
	"context"
	"database/sql"

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
	// sentinel returns the error of this package that a driver's error stands for, or nil.
	sentinel(err error) error
	// writeOptions returns the options of a transaction that writes: what it reads must be committed, and no older
	// than the statement that reads it.
	writeOptions() *sql.TxOptions
	// retryable tells whether a whole transaction that failed so may succeed when run again.
	retryable(err error) bool
	// absent tells that the database is a file that is not there yet.
	absent() bool
	// checkRead is asked after each read, and refuses one that others have disturbed.
	checkRead() error
	// afterWrite is run after each committed write, before the next one. Its failure is no error.
	afterWrite(write *sql.DB)
	// afterReads is run when the store closes and nothing reads any more.
	afterReads(write *sql.DB)
	// optimize advises the planner before a pool closes that was written through. That it could not is no error.
	optimize(db *sql.DB)
	// identify finds out what sharded and enter go by, unless it is known.
	identify(ctx context.Context, db dbtx) error
	// sharded reports whether tags may lie on several servers.
	sharded() bool
	// checkConnection refuses a connection whose settings would make results wrong. It takes no lock.
	checkConnection(ctx context.Context, db dbtx) error
	// enter makes a caller's transaction fit for what the store does in it, until leave is called.
	enter(ctx context.Context, tx dbtx) (leave func(), err error)
	// checkTables runs the engine's own check of its tables.
	checkTables(ctx context.Context, db *sql.DB) ([]damage, error)
	// rebuildIndex builds an index anew from its table and reports whether it did.
	rebuildIndex(ctx context.Context, db dbtx, name string) (bool, error)
	// copyTo writes a copy of the database to an empty file.
	copyTo(ctx context.Context, db *sql.DB, path string) error
	// listColumns is a query for the tables of this module's names, and alembic_version, and their columns.
	listColumns() string
	// migrator returns golang-migrate's driver for the database, and what to call when done. Until then no
	// other process migrates. It uses one connection of the pool at a time.
	migrator(ctx context.Context, db *sql.DB, table string) (database.Driver, func(), error)
}

// dbtx is a *sql.DB or *sql.Tx.
type dbtx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// mapByID makes rows a map.
func mapByID[T any](rows []T, id func(T) uuid.UUID) map[uuid.UUID]T {
	out := make(map[uuid.UUID]T, len(rows))
	for _, row := range rows {
		out[id(row)] = row
	}
	return out
}
