package ttp_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/decnet/ttpstore/internal/conformance"
	"github.com/decnet/ttpstore/ttp"
)

func BenchmarkStore(b *testing.B) {
	conformance.Benchmark(b, sqliteEngine(false), openPlainSQLite)
}

// openPlainSQLite opens one connection with the settings of ttp.Open's writer.
func openPlainSQLite(tb testing.TB, url string) *sql.DB {
	pool, err := sql.Open("sqlite", ttp.SQLiteDSN(strings.TrimPrefix(url, "sqlite://")))
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

// BenchmarkSmallCalls compares the pool of SQLiteDSN with Open's two pools: 400 calls of one tag by 4 writers, alone
// and in transactions with a row of the caller's.
func BenchmarkSmallCalls(b *testing.B) {
	opens := map[string]func(*testing.B, string) (*ttp.Store, error){
		"open": func(b *testing.B, path string) (*ttp.Store, error) { return ttp.Open(b.Context(), "sqlite://"+path) },
		"new": func(b *testing.B, path string) (*ttp.Store, error) {
			pool, err := sql.Open("sqlite", ttp.SQLiteDSN(path))
			if err != nil {
				return nil, err
			}
			b.Cleanup(func() { _ = pool.Close() })
			return ttp.New(pool, ttp.SQLite)
		},
	}
	for _, tx := range []bool{false, true} {
		for _, by := range []string{"open", "new"} {
			b.Run(fmt.Sprintf("tx=%v/by=%s", tx, by), func(b *testing.B) {
				store, err := opens[by](b, filepath.Join(b.TempDir(), "ttp.db"))
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = store.Close() }()
				if err := store.Migrate(b.Context()); err != nil {
					b.Fatal(err)
				}
				for round := 0; b.Loop(); round++ {
					smallCalls(b, store, round, tx)
				}
			})
		}
	}
}

func smallCalls(b *testing.B, store *ttp.Store, round int, inTx bool) {
	var wg sync.WaitGroup
	for writer := range 4 {
		wg.Go(func() {
			for i := range 100 {
				tags := []ttp.Tag{exampleTag(fmt.Sprint(round, writer, "-", i))}
				var err error
				if inTx {
					err = store.Tx(b.Context(), func(ctx context.Context, _ *sql.Tx, s *ttp.Store) error {
						_, err := s.InsertTags(ctx, tags)
						return err
					})
				} else {
					_, err = store.InsertTags(b.Context(), tags)
				}
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
