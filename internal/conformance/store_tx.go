package conformance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/ttp"
)

var storeTxCases = []testCase{
	{name: "StoreTxWritesBothOrNothing", run: storeTxWritesBothOrNothing},
	{name: "StoreTxRunsAgainAfterAConflict", run: storeTxRunsAgainAfterAConflict},
	{name: "StoreTxReturnsTheErrorAsItIs", run: storeTxReturnsTheErrorAsItIs},
	{name: "StoreTxRefusesTheOuterStore", run: storeTxRefusesTheOuterStore},
	{name: "StoreTxTakesTurns", run: storeTxTakesTurns},
	{name: "StoreTxReadsReleasesOnlyAfterAChange", run: storeTxReadsReleasesOnlyAfterAChange},
}

const eventTable = "CREATE TABLE event (id VARCHAR(36) NOT NULL PRIMARY KEY)"

func addEvent(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO event VALUES ('"+id+"')")
	return err
}

func storeTxWritesBothOrNothing(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	exec(t, db, eventTable)
	full := errors.New("full")
	for _, want := range []error{full, nil} {
		err := s.Tx(ctx, func(ctx context.Context, tx *sql.Tx, s *ttp.Store) error {
			equal(t, "inserted", insert(t, s, newTag("1")).Inserted, 1)
			equal(t, "tags within", count(t, s), 1)
			succeed(t, addEvent(ctx, tx, "e1"))
			return want
		})
		if err != want { //nolint:errorlint // the same
			t.Errorf("got %v, want %v", err, want)
		}
		stored := map[bool]int{true: 1, false: 0}[want == nil]
		equal(t, "events", tables(t, db)["event"], stored)
		equal(t, "tags", count(t, s), int64(stored))
	}
}

func storeTxRunsAgainAfterAConflict(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	exec(t, db, eventTable)
	runs := 0
	succeed(t, s.Tx(ctx, func(ctx context.Context, tx *sql.Tx, s *ttp.Store) error {
		runs++
		insert(t, s, newTag("1"))
		if err := addEvent(ctx, tx, "e1"); err != nil {
			return err
		}
		if runs == 1 {
			return conflict(t, db)
		}
		return nil
	}))
	equal(t, "runs", runs, 2)
	equal(t, "events", tables(t, db)["event"], 1)
	equal(t, "tags", count(t, s), 1)
}

