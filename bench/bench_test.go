package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain starts a server for all tests unless dsnEnv is set.
func TestMain(m *testing.M) {
	code, err := testAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func testAll(m *testing.M) (code int, err error) {
	server, stop, err := mysqlServer(context.Background())
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return 0, err
	}
	if err := os.Setenv(dsnEnv, server.FormatDSN()); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// TestShort checks that everything runs.
func TestShort(t *testing.T) {
	for _, engine := range engineNames {
		t.Run(engine, func(t *testing.T) {
			dir := t.TempDir()
			var out strings.Builder
			if err := run(t.Context(), []string{"-short", "-engines", engine, "-dir", dir, "-o", dir + "/RESULTS.md"}, &out); err != nil {
				t.Fatal(err)
			}
			jobs := []string{
				freshInsert, replay, halfInsert, filledInsert, manyWriters, fleetRollup, deepPage, exportAll,
				"1 writer x 1 tag, one technique", "64 writers x 1 tag, many techniques", loadInsert, newestPage, "memory",
			}
			for _, job := range append(jobs, growthRows()...) {
				if !strings.Contains(out.String(), "| "+job+" |") {
					t.Errorf("the report has no %q", job)
				}
			}
			if _, err := os.Stat(dir + "/" + pictureFile); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestJobs checks that only the selected jobs run.
func TestJobs(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), []string{"-short", "-engines", sqliteEngine, "-jobs", smallJobs, "-dir", t.TempDir()}, &out); err != nil {
		t.Fatal(err)
	}
	for part, want := range map[string]bool{"## Small calls": true, "| engine | job |": false, "## Cost": false} {
		if got := strings.Contains(out.String(), part); got != want {
			t.Errorf("%q in the report: %t, want %t", part, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		args, out string
		growth    int
	}{
		{"", "RESULTS.md", 7},
		{"-short", "", 2},
		{"-short -growth=1000 -o=short.md", "short.md", 1},
		{"-jobs=small,load", "", 7},
		{"-jobs=small -o=small.md", "small.md", 7},
	} {
		got, err := parse(strings.Fields(c.args))
		if err != nil {
			t.Fatal(err)
		}
		if got.out != c.out || len(got.growth) != c.growth {
			t.Errorf("%q: got %q, %v", c.args, got.out, got.growth)
		}
	}
	for _, args := range []string{"-jobs=all", "-engines=oracle", "-tags=10", "-filled=many", "-rounds=0", "-loadtime=0s"} {
		if _, err := parse([]string{args}); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

func TestFreshTags(t *testing.T) {
	fresh := &freshTags{tags: take(tagSource(), 10)}
	seen := map[string]bool{}
	for range 12 {
		for _, tag := range fresh.take(3) {
			seen[tag.ComputeUUID().String()] = true
		}
	}
	if len(seen) != 36 {
		t.Errorf("got %d distinct tags, want 36", len(seen))
	}
}

// TestAverageScopes compares the numbers of tags of the scopes with the mean of their kind.
func TestAverageScopes(t *testing.T) {
	ctx := t.Context()
	s := ttpstoreSubject()
	p := place{file: t.TempDir() + "/average.db"}
	j := &jobs{engine: &engine{name: sqliteEngine}}
	if err := j.fill(ctx, s, p, 5000); err != nil {
		t.Fatal(err)
	}
	opened, err := s.open(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := opened.close(); err != nil {
			t.Error(err)
		}
	}()
	for i, mean := range []int64{5000 / identities, 5000 / campaigns, sessionTags} {
		of := averageScopes()[i]
		got, err := opened.rollup(ctx, of)
		if err != nil {
			t.Fatal(err)
		}
		if got.tags < mean*2/3 || got.tags > mean*3/2 {
			t.Errorf("%s: %d tags, the mean is %d", of.kind, got.tags, mean)
		}
	}
}

// TestObserver checks that the counters cover one database and only requests with a reply.
func TestObserver(t *testing.T) {
	ctx := t.Context()
	e, err := newMySQL(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { closed(t, e.stop()) }()
	p, err := e.create(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { closed(t, e.drop(p)) }()
	db, err := openMySQL(p.server, false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { closed(t, db.Close()) }()
	if err := execute(ctx, db, "CREATE TABLE t (id INT PRIMARY KEY, n INT)", "INSERT INTO t VALUES (1, 0)"); err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // its locks would block the drop
	if _, err := tx.ExecContext(ctx, "UPDATE t SET n = 1"); err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 1)
	go func() { // opens a second connection
		_, err := db.ExecContext(ctx, "UPDATE t SET n = ? WHERE id = ?", 2, 1) // prepare, execute, close
		waiting <- err
	}()
	for locked := false; !locked; time.Sleep(10 * time.Millisecond) {
		select {
		case err := <-waiting:
			t.Fatalf("the UPDATE did not wait: %v", err)
		default:
		}
		const query = "SELECT COUNT(*) > 0 FROM performance_schema.data_lock_waits" // innodb_trx is a cache that polling keeps stale
		if err := db.QueryRowContext(ctx, query).Scan(&locked); err != nil {
			t.Fatal(err)
		}
	}
	const wait = 300 * time.Millisecond
	time.Sleep(wait)
	before, err := e.work(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}
	var work serverWork
	for end := time.Now().Add(10 * time.Second); work.roundTrips < 2 && time.Now().Before(end); { // counted after the reply
		after, err := e.work(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		work = after.since(before)
	}
	if work.roundTrips != 2 { // COMMIT and the waiting UPDATE
		t.Errorf("got %d round trips, want 2", work.roundTrips)
	}
	if work.locked < wait/2 || work.busy < work.locked {
		t.Errorf("got %s busy and %s locked after waiting for %s", work.busy, work.locked, wait)
	}
}

func closed(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
