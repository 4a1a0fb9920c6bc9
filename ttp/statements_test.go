package ttp

import (
	"context"
	"database/sql"
	"testing"
	"time"
)

// Close waits for a read that waits for the connection that a transaction has, and the transaction must be
// able to go on.
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
	kept := newStatements(db)
	if err := readAll(kept.QueryContext(ctx, query)); err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() {
		read <- readAll(kept.QueryContext(ctx, query))
	}()
	for db.Stats().WaitCount == 0 {
		time.Sleep(time.Millisecond)
	}
	closed := make(chan struct{})
	go func() { kept.close(); close(closed) }()
	for kept.mu.TryLock() { // until close has begun
		begun := kept.prepared == nil
		kept.mu.Unlock()
		if begun {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := readAll(kept.in(tx).QueryContext(ctx, query)); err != nil {
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