// conflict returns a driver's error of a lock that another connection holds.
func conflict(t *testing.T, db *database) error {
	t.Helper()
	ctx := context.Background()
	statements := map[ttp.Dialect][]string{
		ttp.SQLite: {"PRAGMA busy_timeout = 0", "INSERT INTO contended VALUES (2)"},
		ttp.MySQL:  {"SET innodb_lock_wait_timeout = 1", "UPDATE contended SET x = 3"},
	}[db.Dialect]
	pool := newDatabase(t, db.Engine).pool // another database, so that nothing else waits for its locks
	if db.Dialect == ttp.SQLite {          // the pool may have only one connection
		var err error
		pool, err = sql.Open("sqlite", ttp.SQLiteDSN(filepath.Join(t.TempDir(), "contended.db")))
		succeed(t, err)
		defer func() { _ = pool.Close() }()
	}
	for _, statement := range []string{"CREATE TABLE contended (x INTEGER)", "INSERT INTO contended VALUES (1)"} {
		_, err := pool.ExecContext(ctx, statement)
		succeed(t, err)
	}
	holder, err := pool.BeginTx(ctx, nil)
	succeed(t, err)
	defer func() { _ = holder.Rollback() }()
	_, err = holder.ExecContext(ctx, "UPDATE contended SET x = 2")
	succeed(t, err)
	conn, err := pool.Conn(ctx)
	succeed(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.ExecContext(ctx, statements[0])
	succeed(t, err)
	_, err = conn.ExecContext(ctx, statements[1])
	if err == nil {
		t.Fatal("there was no conflict")
	}
	return fmt.Errorf("event: %w", err)
}

// An error of the service's own is not turned into one of this package.
func storeTxReturnsTheErrorAsItIs(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	err := s.Tx(ctx, func(ctx context.Context, tx *sql.Tx, _ *ttp.Store) error {
		var x int
		return tx.QueryRowContext(ctx, "SELECT 1 FROM ttp_tag").Scan(&x)
	})
	if err != sql.ErrNoRows { //nolint:errorlint // the same
		t.Errorf("got %v, want %v", err, sql.ErrNoRows)
	}
	once := db.open(t, ttp.WithRetries(1, time.Minute))
	for _, store := range []*ttp.Store{s, once} {
		err = store.Tx(ctx, func(context.Context, *sql.Tx, *ttp.Store) error { return manyErrors{"one", "two"} })
		equal(t, "a list of errors", err, error(manyErrors{"one", "two"}))
	}
	permanent := backoff.Permanent(errors.New("of a caller's loop"))
	err = s.Tx(ctx, func(context.Context, *sql.Tx, *ttp.Store) error { return permanent })
	equal(t, "a permanent error", err == permanent, true) //nolint:errorlint // the same
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	err = s.Tx(cancelled, func(context.Context, *sql.Tx, *ttp.Store) error { t.Error("it ran"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	err = db.open(t).Tx(ctx, func(_ context.Context, _ *sql.Tx, inner *ttp.Store) error {
		return inner.Tx(ctx, func(context.Context, *sql.Tx, *ttp.Store) error { t.Error("it ran"); return nil })
	})
	if err == nil {
		t.Error("a transaction inside another was begun")
	}
}

// manyErrors is an error that cannot be compared with ==.
type manyErrors []string

func (e manyErrors) Error() string { return strings.Join(e, "; ") }

// Calls of the outer store would wait for the transaction that they are part of.
func storeTxRefusesTheOuterStore(t *testing.T, db *database) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, other := db.store(t), newDatabase(t, db.Engine).store(t)
	succeed(t, s.Tx(ctx, func(ctx context.Context, _ *sql.Tx, inner *ttp.Store) error {
		return other.Tx(ctx, func(ctx context.Context, _ *sql.Tx, _ *ttp.Store) error {
			for name, err := range map[string]error{
				"insert":       second(s.InsertTags(ctx, newTags(1))),
				"read":         second(s.ListDistinctTechniques(ctx)),
				"upsert":       s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i")}}),
				"ping":         s.Ping(ctx),
				"ready":        s.Ready(ctx),
				"status":       second(s.SchemaStatus(ctx)),
				"check":        s.CheckSchema(ctx),
				"migrate":      s.Migrate(ctx),
				"dry run":      second(s.Import(ctx, strings.NewReader(""), ttp.ImportOptions{DryRun: true})),
				"views":        second(s.CreateViews(ctx)),
				"inner views":  second(inner.CreateViews(ctx)),
				"backup":       s.Backup(ctx, filepath.Join(t.TempDir(), "backup.db")),
				"another's Tx": other.Ping(ctx),
			} {
				if err == nil || !strings.Contains(err.Error(), "inside") || ctx.Err() != nil {
					t.Errorf("%s: got %v", name, err)
				}
			}
			return nil
		})
	}))
	equal(t, "tags", count(t, s), 0)
}

func storeTxReadsReleasesOnlyAfterAChange(t *testing.T, db *database) {
	ctx := context.Background()
	s := must[*ttp.Store](t)(ttp.New(db.pool, db.Dialect, ttp.WithCatalogue(&attack.Catalogue{})))
	succeed(t, s.Migrate(ctx))
	reads := 0
	db.recorder.beforeEach(func() { reads++ }, "ListAttackReleases")
	for _, load := range []bool{false, true} {
		must[[]ttp.TechniqueRollupRow](t)(s.ListDistinctTechniques(ctx))
		reads = 0
		succeed(t, s.Tx(ctx, func(ctx context.Context, _ *sql.Tx, inner *ttp.Store) error {
			if !load {
				return nil
			}
			return inner.LoadAttackRelease(ctx, release(t, "enterprise-v1.0"))
		}))
		catalogue := must[*attack.Catalogue](t)(s.Catalogue(ctx))
		_, loaded := catalogue.Release("enterprise-v1.0")
		equal(t, "loaded", loaded, load)
		equal(t, "reads", reads, map[bool]int{true: 1}[load])
	}
}

func storeTxTakesTurns(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	exec(t, db, eventTable)
	const writers, each = 4, 10
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				event := fmt.Sprint(w, "-", i)
				err := s.Tx(ctx, func(ctx context.Context, tx *sql.Tx, s *ttp.Store) error {
					if _, err := s.InsertTags(ctx, []ttp.Tag{newTag(event)}); err != nil {
						return err
					}
					return addEvent(ctx, tx, event)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	equal(t, "events", tables(t, db)["event"], writers*each)
	equal(t, "tags", count(t, s), writers*each)
}
