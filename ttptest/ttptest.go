// Package ttptest creates stores and tags for the tests of programs that use package ttp. The suite in its package
// conformance tests a store over a driver or proxy of your own.
package ttptest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

// Option configures [New].
type Option func(testing.TB, *config)

type config struct {
	url     string
	options []ttp.Option
}

// OnFile keeps the database in a SQLite file in the test's temporary folder, with the side files, readers and locks of a
// database in production.
func OnFile() Option {
	return func(tb testing.TB, c *config) {
		tb.Helper()
		c.url = "sqlite://" + filepath.Join(tb.TempDir(), "ttp.db")
	}
}

// OnMySQL keeps the tables in a new database on the server of the DSN, such as root:password@tcp(127.0.0.1:3306)/, and
// drops it after the test. A database that the DSN names is not used. The test is skipped if the DSN is empty, so that
// it may come from the environment.
func OnMySQL(dsn string) Option {
	return func(tb testing.TB, c *config) {
		tb.Helper()
		if dsn == "" {
			tb.Skip("no DSN of a MySQL server")
		}
		// As in the driver, the last slash is before the database, and a question mark after it.
		slash := strings.LastIndex(dsn, "/")
		if slash < 0 {
			tb.Fatal("want a DSN such as root:password@tcp(127.0.0.1:3306)/")
		}
		_, parameters, found := strings.Cut(dsn[slash:], "?")
		if found {
			parameters = "?" + parameters
		}
		name := "ttptest_" + strings.ToLower(rand.Text())
		execute(tb, dsn[:slash]+"/"+parameters, "CREATE DATABASE "+name)
		tb.Cleanup(func() { execute(tb, dsn[:slash]+"/"+parameters, "DROP DATABASE "+name) })
		c.url = "mysql://" + dsn[:slash] + "/" + name + parameters
	}
}

func execute(tb testing.TB, dsn, statement string) {
	tb.Helper()
	pool, err := sql.Open("mysql", dsn)
	if err == nil {
		defer func() { _ = pool.Close() }()
		_, err = pool.ExecContext(context.Background(), statement)
	}
	if err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}

// With opens the store with options of package ttp.
func With(options ...ttp.Option) Option {
	return func(_ testing.TB, c *config) { c.options = append(c.options, options...) }
}

// New returns a store on a database of its own, in memory unless an option says otherwise, with its schema. It is closed
// after the test.
func New(tb testing.TB, opts ...Option) *ttp.Store {
	tb.Helper()
	c := config{url: "sqlite://:memory:"}
	for _, option := range opts {
		option(tb, &c)
	}
	store, err := ttp.Open(context.Background(), c.url, c.options...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Errorf("close the store: %v", err)
		}
	})
	if err := store.Migrate(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return store
}
