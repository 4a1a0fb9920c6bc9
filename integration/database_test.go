package integration

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// dsnEnv is the environment variable with the DSN of a MySQL server to use instead of a container.
const dsnEnv = "TTPSTORE_TEST_MYSQL_DSN"

const (
	// pingTimeout limits one attempt to connect.
	pingTimeout = 10 * time.Second

	// statementTimeout limits creating and dropping a database. Dropping waits for open transactions, so that a test
	// that leaks one fails instead of hanging.
	statementTimeout = 5 * time.Minute
)

// newDatabase creates an empty database with the character set utf8mb4 and returns its DSN. The database is dropped when
// the test and its subtests end.
func newDatabase(tb testing.TB) string {
	tb.Helper()
	// go test does not reuse the result of a run if a variable that its tests read has changed since. It does not notice
	// what TestMain reads.
	_, _ = os.Getenv(EngineEnv), os.Getenv(dsnEnv)
	test, _, _ := strings.Cut(tb.Name(), "/")
	if why, ok := engine.Except[test]; ok {
		tb.Skip("exception: " + why)
	}
	cfg := server.Clone()
	if keyspaces != nil {
		cfg.DBName = borrowKeyspace(tb)
		return cfg.FormatDSN()
	}
	name := "ttpstore_" + strings.ToLower(rand.Text())
	if err := execute(server, "CREATE DATABASE `"+name+"` CHARACTER SET utf8mb4"); err != nil {
		tb.Fatalf("create database %s: %v", name, err)
	}
	tb.Cleanup(func() {
		if err := execute(server, "DROP DATABASE `"+name+"`"); err != nil {
			tb.Errorf("drop database %s: %v", name, err)
		}
	})
	cfg.DBName = name
	return cfg.FormatDSN()
}

// execute runs one statement on a new connection.
func execute(cfg *mysql.Config, statement string) error {
	return withServer(cfg, statementTimeout, func(ctx context.Context, db *sql.DB) error {
		_, err := db.ExecContext(ctx, statement)
		return err
	})
}

// ping opens a connection to the server.
func ping(cfg *mysql.Config) error {
	return withServer(cfg, pingTimeout, func(ctx context.Context, db *sql.DB) error {
		return db.PingContext(ctx)
	})
}

// serverVersion returns the version that the server reports.
func serverVersion(cfg *mysql.Config) (version string, err error) {
	err = withServer(cfg, pingTimeout, func(ctx context.Context, db *sql.DB) error {
		return db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version)
	})
	return version, err
}

// withServer calls do with a pool that is closed afterwards.
func withServer(cfg *mysql.Config, timeout time.Duration, do func(context.Context, *sql.DB) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	quiet := cfg.Clone()
	// The driver would also print the returned errors, for each attempt while a container starts.
	quiet.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(quiet)
	if err != nil {
		return fmt.Errorf("configure the driver: %w", err)
	}
	db := sql.OpenDB(connector)
	defer func() { _ = db.Close() }() // no result depends on the close
	return do(ctx, db)
}
