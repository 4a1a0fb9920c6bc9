package integration

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// engine is the engine of this test run, and server the configuration of its server, without a database. TestMain sets
// both. Tests use newDatabase.
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

// run is TestMain with deferred calls, which os.Exit would skip. A missing server fails the run, since skipped tests would
// look like passed ones.
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
	if errors.Is(err, errNoImage) {
		fmt.Fprintf(os.Stderr, "%s%v\n", NoImagePrefix, err)
		return 1
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "integration: %v\n", err)
		return 1
	}
	server = cfg
	if runtime.GOMAXPROCS(0) > maxParallel { // the default of -parallel
		setFlag("test.parallel", maxParallel)
	}
	if engine.Keyspaces > 0 {
		lendKeyspaces(engine.Keyspaces)
	}
	return m.Run()
}

// maxParallel limits the tests that run at once to what the server's connections suffice for.
const maxParallel = 8

// setFlag sets a flag's default, which the command line overrides.
func setFlag(name string, value int) {
	if err := flag.Set(name, strconv.Itoa(value)); err != nil {
		panic(err) // the flag was renamed
	}
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

// startServer returns a running server and the function that stops it, which must be called even on error.
func startServer() (cfg *mysql.Config, stop func() error, err error) {
	stop = func() error { return nil }
	var from string
	if dsn := os.Getenv(dsnEnv); dsn != "" {
		cfg, err = externalServer(dsn)
		from = dsnEnv
	} else {
		cfg, from, stop, err = dockerServer(serverOptions{})
	}
	if err != nil {
		return nil, stop, err
	}
	version, err := serverVersion(cfg)
	if err != nil {
		return nil, stop, fmt.Errorf("read the version of the server at %s: %w", cfg.Addr, err)
	}
	fmt.Fprintf(os.Stderr, "%s%s at %s from %s\n", VersionPrefix, version, cfg.Addr, from)
	return cfg, stop, nil
}

// externalServer returns the server of the DSN in dsnEnv and checks the connection.
func externalServer(dsn string) (*mysql.Config, error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("%s must be a DSN like root:password@tcp(127.0.0.1:3306)/: %w", dsnEnv, err)
	}
	// Every test creates a new database.
	cfg.DBName = ""
	if err := ping(cfg); err != nil {
		return nil, fmt.Errorf("connect to the MySQL server at %s of %s: %w", cfg.Addr, dsnEnv, err)
	}
	return cfg, nil
}
