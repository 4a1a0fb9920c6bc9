package integration

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

// TestConflictsLoseNothing makes eight writers run into deadlocks and lock wait timeouts.
func TestConflictsLoseNothing(t *testing.T) {
	dsn := newDatabase(t)
	var retries atomic.Int64
	s := openStore(t, "mysql://"+dsn+"?innodb_lock_wait_timeout=1", ttp.WithObserver(func(_ context.Context, o ttp.Observation) {
		retries.Add(int64(max(0, o.Attempts-1)))
	}))
	pool, _ := overPool(t, dsn)
	_, err := pool.ExecContext(t.Context(), "CREATE TABLE ballast (n INT)")
	succeed(t, err)
	rounds := faultRounds(t)
	ledger := newLedger()
	ledger.writeDuring(t.Context(), s, func() {
		for i := range rounds {
			tx, err := pool.BeginTx(t.Context(), nil)
			succeed(t, err)
			hold := lockCounts
			if i%2 == 0 {
				hold = deadlock
			}
			succeed(t, errors.Join(hold(tx), tx.Rollback()))
		}
	})
	ledger.check(t, s, "deadlocks and lock wait timeouts, 8 writers", rounds)
	t.Logf("%d transactions were repeated", retries.Load())
	if retries.Load() == 0 {
		t.Error("there was no conflict")
	}
}

// lockCounts locks the rows that all writers need for longer than their lock wait timeout.
func lockCounts(tx *sql.Tx) error {
	_, err := tx.Exec("SELECT tags FROM ttp_technique_count FOR UPDATE")
	time.Sleep(2500 * time.Millisecond) // MySQL checks for timeouts about once a second
	return err
}

// deadlock locks the counts of two techniques in the opposite order of writers. Its inserted rows make its transaction larger
// than theirs, so that the server rolls theirs back.
func deadlock(tx *sql.Tx) error {
	var errs []error
	for _, statement := range []string{
		"INSERT INTO ballast VALUES (0)" + strings.Repeat(", (0)", 999),
		"SELECT tags FROM ttp_technique_count WHERE technique_key >= 1110 * 100000000000000 FOR UPDATE",
		"SELECT tags FROM ttp_technique_count WHERE technique_key < 1110 * 100000000000000 FOR UPDATE",
	} {
		_, err := tx.Exec(statement)
		errs = append(errs, err)
		time.Sleep(10 * time.Millisecond)
	}
	return errors.Join(errs...)
}

// TestAReadOnlyServerLosesNothing makes the server read-only under eight writers.
func TestAReadOnlyServerLosesNothing(t *testing.T) {
	r := startRestartable(t)
	for _, statement := range []string{"CREATE USER writer IDENTIFIED BY 'w'", "GRANT ALL ON ttp.* TO writer"} {
		succeed(t, execute(r.config, statement))
	}
	writer := r.config.Clone()
	writer.User, writer.Passwd = "writer", "w" // root may write to a read-only server
	s := openStore(t, "mysql://"+writer.FormatDSN())
	rounds := min(faultRounds(t), 10)
	ledger := newLedger()
	ledger.writeDuring(t.Context(), s, func() {
		for i := 0; i < rounds || (ledger.failed() == 0 && i < rounds+20); i++ {
			for _, value := range []int{1, 0} {
				time.Sleep(200 * time.Millisecond)
				succeed(t, execute(r.config, fmt.Sprint("SET GLOBAL read_only = ", value)))
			}
		}
	})
	ledger.check(t, s, "read-only server, 8 writers", rounds)
	if ledger.failed() == 0 {
		t.Error("no call failed on the read-only server")
	}
}
