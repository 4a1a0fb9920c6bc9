package ttp

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"sync"
)

// statements is a prepared statement cache of a pool. Compiling a long query takes as long as reading a few
// hundred tags.
//
// A statement runs unprepared if the server refuses to prepare it because max_prepared_stmt_count is reached.
//
// Transactions use the cache but do not add to it: preparing on the pool may wait for a connection, and the transaction
// may hold the last one. Their cache misses are prepared before the next transaction.
type statements struct {
	*sql.DB
	mu       sync.Mutex
	prepared map[string]*sql.Stmt
	missed   map[string]bool
}

// maxStatements is the capacity of the cache: about a hundred queries, some with lists of several lengths.
const maxStatements = 256

func newStatements(db *sql.DB) *statements {
	return &statements{DB: db, prepared: map[string]*sql.Stmt{}, missed: map[string]bool{}}
}

// QueryContext runs the query by its cached statement, preparing it on first use.
func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.stmt(ctx, query) //nolint:sqlclosecheck // kept until the store closes
	if err != nil && !tooManyPrepared(err) {
		return nil, err
	}
	if stmt != nil {
		rows, err := stmt.QueryContext(ctx, args...) // prepares it on each connection
		if !tooManyPrepared(err) {
			return rows, err
		}
	}
	return s.DB.QueryContext(ctx, query, args...)
}

// prepareMissed prepares the queries that earlier transactions missed. Call it before a transaction begins.
func (s *statements) prepareMissed(ctx context.Context) error {
	for _, query := range s.takeMissed() {
		if _, err := s.stmt(ctx, query); tooManyPrepared(err) { //nolint:sqlclosecheck // kept until the store closes
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (s *statements) takeMissed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	missed := slices.Collect(maps.Keys(s.missed))
	clear(s.missed)
	return missed
}

// in returns tx with the cache.
func (s *statements) in(tx *sql.Tx) dbtx { return txStatements{tx, s} }

type txStatements struct {
	*sql.Tx
	cache *statements
}

// PrepareContext returns a cached or new statement, valid until the transaction ends.
func (t txStatements) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt := t.cache.find(query); stmt != nil {
		return t.StmtContext(ctx, stmt), nil
	}
	return t.Tx.PrepareContext(ctx, query)
}

// QueryContext runs the query by its cached statement, if any.
func (t txStatements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := t.cache.find(query); stmt != nil {
		rows, err := t.StmtContext(ctx, stmt).QueryContext(ctx, args...) //nolint:sqlclosecheck // ends with the transaction
		if !tooManyPrepared(err) {
			return rows, err
		}
	}
	return t.Tx.QueryContext(ctx, query, args...)
}

// preparedRows is the maximum number of tags of an insert that is prepared. Each number has a statement of its own.
const preparedRows = 8

// isPrepared reports whether ExecContext prepares a statement: an insert of few tags or of their counts.
func isPrepared(query string, args []any) bool {
	return len(args) <= preparedRows*insertColumns &&
		(strings.Contains(query, "INSERT INTO ttp_tag ") || strings.Contains(query, "INSERT INTO ttp_technique_count "))
}

// ExecContext runs an insert of few tags by its cached statement, if any: MySQL parses such a write for a tenth to a third of
// its time. Updates are not prepared: on MariaDB 11.8, preparing an UPDATE disables index-only reads of its table until an
// UPDATE of the table is executed.
func (t txStatements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if isPrepared(query, args) {
		if stmt := t.cache.find(query); stmt != nil {
			result, err := t.StmtContext(ctx, stmt).ExecContext(ctx, args...) //nolint:sqlclosecheck // ends with the transaction
			if !tooManyPrepared(err) {
				return result, err
			}
		}
	}
	return t.Tx.ExecContext(ctx, query, args...)
}

// stmt returns the query's statement and prepares it if necessary. It returns nil if the cache is full or closed.
func (s *statements) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	stmt, full := s.lookup(query) //nolint:sqlclosecheck // kept until the store closes
	if stmt != nil || full {
		return stmt, nil
	}
	stmt, err := s.PrepareContext(ctx, query) // may wait for a connection: not under the lock
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.prepared == nil {
		return nil, stmt.Close() //nolint:sqlclosecheck // the store was closed concurrently
	}
	if first := s.prepared[query]; first != nil {
		return first, stmt.Close()
	}
	s.prepared[query] = stmt
	return stmt, nil
}

func (s *statements) lookup(query string) (stmt *sql.Stmt, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.prepared[query], s.prepared == nil || len(s.prepared) >= maxStatements
}

// find returns the query's statement, or records a miss and returns nil.
func (s *statements) find(query string) *sql.Stmt {
	stmt, full := s.lookup(query) //nolint:sqlclosecheck // kept until the store closes
	if stmt == nil && !full {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.missed[query] = true
	}
	return stmt
}

// close closes all statements and disables the cache; the pool may stay open. It waits for running queries without
// holding the lock, which they may need.
func (s *statements) close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	prepared := s.prepared
	s.prepared = nil
	s.mu.Unlock()
	for _, stmt := range prepared {
		_ = stmt.Close()
	}
}
