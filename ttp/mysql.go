package ttp

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"regexp"
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
	mysqlPrepared    = 1461 // max_prepared_stmt_count is reached
)

// mysqlNoCheck holds the errors of servers without CHECK TABLE and users without the privilege: syntax error, unknown
// error, not supported, denied.
var mysqlNoCheck = []uint16{1064, 1105, 1235, 1142}

const mysqlLockWait = "innodb_lock_wait_timeout"

// mysqlSession holds the session variables of connections that this package opens. Strict mode returns errors instead of
// truncating or clamping values.
var mysqlSession = map[string]string{
	"sql_mode":  "'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION'",
	"time_zone": "'+00:00'",
}

// mysqlParameters matches a DSN with parameters, and groups these. No @ follows the ?, so that the match cannot begin
// inside a password.
var mysqlParameters = regexp.MustCompile(`(?s)^((?:.*@)?(?:tcp|unix)?(?:\([^()]*\))?/[^/?@]*\?)([^@]*)$`)

// escapeParameters escapes each / of the parameters, such as the path of a certificate. The driver would take it for the
// beginning of the database.
func escapeParameters(dsn string) string {
	if m := mysqlParameters.FindStringSubmatch(dsn); m != nil {
		return m[1] + strings.ReplaceAll(m[2], "/", "%2F")
	}
	return dsn
}

