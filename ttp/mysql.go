package ttp

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/golang-migrate/migrate/v4/database"
	migratemysql "github.com/golang-migrate/migrate/v4/database/mysql"

	"github.com/decnet/ttpstore/db/mysqlgen"
)

// Server error numbers: https://dev.mysql.com/doc/mysql-errors/en/server-error-reference.html.
const (
	mysqlCheckRead   = 1020 // MariaDB with innodb_snapshot_isolation: the row changed since the snapshot
	mysqlNoTable     = 1146
	mysqlLockTimeout = 1205
	mysqlDeadlock    = 1213
)

// mysqlNoCheck is what a server answers that does not check tables: a syntax error, an unknown one, a statement
// that is not supported or denied.
var mysqlNoCheck = []uint16{1064, 1105, 1235, 1142}

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
	config.Logger = &mysql.NopLogger{} // what it writes to standard error, the errors say too
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
	db := sql.OpenDB(readCommitted{connector})
	db.SetMaxOpenConns(mysqlConnections)
	db.SetMaxIdleConns(mysqlConnections)
	db.SetConnMaxLifetime(mysqlConnectionLife)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// readCommitted makes connections whose transactions are READ COMMITTED by default, which spares writes the
// round trip that sets it. No variable of a DSN can: MySQL and MariaDB 10.11 have different names for it.
type readCommitted struct{ driver.Connector }

func (c readCommitted) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if execer, ok := conn.(driver.ExecerContext); ok {
		if _, err = execer.ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", nil); err == nil {
			return conn, nil
		}
	}
	return nil, errors.Join(err, conn.Close())
}

type mysqlEngine struct {
	readCommitted bool // the connections are made by readCommitted
}

func (mysqlEngine) dialect() Dialect { return MySQL }

func (e mysqlEngine) queries(db dbtx) queries {
	return queries{writer: e, db: db, mysql: mysqlgen.New(db)}
}

func (e mysqlEngine) writeOptions() *sql.TxOptions {
	if e.readCommitted {
		return nil
	}
	return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
}

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

func (mysqlEngine) checkRead() error { return nil }

func (mysqlEngine) afterWrite(*sql.DB) {}

func (mysqlEngine) afterReads(*sql.DB) {}

func (mysqlEngine) optimize(*sql.DB) {}

// checkTables: a sharded engine does not know CHECK TABLE, and a user may lack the privilege.
func (mysqlEngine) checkTables(ctx context.Context, db *sql.DB) ([]damage, error) {
	rows, err := db.QueryContext(ctx, "CHECK TABLE ttp_campaign, ttp_identity, ttp_attacker, ttp_tag, ttp_tombstone, ttp_tombstoned_tag, ttp_technique_count")
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok && slices.Contains(mysqlNoCheck, e.Number) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var damages []damage
	for rows.Next() {
		var table, operation, kind, text string
		if err := rows.Scan(&table, &operation, &kind, &text); err != nil {
			return nil, err
		}
		if text != "OK" && kind != "note" && kind != "info" {
			damages = append(damages, damage{Damaged, "", table + ": " + text})
		}
	}
	return damages, rows.Err()
}

// rebuildIndex rebuilds none: MySQL would commit the transaction and build the whole table anew.
func (mysqlEngine) rebuildIndex(context.Context, dbtx, string) (bool, error) { return false, nil }

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
