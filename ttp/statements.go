package ttp

import (
	"context"
	"database/sql"
	"strings"
	"sync"
)

// statements keeps what was prepared on a SQLite pool: the engine runs in this process, so that to
// compile one of the longer reads takes as long as to read some hundred tags by it, and to compile the
// insert as long as to write ten.
//
// A transaction uses what is there but adds nothing: it may hold the pool's last connection, which
// preparing on the pool would wait for.
type statements struct {
	*sql.DB
	mu       sync.Mutex
	prepared map[string]*sql.Stmt
}

// maxStatements bounds what is kept. Queries with a slice, which have a text for each length, are not.
const maxStatements = 64

func newStatements(db *sql.DB) *statements {
	return &statements{DB: db, prepared: map[string]*sql.Stmt{}}
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

// keep prepares the queries, before a transaction that runs them.
func (s *statements) keep(ctx context.Context, queries ...string) error {
	if s == nil {
		return nil
	}
	for _, query := range queries {
		if _, err := s.stmt(ctx, query); err != nil { //nolint:sqlclosecheck // kept until the store closes
			return err
		}
	}
	return nil
}

// in is the transaction, with what is kept.
func (s *statements) in(tx *sql.Tx) dbtx {
	if s == nil {
		return tx
	}
	return txStatements{tx, s}
}

type txStatements struct {
	*sql.Tx
	kept *statements
}

// PrepareContext is the transaction's. What it returns ends with the transaction, if not before.
func (t txStatements) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt, _ := t.kept.find(query); stmt != nil {
		return t.StmtContext(ctx, stmt), nil
	}
	return t.Tx.PrepareContext(ctx, query)
}

// QueryContext is the transaction's.
func (t txStatements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt, _ := t.kept.find(query); stmt != nil {
		return t.StmtContext(ctx, stmt).QueryContext(ctx, args...) //nolint:sqlclosecheck // ends with the transaction
	}
	return t.Tx.QueryContext(ctx, query, args...)
}

// stmt returns nil for a query that is not kept.
func (s *statements) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if strings.Contains(query, "?,?") { // as sqlc fills in a slice
		return nil, nil
	}
	stmt, full := s.find(query) //nolint:sqlclosecheck // kept until the store closes
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

func (s *statements) find(query string) (stmt *sql.Stmt, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.prepared[query], s.prepared == nil || len(s.prepared) >= maxStatements
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
