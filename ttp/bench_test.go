package ttp_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/internal/conformance"
)

func BenchmarkStore(b *testing.B) {
	conformance.Benchmark(b, sqliteEngine(false), openPlainSQLite)
}

// openPlainSQLite opens one connection with the settings of ttp.Open's writer.
func openPlainSQLite(tb testing.TB, url string) *sql.DB {
	pool, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(url, "sqlite://")+"?_txlock=immediate&_dqs=0"+
		"&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"+
		"&_pragma=foreign_keys(1)&_pragma=cache_size(-24576)")
	if err != nil {
		tb.Fatal(err)
	}
	pool.SetMaxOpenConns(1)
	tb.Cleanup(func() {
		if err := pool.Close(); err != nil {
			tb.Error(err)
		}
	})
	return pool
}
