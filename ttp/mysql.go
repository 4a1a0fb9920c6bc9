package ttp

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
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
	secure, err := takeTLS(config.Params)
	switch {
	case err != nil:
		return nil, err
	case secure != nil && config.TLSConfig != "" && config.TLSConfig != "true":
		return nil, errors.New("the parameter tls contradicts tls-ca and tls-cert: leave it out")
	case secure != nil:
		config.TLS, config.TLSConfig = secure, ""
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
	readCommitted bool                         // the connections are made by readCommitted
	countsNewRows *atomic.Bool                 // the pool was seen to count a duplicate as no row
	server        *atomic.Pointer[mysqlServer] // nil until it is known
}

func newMySQLEngine(readCommitted bool) mysqlEngine {
	return mysqlEngine{readCommitted, new(atomic.Bool), new(atomic.Pointer[mysqlServer])}
}

// mysqlServer is what a server says of itself.
type mysqlServer struct {
	vitess            bool
	snapshotIsolation bool // see enter
}

// identify recognizes vtgate by its version, which ends in -Vitess unless its operator sets another, or else by
// its comment, which begins as that of no other server.
func (e mysqlEngine) identify(ctx context.Context, db dbtx) error {
	if e.server.Load() != nil {
		return nil
	}
	var version, comment string
	var server mysqlServer
	// Only a MariaDB of the version that made innodb_snapshot_isolation the default reads the comment.
	const question = "SELECT VERSION(), @@version_comment, 0 /*M!110602 + @@innodb_snapshot_isolation */"
	if err := db.QueryRowContext(ctx, question).Scan(&version, &comment, &server.snapshotIsolation); err != nil {
		return err
	}
	server.vitess = strings.HasSuffix(version, "-Vitess") || strings.HasPrefix(comment, "Version: ")
	e.server.Store(&server)
	return nil
}

func (e mysqlEngine) sharded() bool {
	server := e.server.Load()
	return server != nil && server.vitess
}

func (mysqlEngine) dialect() Dialect { return MySQL }

func (e mysqlEngine) queries(db dbtx) queries {
	return queries{writer: e, db: db, sharded: e.sharded(), mysql: mysqlgen.New(db)}
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

// checkConnection asks the server, since a pool of the caller's cannot be asked for its DSN. What the server
// does not tell, clientFoundRows, insertTags finds out.
//
// Under NO_BACKSLASH_ESCAPES, MySQL pushes a condition down into a derived table by writing its literals with
// backslashes as escapes, and reads them without. Parameters are literals where the driver interpolates them,
// bytes then with _binary before them.
func (mysqlEngine) checkConnection(ctx context.Context, db dbtx) error {
	var charset string
	var autocommit, misreads bool
	err := db.QueryRowContext(ctx, `SELECT @@character_set_client, @@autocommit,
FIND_IN_SET('NO_BACKSLASH_ESCAPES', @@sql_mode) AND CHARSET(?) = 'binary'`, []byte{}).Scan(&charset, &autocommit, &misreads)
	switch {
	case err != nil:
		return err
	case charset != "utf8mb4":
		return fmt.Errorf("the connection speaks %s, so that text would be stored as another: open it with charset=utf8mb4", charset)
	case !autocommit:
		return errors.New("the connection has autocommit off, so that reads would see an old state: open it without autocommit=0")
	case misreads:
		return errors.New("the server misreads interpolated parameters under NO_BACKSLASH_ESCAPES: " +
			"open the connection without interpolateParams or without this SQL mode")
	}
	return nil
}

// enter switches MariaDB's innodb_snapshot_isolation off: with it, a row that has changed since a caller's transaction
// began to read gives the whole transaction up, also where the store wants nothing but its newest state.
func (e mysqlEngine) enter(ctx context.Context, tx dbtx) (leave func(), err error) {
	if !e.server.Load().snapshotIsolation {
		return func() {}, nil
	}
	_, err = tx.ExecContext(ctx, "SET @ttpstore_isolation = @@innodb_snapshot_isolation, innodb_snapshot_isolation = OFF")
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		_, _ = tx.ExecContext(ctx, "SET innodb_snapshot_isolation = @ttpstore_isolation") // fails with its connection alone
	}, err
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

func (mysqlEngine) copyTo(context.Context, *sql.DB, string) error {
	return errors.New("a server makes backups by tools of its own, such as mysqldump --single-transaction")
}

func (mysqlEngine) listColumns() string {
	return `SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = DATABASE() AND (table_name LIKE 'ttp%' OR table_name = 'alembic_version')`
}

// mysqlMigrateLock names the lock of a database's migrations, since all databases of a server share one
// space of names, of 64 characters at most.
const mysqlMigrateLock = "CONCAT_WS('.', 'ttpstore.migrate', CRC32(DATABASE()))"

// migrator holds a lock, which ends with its connection at the latest, from before the state of the schema is
// read until the last migration ran. golang-migrate would take one for each of its calls.
func (mysqlEngine) migrator(ctx context.Context, db *sql.DB, table string) (database.Driver, func(), error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, nil, err
	}
	var locked sql.NullBool
	err = conn.QueryRowContext(ctx, "SELECT GET_LOCK("+mysqlMigrateLock+", 30)").Scan(&locked)
	if err == nil && !locked.Bool {
		err = fmt.Errorf("%w: another process migrates", ErrBusy)
	}
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	release := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		// The connection returns to the pool. SELECT, since vtgate answers DO with success and releases nothing.
		_, _ = conn.ExecContext(ctx, "SELECT RELEASE_LOCK("+mysqlMigrateLock+")")
		_ = conn.Close()
	}
	driver, err := migratemysql.WithConnection(ctx, conn, &migratemysql.Config{MigrationsTable: table, NoLock: true})
	if err != nil {
		release()
		return nil, nil, err
	}
	return driver, release, nil
}
