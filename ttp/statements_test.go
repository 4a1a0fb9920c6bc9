package ttp

import (
	"context"
	"database/sql"
	"testing"
	"time"
)

// A transaction must not deadlock with close, which waits for a read that waits for the transaction's connection.
func TestClosingStatementsLetsTransactionsEnd(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	const query = "SELECT 1"
	cache := newStatements(db)
	if err := readAll(cache.QueryContext(ctx, query)); err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() {
		read <- readAll(cache.QueryContext(ctx, query))
	}()
	for db.Stats().WaitCount == 0 {
		time.Sleep(time.Millisecond)
	}
	closed := make(chan struct{})
	go func() { cache.close(); close(closed) }()
	for cache.mu.TryLock() { // until close has begun
		begun := cache.prepared == nil
		cache.mu.Unlock()
		if begun {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := readAll(cache.in(tx).QueryContext(ctx, query)); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
	<-closed
}

func readAll(rows *sql.Rows, err error) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		continue
	}
	return rows.Err()
}
