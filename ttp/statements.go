package ttp

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"sync"
)

// statements is a prepared statement cache of a pool. Compiling a long query takes as long as reading some hundred
// tags with it.
//
// Transactions use the cache but do not add to it: preparing on the pool may wait for a connection, and the transaction
// may hold the last one. Their cache misses are prepared before the next transaction.
type statements struct {
	*sql.DB
	mu       sync.Mutex
	prepared map[string]*sql.Stmt
	missed   map[string]bool
}

// maxStatements is the capacity of the cache: about a hundred queries, some with IN lists of several lengths.
const maxStatements = 256

func newStatements(db *sql.DB) *statements {
	return &statements{DB: db, prepared: map[string]*sql.Stmt{}, missed: map[string]bool{}}
}

// QueryContext runs the query by its cached statement, preparing it on first use.
func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.stmt(ctx, query) //nolint:sqlclosecheck // kept until the store closes
	if err != nil {
		return nil, err
	}
	if stmt == nil {
		return s.DB.QueryContext(ctx, query, args...)
	}
	return stmt.QueryContext(ctx, args...)
}

// prepareMissed prepares the queries that earlier transactions missed. Call it before a transaction begins.
func (s *statements) prepareMissed(ctx context.Context) error {
	for _, query := range s.takeMissed() {
		if _, err := s.stmt(ctx, query); err != nil { //nolint:sqlclosecheck // kept until the store closes
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
		return t.StmtContext(ctx, stmt).QueryContext(ctx, args...) //nolint:sqlclosecheck // ends with the transaction
	}
	return t.Tx.QueryContext(ctx, query, args...)
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
