package ttp

import (
	"context"
	"database/sql"

	"github.com/golang-migrate/migrate/v4/database"
	"github.com/google/uuid"
)

// Dialect is the SQL dialect of a database.
type Dialect string

// The supported dialects.
const (
	SQLite Dialect = "sqlite"
	MySQL  Dialect = "mysql" // also for MariaDB and Vitess
)

// engine holds the operations of a dialect other than its queries.
type engine interface {
	dialect() Dialect
	queries(db dbtx) queries
	// sentinel returns this package's error for a driver's error, or nil.
	sentinel(err error) error
	// writeOptions returns the options of a transaction that writes. Each of its statements must read the latest committed
	// rows.
	writeOptions() *sql.TxOptions
	// snapshotOptions returns the options of a transaction that only reads, in one snapshot if the engine has them.
	snapshotOptions() *sql.TxOptions
	// retryable reports whether a transaction that failed with err may succeed when it is run again.
	retryable(err error) bool
	// rolledBack reports whether a transaction is certainly rolled back after this error of COMMIT.
	rolledBack(err error) bool
	// absent reports whether the database is a file that does not exist yet.
	absent() bool
	// checkRead runs after each read and returns an error if concurrent changes may have made it wrong.
	checkRead() error
	// secondGroup reports whether two groups of a group commit are faster at once than one after the other.
	secondGroup() bool
	// afterWrite runs after each committed write, before the next one. Its errors are ignored.
	afterWrite(write *sql.DB)
	// afterReads runs when the store closes, after the last read.
	afterReads(write *sql.DB)
	// optimize updates the planner's statistics before a pool with writes closes. Its errors are ignored.
	optimize(db *sql.DB)
	// identify detects the server's properties that sharded and enter depend on, once.
	identify(ctx context.Context, db dbtx) error
	// sharded reports whether tags may be on several servers.
	sharded() bool
	// checkConnection returns an error for a connection whose settings would make results wrong. It takes no lock.
	checkConnection(ctx context.Context, db dbtx) error
	// enter changes the settings of a caller's transaction that the store cannot work with, until leave is called.
	enter(ctx context.Context, tx dbtx) (leave func(), err error)
	// checkTables runs the engine's own check of its tables.
	checkTables(ctx context.Context, db *sql.DB) ([]damage, error)
	// rebuildIndex rebuilds an index from its table and reports whether it did.
	rebuildIndex(ctx context.Context, db dbtx, name string) (bool, error)
	// copyTo writes a copy of the database to an empty file.
	copyTo(ctx context.Context, db *sql.DB, path string) error
	// listColumns returns a query for the columns of all tables with names of this module, and of alembic_version.
	listColumns() string
	// migrator takes the migration lock and returns golang-migrate's driver for the database and a function that releases
	// the lock. It uses one connection of the pool at a time.
	migrator(ctx context.Context, db *sql.DB, table string) (database.Driver, func(), error)
}

// dbtx is a *sql.DB or *sql.Tx.
type dbtx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// mapByID maps rows by their UUID.
func mapByID[T any](rows []T, id func(T) uuid.UUID) map[uuid.UUID]T {
	out := make(map[uuid.UUID]T, len(rows))
	for _, row := range rows {
		out[id(row)] = row
	}
	return out
}
