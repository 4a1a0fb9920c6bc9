package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// engine is what this test run tests, on the server, a connection with the right to create databases and
// without a database of its own. TestMain sets both; tests take a database from newDatabase instead.
var (
	engine Engine
	server *mysql.Config
)

// TestMain provides one server for the whole run.
func TestMain(m *testing.M) {
	if name := os.Getenv(reaperEnv); name != "" {
		os.Exit(reap(name))
	}
	os.Exit(run(m))
}

// run is TestMain with deferred calls, which os.Exit would leave out. A server
// that is missing or that cannot be removed fails the run: tests that silently
// did not happen look like tests that passed.
func run(m *testing.M) (code int) {
	var err error
	if engine, err = chosenEngine(); err != nil {
		fmt.Fprintf(os.Stderr, "integration: %v\n", err)
		return 1
	}
	cfg, stop, err := startServer()
	defer func() {
		if err := stop(); err != nil {
			fmt.Fprintf(os.Stderr, "integration: %v\n", err)
			code = max(code, 1)
		}
	}()
	if err != nil {
		fmt.Fprintf(os.Stderr, "integration: %v\n", err)
		return 1
	}
	server = cfg
	if engine.Keyspaces > 0 {
		lendKeyspaces(engine.Keyspaces)
	}
	return m.Run()
}

func chosenEngine() (Engine, error) {
	name := os.Getenv(EngineEnv)
	if name == "" {
		return Default, nil
	}
	var names []string
	for _, e := range Engines {
		if e.Name == name {
			return e, nil
		}
		names = append(names, e.Name)
	}
	return Engine{}, fmt.Errorf("%s is %q: want one of %s", EngineEnv, name, strings.Join(names, ", "))
}

// startServer returns a server that answers and the function that ends it,
// which must be called in case of an error, too.
func startServer() (cfg *mysql.Config, stop func() error, err error) {
	stop = func() error { return nil }
	var from string
	if dsn := os.Getenv(dsnEnv); dsn != "" {
		cfg, err = externalServer(dsn)
		from = dsnEnv
	} else {
		cfg, from, stop, err = dockerServer(engine, serverOptions{})
	}
	if err != nil {
		return nil, stop, err
	}
	version, err := serverVersion(cfg)
	if err != nil {
		return nil, stop, fmt.Errorf("ask the server at %s for its version: %w", cfg.Addr, err)
	}
	fmt.Fprintf(os.Stderr, "%s%s at %s from %s\n", VersionPrefix, version, cfg.Addr, from)
	return cfg, stop, nil
}

// externalServer returns the server of a DSN that the caller of the tests has
// set, once it has answered.
func externalServer(dsn string) (*mysql.Config, error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("%s does not hold a DSN like root:password@tcp(127.0.0.1:3306)/: %w", dsnEnv, err)
	}
	// Every test gets a database of its own; one that exists is left alone.
	cfg.DBName = ""
	if err := ping(cfg); err != nil {
		return nil, fmt.Errorf("the MySQL server at %s, which %s names, does not answer: %w", cfg.Addr, dsnEnv, err)
	}
	return cfg, nil
}
