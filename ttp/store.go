package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// DefaultConfidenceFloor is the default write floor: tags with a lower confidence are not written.
const DefaultConfidenceFloor = 0.3

// Store writes and reads tags and their scopes. It is safe for concurrent use. Create one with [Open] or [New].
//
// If the schema is missing, older, newer, dirty or another product's, every method that reads or writes rows returns
// [ErrSchemaMissing], [ErrSchemaOld], [ErrSchemaNew], [ErrSchemaDirty] or [ErrForeignSchema]. See [Store.Migrate].
type Store struct {
	engine      engine
	write, read *sql.DB // one pool for New and for a database in memory
	tx          *sql.Tx // the caller's transaction, if any
	txQueries   dbtx    // runs queries in tx
	// Prepared statement caches of the pools; nil in a caller's transaction.
	writes, reads *statements
	writerQueue   chan struct{} // held by the current writer; nil if writers run concurrently
	groups        *groupCommit  // nil if calls do not share transactions
	owned         bool          // Close closes the pools
	floor         float64
	catalogues    *catalogues // nil without names
	now           func() time.Time
	retries       retries
	observers     []Observer
	slow          time.Duration // of operations
	checked       *atomic.Bool  // the connection and the schema were checked
	written       *atomic.Bool  // this store has written
	tombstones    *atomic.Bool  // a write found a tombstone; see tagWrite
}

// Option configures a store.
type Option func(*Store) error

// WithConfidenceFloor sets the write floor, from 0 to 1, instead of [DefaultConfidenceFloor]. At 0 every tag is written.
func WithConfidenceFloor(floor float64) Option {
	return func(s *Store) error {
		if !(floor >= 0 && floor <= 1) { // NaN fails too
			return fmt.Errorf("the confidence floor must be a number from 0 to 1, not %v", floor)
		}
		s.floor = floor
		return nil
	}
}

