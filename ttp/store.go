package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/decnet/ttpstore/attack"
)

// DefaultConfidenceFloor is the confidence below which tags are not written.
const DefaultConfidenceFloor = 0.3

// Store writes and reads tags and their scopes. It is safe for concurrent use; make one with [Open] or
// [New]. Every call refuses a database whose schema is missing, older, newer, dirty or another product's with
// [ErrSchemaMissing], [ErrSchemaOld], [ErrSchemaNew], [ErrSchemaDirty] or [ErrForeignSchema]; see
// [Store.Migrate].
type Store struct {
	engine      engine
	write, read *sql.DB // the same one but for a SQLite file
	tx          *sql.Tx // the caller's, if any
	txQueries   dbtx    // runs queries in tx
	// What is kept prepared, nil where that gains nothing; the same where the pool is.
	writes, reads *statements
	writerQueue   chan struct{} // held by the current writer; nil if writers run concurrently
	groups        *groupCommit  // nil where no calls share a transaction
	owned         bool          // Close closes the pools
	floor         float64
	catalogue     *attack.Catalogue // nil without names
	now           func() time.Time
	retries       retries
	observers     []Observer
	slow          time.Duration // of operations
	checked       *atomic.Bool  // the connection and the schema were found right
	written       *atomic.Bool  // something was written through this store
}

// Option changes a store's settings.
type Option func(*Store) error

// WithConfidenceFloor sets the confidence, from 0 to 1, below which tags are not written, in place of
// [DefaultConfidenceFloor]. At 0 every tag is written.
func WithConfidenceFloor(floor float64) Option {
	return func(s *Store) error {
		if !(floor >= 0 && floor <= 1) { // so that NaN fails
			return fmt.Errorf("the confidence floor must be a number from 0 to 1, not %v", floor)
		}
		s.floor = floor
		return nil
	}
}

// Open opens the database that the URL names:
//
//	sqlite://PATH            a file, made by Migrate where it is missing, for its owner alone; a relative path
//	                         starts at the working folder
//	sqlite://:memory:        a database of one connection that ends with the store
//	mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE?PARAMETERS
//
// The parameters are those of go-sql-driver/mysql; clientFoundRows, multiStatements and allowAllFiles
// are refused. tls-ca names a file with the certificate of the authority that the server's must be signed by, and
// tls-cert and tls-key those of the client; tls=true does with the system's authorities. Open says so when the server or file does not answer; a schema that is missing is told
// by the first call. No error repeats the URL, which may hold a password.
//
// A SQLite file that this process may not write is read. Where no other program has it open, its reads end with
// [ErrBusy] once one begins to write; a store that is opened then reads beside the writer.
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
		s.write, err = openMySQL(ctx, rest)
		s.read = s.write
	default:
		err = errors.New("want a URL that begins with sqlite:// or mysql://")
	}
	if err != nil {
		return nil, fmt.Errorf("ttp: open: %w", err)
	}
	if err := s.configure(opts); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// New makes a store over a pool of the caller's, which stays the caller's to close. Make one for each pool,
// not one for each call: it keeps statements prepared on the pool until [Store.Close].
//
// One connection is enough for every call. The pool must use the driver that this package registers, "sqlite"
// (modernc.org/sqlite) or "mysql" (github.com/go-sql-driver/mysql): errors of others would not be recognized, nor
// conflicts retried. Open makes these settings:
//
//   - SQLite: those of [SQLiteDSN], with one connection that writes beside four that read. One pool for both is
//     as fast, with any number of connections; it is one for a database in memory.
//   - MySQL: interpolateParams, loc=UTC, charset utf8mb4 and collation utf8mb4_bin; innodb_lock_wait_timeout 5, the
//     sql_mode STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION, and the time_zone '+00:00'; READ COMMITTED
//     transactions, which a store of New sets for each of its own; 32 connections of at most three minutes. A lock
//     that is waited for longer than half a minute is not tried again.
//
// These settings of a MySQL pool are refused, since results would be wrong:
//
//   - another character set than utf8mb4, autocommit=0, and interpolateParams together with the SQL mode
//     NO_BACKSLASH_ESCAPES: by the first call
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
	s.checked, s.written = new(atomic.Bool), new(atomic.Bool)
	for _, option := range opts {
		if err := option(s); err != nil {
			return fmt.Errorf("ttp: %w", err)
		}
	}
	return nil
}

// WithTx returns a store that runs inside a transaction of the caller's, so that a service writes its
// event and its tags together. Each call is all or nothing in it; a read of several statements sees one
// state of the database if the transaction's isolation gives one. To commit, to roll back and to retry
// after [ErrBusy] is the caller's; so is to roll back when a context has ended within a call, since the
// engine may then have given the whole transaction up.
func (s *Store) WithTx(tx *sql.Tx) *Store {
	inner := *s
	inner.tx, inner.txQueries, inner.writes, inner.reads, inner.owned = tx, tx, nil, nil, false
	return &inner
}

// Dialect returns the SQL that the store's database speaks.
func (s *Store) Dialect() Dialect { return s.engine.dialect() }

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.fail(ctx, "ping", s.reader().QueryRowContext(ctx, "SELECT 1").Scan(&one))
}

// Close closes what [Open] opened. A store from [New] or [Store.WithTx] leaves its caller's pool and
// transaction alone.
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

// reader is what a single query reads from.
func (s *Store) reader() dbtx {
	if s.tx != nil {
		return s.txQueries
	}
	return s.reads
}
