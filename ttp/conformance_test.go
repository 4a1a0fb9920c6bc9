package ttp_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"path/filepath"
	"reflect"
	"testing"

	"modernc.org/sqlite"

	"github.com/decnet/ttpstore/db/sqlitegen"
	"github.com/decnet/ttpstore/internal/conformance"
	"github.com/decnet/ttpstore/ttp"
)

func TestConformance(t *testing.T) {
	t.Run("Open", func(t *testing.T) { conformance.Run(t, sqliteEngine(false)) })
	t.Run("New", func(t *testing.T) { conformance.Run(t, sqliteEngine(true)) })
}

func sqliteEngine(overPool bool) conformance.Engine {
	return conformance.Engine{
		Dialect: ttp.SQLite, Empty: emptySQLite, OverPool: overPool, Queries: queryNames(),
		Capabilities: ttp.Capabilities{Snapshots: true, AtomicCommits: true, DeadlockDetection: true},
	}
}

// emptySQLite returns a new database. The pool has one connection, like a pool with any journal mode may have.
func emptySQLite(tb testing.TB, r *conformance.Recorder) (string, *sql.DB) {
	path := filepath.Join(tb.TempDir(), "ttp.db")
	pool := sql.OpenDB(r.Connector(sqliteFile("file:" + path + "?_txlock=immediate" +
		"&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")))
	pool.SetMaxOpenConns(1)
	tb.Cleanup(func() {
		if err := pool.Close(); err != nil {
			tb.Error(err)
		}
	})
	return "sqlite://" + path, pool
}

// sqliteFile is a connector for a data source name.
type sqliteFile string

func (f sqliteFile) Connect(context.Context) (driver.Conn, error) { return f.Driver().Open(string(f)) }
func (f sqliteFile) Driver() driver.Driver                        { return &sqlite.Driver{} }

func queryNames() []string {
	var names []string
	for query := range reflect.TypeFor[*sqlitegen.Queries]().Methods() {
		if query.Name != "WithTx" {
			names = append(names, query.Name)
		}
	}
	return names
}
