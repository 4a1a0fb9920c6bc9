package ttp_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

func TestWrongOptionsAreRefused(t *testing.T) {
	for want, option := range map[string]ttp.Option{
		"the pool size must be positive":        ttp.WithPoolSize(0),
		"the attempts and their duration must":  ttp.WithRetries(0, time.Second),
		"must be positive: 3 within 0s":         ttp.WithRetries(3, 0),
		"number from 0 to 1, not -0.1":          ttp.WithConfidenceFloor(-0.1),
		"the clock must not be nil":             ttp.WithClock(nil),
		"the logger must not be nil":            ttp.WithLogger(nil),
		"the observer must not be nil":          ttp.WithObserver(nil),
		"the threshold of slow operations must": ttp.WithSlowThreshold(0),
	} {
		if _, err := ttp.Open(t.Context(), "sqlite://:memory:", option); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	pool, err := sql.Open("sqlite", ttp.SQLiteDSN(":memory:"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	if _, err := ttp.New(pool, ttp.SQLite, ttp.WithPoolSize(2)); err == nil || !strings.Contains(err.Error(), "the pool is the caller's") {
		t.Errorf("the size of a caller's pool: got %v", err)
	}
}

// A database in memory has one connection, whatever the option says.
func TestPoolSizeLeavesAMemoryDatabaseWhole(t *testing.T) {
	s, err := ttp.Open(t.Context(), "sqlite://:memory:", ttp.WithPoolSize(8))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if _, err := s.ListDistinctTechniques(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
