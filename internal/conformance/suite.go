// Package conformance is the test suite of every engine: a table of named cases, each with a new store.
package conformance

import (
	"context"
	"database/sql"
	"slices"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

// Engine is the engine under test.
type Engine struct {
	Dialect ttp.Dialect
	// Empty creates a database that is dropped when the test ends. It returns a URL for ttp.Open, and a pool for ttp.New
	// whose connections the recorder wraps.
	Empty func(tb testing.TB, r *Recorder) (url string, pool *sql.DB)
	// OverPool runs the cases on ttp.New with the pool instead of ttp.Open.
	OverPool bool
	// Capabilities are those of the server.
	Capabilities ttp.Capabilities
	// Queries holds the names of all generated queries. With OverPool, the cases must execute each of them.
	Queries []string
	// Except maps the skipped cases to the reason and to what is tested instead.
	Except map[string]string
}

// testCase tests one guarantee of the store.
type testCase struct {
	name string
	run  func(t *testing.T, db *database)
	long bool // runs only with ttp.Open
}

// Run runs every case. With OverPool, it fails if a generated query was never executed.
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
		cellCases,
		asOfCases,
		nameCases,
		whoInCases,
		analystCases,
		scopeCases,
		graphCases,
		removalCases,
		interplayCases,
		raceCases,
		historyCases,
		tombstoneCases,
		verifyCases,
		txCases,
		storeTxCases,
		observeCases,
		moveInCases,
		predecessorCases,
		backupCases,
		schemaCases,
		releaseCases,
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

// database is the database of a case.
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

// store opens the database and migrates it.
func (db *database) store(tb testing.TB) *ttp.Store {
	tb.Helper()
	s := db.open(tb)
	if err := s.Migrate(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return s
}
