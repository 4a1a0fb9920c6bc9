package ttp

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"sync"
)

// statements is a prepared statement cache for the reads of a pool: to compile one of the longer reads takes as
// long as to read some hundred tags by it.
//
// A transaction uses the cache but adds nothing, since it may hold the pool's last connection, which preparing
// on the pool would wait for. The queries that it missed are prepared before the next transaction.
type statements struct {
	*sql.DB
	mu       sync.Mutex
	prepared map[string]*sql.Stmt
	missed   map[string]bool
}

// maxStatements bounds the cache: some hundred queries, those with a slice in a few lengths.
const maxStatements = 256

func newStatements(db *sql.DB) *statements {
	return &statements{DB: db, prepared: map[string]*sql.Stmt{}, missed: map[string]bool{}}
}

// QueryContext is the pool's, with the query prepared once.
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

// prepareMissed prepares what transactions missed so far, before a transaction.
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

// in returns the transaction with the cache.
func (s *statements) in(tx *sql.Tx) dbtx { return txStatements{tx, s} }

type txStatements struct {
	*sql.Tx
	cache *statements
}

// PrepareContext is the transaction's. What it returns ends with the transaction, if not before.
func (t txStatements) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt := t.cache.find(query); stmt != nil {
		return t.StmtContext(ctx, stmt), nil
	}
	return t.Tx.PrepareContext(ctx, query)
}

// QueryContext is the transaction's.
func (t txStatements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := t.cache.find(query); stmt != nil {
		return t.StmtContext(ctx, stmt).QueryContext(ctx, args...) //nolint:sqlclosecheck // ends with the transaction
	}
	return t.Tx.QueryContext(ctx, query, args...)
}

// stmt returns nil for a query that is not kept.
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
		return nil, stmt.Close() //nolint:sqlclosecheck // the store was closed meanwhile
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

// find returns nil for a query that is not prepared, and notes it.
func (s *statements) find(query string) *sql.Stmt {
	stmt, full := s.lookup(query)
	if stmt == nil && !full {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.missed[query] = true
	}
	return stmt
}

// close gives back what was prepared, on a pool that may stay open; nothing is kept from then on. It waits
// for what still runs, not under the lock, which that may need.
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
