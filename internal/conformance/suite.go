// Package conformance is the suite that every engine must pass: a table of named cases, a fresh store
// for each.
package conformance

import (
	"context"
	"database/sql"
	"slices"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

// Engine makes what the suite runs on.
type Engine struct {
	Dialect ttp.Dialect
	// Empty makes an empty database, dropped with the test, and returns two ways to it: a URL for
	// ttp.Open, and a pool such as a caller would give to ttp.New, whose connections the recorder wraps.
	Empty func(tb testing.TB, r *Recorder) (url string, pool *sql.DB)
	// OverPool runs the cases on ttp.New over the pool in place of ttp.Open.
	OverPool bool
	// Capabilities are what the server keeps.
	Capabilities ttp.Capabilities
	// Queries are the names of all generated queries. Over the pool, the cases must execute each.
	Queries []string
	// Except names the cases that the engine is excused from, with the reason and what holds instead.
	Except map[string]string
}

// testCase is one promise of the store's.
type testCase struct {
	name string
	run  func(t *testing.T, db *database)
	long bool // runs over ttp.Open alone
}

// Run runs every case. Over the pool, it fails when a generated query was never executed.
func Run(t *testing.T, engine Engine) {
	var executed Recorder
	filtered := false // by -run
	for _, c := range allCases() {
		if c.long && engine.OverPool {
			continue
		}
		ran := false
		t.Run(c.name, func(t *testing.T) {
			ran = true
			if why, ok := engine.Except[c.name]; ok {
				t.Skip("exception: " + why)
			}
			t.Parallel()
			db := newDatabase(t, engine)
			c.run(t, db)
			executed.merge(db.recorder)
		})
		filtered = filtered || !ran
	}
	// A cleanup runs after the parallel cases.
	t.Cleanup(func() {
		if !engine.OverPool || filtered || t.Failed() {
			return
		}
		for _, name := range engine.Queries {
			if _, ok := executed.statement(name); !ok {
				t.Errorf("no case executed the query %s", name)
			}
		}
	})
}

func allCases() []testCase {
	return slices.Concat(
		tagCases,
		insertCases,
		groupCommitCases,
		rollupCases,
		cellCases, analystCases,
		scopeCases,
		graphCases,
		removalCases,
		interplayCases,
		raceCases,
		tombstoneCases,
		verifyCases,
		txCases,
		schemaCases,
		foreignCases,
		poolCases,
		recordCases,
		listCases,
		timelineCases,
		queryCases,
		propertyCases,
		lifecycleCases,
		planCases,
	)
}

// database is an empty database and the means to open it.
type database struct {
	Engine
	url      string
	pool     *sql.DB
	recorder *Recorder
}

func newDatabase(tb testing.TB, engine Engine) *database {
	db := &database{Engine: engine, recorder: &Recorder{}}
	db.url, db.pool = engine.Empty(tb, db.recorder)
	return db
}

// open opens the database without migrating it.
func (db *database) open(tb testing.TB, opts ...ttp.Option) *ttp.Store {
	tb.Helper()
	var s *ttp.Store
	var err error
	if db.OverPool {
		s, err = ttp.New(db.pool, db.Dialect, opts...)
	} else {
		s, err = ttp.Open(context.Background(), db.url, opts...)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return s
}

// store opens the database with its schema.
func (db *database) store(tb testing.TB) *ttp.Store {
	tb.Helper()
	s := db.open(tb)
	if err := s.Migrate(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return s
}