// Open opens the database with the URL:
//
//	sqlite://PATH            a file, created by Migrate with access for the owner only; relative paths start at
//	                         the working directory
//	sqlite://:memory:        a database with one connection that ends with the store
//	mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE?PARAMETERS
//
// The parameters are those of go-sql-driver/mysql; clientFoundRows, multiStatements and allowAllFiles are refused.
// tls=true trusts the system's certificate authorities; tls-ca names a file with the certificate of another authority
// instead, and tls-cert and tls-key those of the client. In values, &, +, % and @ must be escaped as in other URLs.
// Without a deadline, a call waits for a server that does not reply until TCP gives up; readTimeout limits that.
//
// Open returns an error if it cannot connect to the server or read the file, but does not check the schema. No error
// contains the URL, which may hold a password.
//
// A SQLite file without write permission can be read. If no other program has it open, reads return [ErrBusy] once
// another program starts to write; then open the file again.
func Open(ctx context.Context, url string, opts ...Option) (*Store, error) {
	scheme, rest, _ := strings.Cut(url, "://")
	s := &Store{owned: true}
	var err error
	switch Dialect(scheme) {
	case SQLite:
		s.engine, s.write, s.read, err = openSQLite(ctx, rest)
		s.writerQueue = make(chan struct{}, 1)
	case MySQL:
		s.engine = newMySQLEngine(true)
		s.write, s.read, err = openMySQL(ctx, rest)
	default:
		err = errors.New("want a URL that begins with sqlite:// or mysql://")
	}
	if err != nil {
		return nil, fmt.Errorf("ttp: open: %w", withSentinel(contextError(ctx), err))
	}
	if err := s.configure(opts); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// New creates a store on the caller's pool, which the caller closes. Create one store per pool, not one per call: it keeps
// prepared statements until [Store.Close].
//
// Every method needs only one connection. The pool must use the driver that this package registers, "sqlite"
// (modernc.org/sqlite) or "mysql" (github.com/go-sql-driver/mysql): the errors of others would not be recognized, nor
// conflicts retried. Open uses these settings:
//
//   - SQLite: those of [SQLiteDSN], with one connection that writes and four that read. One pool for both, of any
//     number of connections, is as fast; a database in memory has one connection.
//   - MySQL: interpolateParams, loc=UTC, the character set utf8mb4 with the collation utf8mb4_bin,
//     innodb_lock_wait_timeout 5, the sql_mode STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION, the
//     time_zone '+00:00', and 16 connections that write and 16 that read, of at most three minutes, whose transactions
//     are READ COMMITTED. A store of New sets this level for each of its transactions, except on vtgate, and begins each
//     with a statement of its own. With an innodb_lock_wait_timeout of more than 30 seconds, lock waits are not retried.
//     COMMIT and ROLLBACK wait for a server that does not reply, even after the end of the context; readTimeout limits
//     that.
//
// These settings of a MySQL pool would make results wrong and are refused:
//
//   - a character set other than utf8mb4, autocommit=0, and interpolateParams together with the SQL mode
//     NO_BACKSLASH_ESCAPES: by the first call
//   - on vtgate, another isolation level than READ COMMITTED: by the first call
//   - clientFoundRows: by the first call of [Store.InsertTags] or [Store.Import] that inserts a tag
func New(db *sql.DB, dialect Dialect, opts ...Option) (*Store, error) {
	if db == nil {
		return nil, errors.New("ttp: new: want a pool, not nil")
	}
	s := &Store{write: db, read: db}
	switch dialect {
	case SQLite:
		s.engine = sqliteEngine{}
		s.writerQueue = make(chan struct{}, 1)
	case MySQL:
		s.engine = newMySQLEngine(false)
	default:
		return nil, fmt.Errorf("ttp: new: unknown dialect %q: want %q or %q", dialect, SQLite, MySQL)
	}
	if err := s.configure(opts); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Store) configure(opts []Option) error {
	s.floor, s.now = DefaultConfidenceFloor, time.Now
	s.retries, s.slow = retries{maxAttempts, maxRetryTime}, DefaultSlowThreshold
	s.groups = &groupCommit{maxRows: DefaultGroupRows}
	s.writes = newStatements(s.write)
	s.reads = s.writes
	if s.read != s.write {
		s.reads = newStatements(s.read)
	}
	s.checked, s.written, s.tombstones = new(atomic.Bool), new(atomic.Bool), new(atomic.Bool)
	for _, option := range opts {
		if err := option(s); err != nil {
			return fmt.Errorf("ttp: %w", err)
		}
	}
	return nil
}

// WithTx returns a store that runs in the caller's transaction, so that a service can write its event and its tags
// together. Each call is atomic within the transaction. A read of several statements sees one state of the database if
// the transaction's isolation level does so.
//
// The caller commits, rolls back, and retries after [ErrBusy]. It must also roll back if a context ends during a call,
// since the engine may have rolled back the whole transaction.
func (s *Store) WithTx(tx *sql.Tx) *Store {
	inner := *s
	inner.tx, inner.txQueries, inner.writes, inner.reads, inner.owned = tx, tx, nil, nil, false
	return &inner
}

// Dialect returns the SQL dialect of the database.
func (s *Store) Dialect() Dialect { return s.engine.dialect() }

// Ping checks the connection to the database.
func (s *Store) Ping(ctx context.Context) (err error) {
	defer s.begin(ctx, "ping", &err)()
	if err := s.refuseInsideTx(ctx); err != nil {
		return err
	}
	var one int
	return s.reader().QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

// Close closes the database of a store from [Open]. For a store from [New] it closes only prepared statements; the pool
// stays open.
func (s *Store) Close() error {
	s.writes.close()
	s.reads.close()
	if !s.owned {
		return nil
	}
	var errs []error
	if s.read != s.write {
		errs = append(errs, s.read.Close()) // first: SQLite empties the WAL when its last writer closes
		s.engine.afterReads(s.write)
	}
	if s.written.Swap(false) {
		s.engine.optimize(s.write)
	}
	return errors.Join(append(errs, s.write.Close())...)
}

// reader returns the connection of single queries.
func (s *Store) reader() dbtx {
	if s.tx != nil {
		return s.txQueries
	}
	return s.reads
}
