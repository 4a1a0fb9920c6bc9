package integration

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/decnet/ttpstore/internal/conformance"
)

func BenchmarkStore(b *testing.B) {
	conformance.Benchmark(b, mysqlEngine(false), openPlainMySQL)
}

// openPlainMySQL opens a pool that interpolates parameters, like the pool of ttp.Open.
func openPlainMySQL(tb testing.TB, url string) *sql.DB {
	config, err := mysql.ParseDSN(strings.TrimPrefix(url, "mysql://"))
	if err != nil {
		tb.Fatal(err)
	}
	config.InterpolateParams = true
	connector, err := mysql.NewConnector(config)
	if err != nil {
		tb.Fatal(err)
	}
	pool := sql.OpenDB(connector)
	tb.Cleanup(func() {
		if err := pool.Close(); err != nil {
			tb.Error(err)
		}
	})
	return pool
}