// mysqlConfig parses user:password@tcp(host:port)/database?parameters and adds this package's settings. Its errors
// contain no part of the DSN, which holds a password.
func mysqlConfig(dsn string) (*mysql.Config, error) {
	config, err := mysql.ParseDSN(escapeParameters(dsn))
	// The driver's error for another network contains config.Net, which may hold a password.
	if err != nil || config.DBName == "" || (config.Net != "tcp" && config.Net != "unix") {
		return nil, errors.New("want mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE, with the driver's parameters after a ?")
	}
	switch {
	case config.ClientFoundRows:
		return nil, errors.New("the parameter clientFoundRows would count duplicates as inserted: remove it")
	case config.MultiStatements:
		return nil, errors.New("the parameter multiStatements makes SQL injections more dangerous: remove it")
	case config.AllowAllFiles:
		return nil, errors.New("the parameter allowAllFiles lets the server read local files: remove it")
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
	config.Logger = &mysql.NopLogger{} // it would write the returned errors to standard error too
	if config.Params == nil {
		config.Params = map[string]string{}
	}
	maps.Copy(config.Params, mysqlSession)
	if _, given := config.Params[mysqlLockWait]; !given {
		config.Params[mysqlLockWait] = "5" // seconds, like SQLite's busy_timeout; the default of 50 exceeds maxRetryTime
	}
	// The character set of the DSN is overridden: text must be UTF-8.
	return config, config.Apply(mysql.Charset("utf8mb4", "utf8mb4_bin"))
}

type mysqlEngine struct {
	readCommitted bool                         // the connections are READ COMMITTED, so that transactions need not set it
	countsNewRows *atomic.Bool                 // a duplicate was counted as no affected row
	server        *atomic.Pointer[mysqlServer] // nil before identify
}

func newMySQLEngine(readCommitted bool) mysqlEngine {
	return mysqlEngine{readCommitted, new(atomic.Bool), new(atomic.Pointer[mysqlServer])}
}

// mysqlServer holds the properties of a server.
type mysqlServer struct {
	vitess            bool
	snapshotIsolation bool // see enter
}

// identify recognizes vtgate by the suffix -Vitess of its version, which operators can change, or by a prefix of its
// version comment that no other server has.
func (e mysqlEngine) identify(ctx context.Context, db dbtx) error {
	if e.server.Load() != nil {
		return nil
	}
	var version, comment string
	var server mysqlServer
	// Only a MariaDB of the version that made innodb_snapshot_isolation the default executes the comment.
	const properties = "SELECT VERSION(), @@version_comment, 0 /*M!110602 + @@innodb_snapshot_isolation */"
	if err := db.QueryRowContext(ctx, properties).Scan(&version, &comment, &server.snapshotIsolation); err != nil {
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

// writeOptions, like snapshotOptions, sets no isolation level on vtgate, where checkConnection requires READ COMMITTED. vtgate
// would keep the level for the rest of the session, and would first ask a tablet whether it differs from the current one; the
// tablet may return the answer that another session has just received.
func (e mysqlEngine) writeOptions() *sql.TxOptions {
	if e.readCommitted || e.sharded() {
		return nil
	}
	return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
}

func (e mysqlEngine) snapshotOptions() *sql.TxOptions {
	if e.sharded() {
		return &sql.TxOptions{ReadOnly: true}
	}
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
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

// retryable includes lock wait timeouts, after which the server has rolled back only the statement: the caller rolls back
// and repeats the whole transaction.
func (mysqlEngine) retryable(err error) bool {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Number == mysqlDeadlock || e.Number == mysqlLockTimeout || e.Number == mysqlCheckRead
	}
	return false
}

// tooManyPrepared reports whether a MySQL server refused to prepare a statement, which it then did not execute.
func tooManyPrepared(err error) bool {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && e.Number == mysqlPrepared
}

// rolledBack is false for the server's other errors: some come from a proxy that lost its connection, such as vtgate's,
// and some leave the transaction open.
func (e mysqlEngine) rolledBack(err error) bool { return e.retryable(err) }

// checkConnection queries the settings, since it cannot read the DSN of a caller's pool. The server does not report
// clientFoundRows, which insertTags detects.
//
// Under NO_BACKSLASH_ESCAPES, MySQL pushes conditions down into derived tables with backslash-escaped literals, but
// parses them without escapes. Interpolated parameters are literals; the driver prefixes bytes with _binary, which
// CHARSET reveals.
func (e mysqlEngine) checkConnection(ctx context.Context, db dbtx) error {
	if err := e.identify(ctx, db); err != nil {
		return err
	}
	if e.sharded() {
		var isolation string
		err := db.QueryRowContext(ctx, "SELECT @@transaction_isolation").Scan(&isolation)
		if err == nil && isolation != "READ-COMMITTED" {
			err = fmt.Errorf("the connection to vtgate is %s, under which calls on several shards deadlock: "+
				"open it with transaction_isolation='READ-COMMITTED', or set that on the tablets' servers", isolation)
		}
		if err != nil {
			return err
		}
	}
	_, own := db.(txStatements) // a transaction of this package; see implicitBegin
	var charset string
	var autocommit, misparses bool
	err := db.QueryRowContext(ctx, `SELECT @@character_set_client, @@autocommit,
FIND_IN_SET('NO_BACKSLASH_ESCAPES', @@sql_mode) AND CHARSET(?) = 'binary'`, []byte{}).Scan(&charset, &autocommit, &misparses)
	switch {
	case err != nil:
		return err
	case charset != "utf8mb4":
		return fmt.Errorf("the connection has the character set %s, which would corrupt text: open it with charset=utf8mb4", charset)
	case !autocommit && !own:
		return errors.New("the connection has autocommit off, so that reads would be stale: open it without autocommit=0")
	case misparses:
		return errors.New("the server misparses interpolated parameters under NO_BACKSLASH_ESCAPES: " +
			"open the connection without interpolateParams or without this SQL mode")
	}
	return nil
}

// enter disables MariaDB's innodb_snapshot_isolation, under which locking a row that changed since the transaction's
// snapshot rolls back the whole transaction. The store locks rows to read their latest state.
func (e mysqlEngine) enter(ctx context.Context, tx dbtx) (leave func(), err error) {
	if !e.server.Load().snapshotIsolation {
		return func() {}, nil
	}
	_, err = tx.ExecContext(ctx, "SET @ttpstore_isolation = @@innodb_snapshot_isolation, innodb_snapshot_isolation = OFF")
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		_, _ = tx.ExecContext(ctx, "SET innodb_snapshot_isolation = @ttpstore_isolation") // fails only if the connection does
	}, err
}

// secondGroup returns false on shards, where it has not been measured.
func (e mysqlEngine) secondGroup() bool { return !e.sharded() }

func (mysqlEngine) absent() bool { return false }

func (mysqlEngine) checkRead() error { return nil }

func (mysqlEngine) afterWrite(*sql.DB) {}

func (mysqlEngine) afterReads(*sql.DB) {}

func (mysqlEngine) optimize(*sql.DB) {}

// checkTables returns nothing if the server does not support CHECK TABLE or the user lacks the privilege.
func (mysqlEngine) checkTables(ctx context.Context, db *sql.DB) ([]damage, error) {
	rows, err := db.QueryContext(ctx, "CHECK TABLE ttp_campaign, ttp_identity, ttp_attacker, ttp_tag, ttp_tombstone, "+
		"ttp_tombstoned_tag, ttp_technique_count, ttp_attack_release")
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

// rebuildIndex does nothing: MySQL would commit the transaction and rebuild the whole table.
func (mysqlEngine) rebuildIndex(context.Context, dbtx, string) (bool, error) { return false, nil }

func (mysqlEngine) copyTo(context.Context, *sql.DB, string) error {
	return errors.New("back up a server with its own tools, such as mysqldump --single-transaction")
}

func (mysqlEngine) listColumns() string {
	return `SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = DATABASE() AND (table_name LIKE 'ttp%' OR table_name = 'alembic_version')`
}

// mysqlMigrateLock is the name of the migration lock. It contains a hash of the database, since lock names are global to
// the server and have at most 64 characters.
const mysqlMigrateLock = "CONCAT_WS('.', 'ttpstore.migrate', CRC32(DATABASE()))"

func lockMigrations(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, "SET autocommit = 1"); err != nil { // see implicitBegin
		return err
	}
	var locked sql.NullBool
	err := conn.QueryRowContext(ctx, "SELECT GET_LOCK("+mysqlMigrateLock+", 30)").Scan(&locked)
	if err == nil && !locked.Bool {
		err = fmt.Errorf("%w: another process is migrating", ErrBusy)
	}
	return err
}

// migrator takes the lock before the state of the schema is read, and holds it until release is called or the connection
// ends. golang-migrate would lock each of its calls separately.
func (mysqlEngine) migrator(ctx context.Context, db *sql.DB, table string) (database.Driver, func(), error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, nil, err
	}
	// The connection does not return to the pool: autocommit is on, golang-migrate's transactions are SERIALIZABLE, and
	// vtgate keeps the isolation level of a transaction for the session. Raw closes it.
	discard := func() { _ = conn.Raw(func(any) error { return driver.ErrBadConn }) }
	if err := lockMigrations(ctx, conn); err != nil {
		discard()
		return nil, nil, err
	}
	release := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		// vtgate ignores DO RELEASE_LOCK.
		_, _ = conn.ExecContext(ctx, "SELECT RELEASE_LOCK("+mysqlMigrateLock+")")
		discard()
	}
	driver, err := migratemysql.WithConnection(ctx, conn, &migratemysql.Config{MigrationsTable: table, NoLock: true})
	if err != nil {
		release()
		return nil, nil, err
	}
	return driver, release, nil
}
