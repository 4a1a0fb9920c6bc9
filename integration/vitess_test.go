package integration

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// shards holds the shards of a sharded keyspace, two halves of all UUIDs.
var shards = []string{"-80", "80-"}

// keyspaces holds the names of the keyspaces that no test has borrowed.
var keyspaces chan string

// borrowed counts the keyspaces that each test has borrowed. A test may have keyspacesPerTest at once, and only as many
// tests run in parallel as can all have that many, so that none waits for a keyspace of another.
var (
	borrowedMu sync.Mutex
	borrowed   = map[string]int{}
)

const keyspacesPerTest = 2

func keyspaceName(i int) string { return fmt.Sprint("ttp", i) }

// vitessEnvironment returns the environment variables of a cluster with n unsharded keyspaces. The routing rules send the
// tags of each to a second, sharded keyspace.
func vitessEnvironment(n int) ([]string, error) {
	vschema, err := os.ReadFile(filepath.Join("..", "sql", "vitess", "vschema.json"))
	if err != nil {
		return nil, err
	}
	rules, err := os.ReadFile(filepath.Join("..", "sql", "vitess", "routing_rules.json"))
	if err != nil {
		return nil, err
	}
	type shard struct {
		Name string `json:"name"`
	}
	type keyspace struct {
		Name         string  `json:"name"`
		Shards       []shard `json:"shards"`
		ReplicaCount int     `json:"replica_count"`
		RdonlyCount  int     `json:"rdonly_count"`
	}
	type routing struct {
		Rules []json.RawMessage `json:"rules"`
	}
	var topology struct {
		Cells        []string   `json:"cells"`
		Keyspaces    []keyspace `json:"keyspaces"`
		RoutingRules routing    `json:"routing_rules"`
	}
	topology.Cells = []string{"test"}
	var databases, sharded []string
	for i := range n {
		name := keyspaceName(i)
		unsharded := keyspace{name, []shard{{"0"}}, 1, -1}
		halves := keyspace{name + "_sharded", nil, 1, -1}
		for _, s := range shards {
			halves.Shards = append(halves.Shards, shard{s})
		}
		for _, k := range []keyspace{unsharded, halves} {
			for _, s := range k.Shards {
				databases = append(databases, "vt_"+k.Name+"_"+s.Name)
			}
		}
		var named routing
		renamed := strings.NewReplacer(`"ttp.`, `"`+name+`.`, `"ttp_sharded.`, `"`+halves.Name+`.`).Replace(string(rules))
		if err := json.Unmarshal([]byte(renamed), &named); err != nil {
			return nil, err
		}
		topology.Keyspaces = append(topology.Keyspaces, unsharded, halves)
		topology.RoutingRules.Rules = append(topology.RoutingRules.Rules, named.Rules...)
		sharded = append(sharded, halves.Name)
	}
	out, err := json.Marshal(topology)
	return []string{
		"VITESS_TOPOLOGY=" + string(out),
		"VITESS_DATABASES=" + strings.Join(databases, " "),
		"VITESS_SHARDED=" + strings.Join(sharded, " "),
		"VITESS_VSCHEMA=" + string(vschema),
	}, err
}

// lendKeyspaces prepares a test run on a cluster. It limits property tests to a fifth of the usual random inputs, since
// statements are several times slower than on one server, and parallel tests to as many as can have all their keyspaces.
func lendKeyspaces(n int) {
	setFlag("rapid.checks", 20)
	setFlag("test.parallel", n/keyspacesPerTest)
	keyspaces = make(chan string, n)
	for i := range n {
		keyspaces <- keyspaceName(i)
	}
}

// borrowKeyspace returns an empty keyspace for the duration of the test. vtgate cannot create keyspaces.
func borrowKeyspace(tb testing.TB) string {
	tb.Helper()
	test := parallelTest(tb)
	if n := countBorrowed(test, 1); n > keyspacesPerTest {
		countBorrowed(test, -1)
		tb.Fatalf("%s needs %d databases at once, but a test on a cluster may have %d", test, n, keyspacesPerTest)
	}
	name := <-keyspaces
	tb.Cleanup(func() {
		for _, keyspace := range []string{name, name + "_sharded"} {
			if err := clearKeyspace(keyspace); err != nil {
				tb.Errorf("clear keyspace %s: %v", keyspace, err)
			}
		}
		keyspaces <- name
		countBorrowed(test, -1)
	})
	return name
}

// parallelTest returns the name of the test or of the conformance suite's case that tb belongs to.
func parallelTest(tb testing.TB) string {
	const levels = 3 // of TestConformance/Open/case
	parts := strings.Split(tb.Name(), "/")
	return strings.Join(parts[:min(len(parts), levels)], "/")
}

func countBorrowed(test string, n int) int {
	borrowedMu.Lock()
	defer borrowedMu.Unlock()
	borrowed[test] += n
	return borrowed[test]
}

// clearKeyspace drops all tables, including those of other products, which some cases create.
func clearKeyspace(keyspace string) error {
	return withServer(server, statementTimeout, func(ctx context.Context, db *sql.DB) error {
		db.SetMaxOpenConns(1) // the setting belongs to the session
		if _, err := db.ExecContext(ctx, "SET foreign_key_checks = 0"); err != nil {
			return err
		}
		rows, err := db.QueryContext(ctx, "SHOW TABLES FROM "+keyspace)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		var tables []string
		for rows.Next() {
			var table string
			if err := rows.Scan(&table); err != nil {
				return err
			}
			tables = append(tables, table)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		for _, table := range tables {
			if _, err := db.ExecContext(ctx, "DROP TABLE "+keyspace+".`"+table+"`"); err != nil {
				return err
			}
		}
		return nil
	})
}
