package integration

import (
	"database/sql"
	"reflect"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/internal/conformance"
	"github.com/decnet/ttpstore/ttp"
)

func TestConformance(t *testing.T) {
	t.Run("Open", func(t *testing.T) { conformance.Run(t, mysqlEngine(false)) })
	t.Run("New", func(t *testing.T) { conformance.Run(t, mysqlEngine(true)) })
}

func mysqlEngine(overPool bool) conformance.Engine {
	single := engine.Keyspaces == 0
	return conformance.Engine{
		Dialect: ttp.MySQL, Empty: emptyMySQL, OverPool: overPool, Queries: queryNames(), Except: engine.Except,
		Capabilities: ttp.Capabilities{Snapshots: single, AtomicCommits: single, DeadlockDetection: single},
	}
}

// emptyMySQL returns a new database. The pool prepares statements on the server, while ttp.Open interpolates parameters.
func emptyMySQL(tb testing.TB, r *conformance.Recorder) (string, *sql.DB) {
	tb.Helper()
	dsn := newDatabase(tb)
	connector, err := mysql.NewConnector(poolConfig(tb, dsn))
	if err != nil {
		tb.Fatal(err)
	}
	pool := sql.OpenDB(r.Connector(connector))
	tb.Cleanup(func() {
		if err := pool.Close(); err != nil {
			tb.Error(err)
		}
	})
	return "mysql://" + dsn, pool
}

func queryNames() []string {
	var names []string
	for query := range reflect.TypeFor[*mysqlgen.Queries]().Methods() {
		if query.Name != "WithTx" && (engine.Keyspaces == 0 || unplanned[query.Name] == "") {
			names = append(names, query.Name)
		}
	}
	return names
}
