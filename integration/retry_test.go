package integration

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

func retryTag(source string) ttp.Tag {
	return ttp.Tag{
		SourceKind: "command", SourceID: source, AttackerUUID: ttp.ComputeTagUUID("a", "", "", 0, "", ""),
		Tactic: "TA0006", TechniqueID: "T1110", Confidence: 0.7, RuleID: "R1001", Evidence: []byte(`{}`),
		AttackRelease: "enterprise-v18.1", ObservedAt: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
	}
}

// holder inserts a tag in an uncommitted transaction, which locks the row.
func holder(t *testing.T, dsn string, tag ttp.Tag) *sql.Tx {
	t.Helper()
	pool, s := overPool(t, dsn)
	if err := s.CheckSchema(t.Context()); err != nil {
		t.Fatal(err)
	}
	tx, err := pool.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.WithTx(tx).InsertTags(t.Context(), []ttp.Tag{tag}); err != nil {
		t.Fatal(err)
	}
	return tx
}

// After a lock wait timeout the server has rolled back only the statement. The store retries the whole transaction, and the
// outcome depends on the end of the other transaction.
func TestLockTimeoutIsRetried(t *testing.T) {
	for name, want := range map[string]ttp.Outcome{"commit": ttp.Duplicate, "rollback": ttp.Inserted} {
		t.Run(name, func(t *testing.T) {
			dsn := newDatabase(t)
			s := openStore(t, "mysql://"+dsn+"?innodb_lock_wait_timeout=1")
			tags := []ttp.Tag{retryTag("1"), retryTag("2"), retryTag("3")}
			tx := holder(t, dsn, tags[1])
			end := tx.Commit
			if want == ttp.Inserted {
				end = tx.Rollback
			}
			time.AfterFunc(2500*time.Millisecond, func() { _ = end() })
			begin := time.Now()
			result, err := s.InsertTags(t.Context(), tags)
			if err != nil {
				t.Fatal(err)
			}
			if result.Outcomes[0] != ttp.Inserted || result.Outcomes[1] != want || result.Outcomes[2] != ttp.Inserted {
				t.Errorf("got %v", result.Outcomes)
			}
			if time.Since(begin) < time.Second {
				t.Error("the insert did not wait for a lock")
			}
		})
	}
}

// A tag that was deleted since the snapshot of the transaction is inserted, and is no duplicate.
func TestOldSnapshotInsertsDeletedTags(t *testing.T) {
	dsn := newDatabase(t)
	openStore(t, "mysql://"+dsn)
	pool, s := overPool(t, dsn)
	if _, err := s.InsertTags(t.Context(), []ttp.Tag{retryTag("1")}); err != nil {
		t.Fatal(err)
	}
	tx, err := pool.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	inner := s.WithTx(tx)
	if rows, err := inner.ListDistinctTechniques(t.Context()); err != nil || len(rows) != 1 {
		t.Fatalf("got %v, %v", rows, err)
	}
	if _, err := pool.ExecContext(t.Context(), "DELETE FROM ttp_tag"); err != nil {
		t.Fatal(err)
	}
	result, err := inner.InsertTags(t.Context(), []ttp.Tag{retryTag("1")})
	if err != nil || result.Inserted != 1 {
		t.Errorf("got %+v, %v", result, err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if rows, err := s.ListDistinctTechniques(t.Context()); err != nil || len(rows) != 1 {
		t.Errorf("stored: %v, %v", rows, err)
	}
}

// The errors of a purge and an import that wait for an uncommitted transaction name the cause.
func TestUncommittedTransactionIsReported(t *testing.T) {
	t.Parallel()
	dsn := newDatabase(t)
	s := openStore(t, "mysql://"+dsn+"?innodb_lock_wait_timeout=3")
	succeed(t, s.UpsertIdentities(t.Context(), []ttp.Identity{{UUID: id("i")}}))
	tag := retryTag("1")
	tag.AttackerUUID, tag.IdentityUUID = uuid.Nil, id("i")
	tx := holder(t, dsn, tag)
	record, err := json.Marshal(struct {
		Type string `json:"type"`
		ttp.Tag
	}{"tag", tag})
	succeed(t, err)
	write := map[string]func() error{
		"purge": func() error { return second(s.PurgeIdentity(t.Context(), id("i"))) },
		"import": func() error {
			return second(s.Import(t.Context(), bytes.NewReader(record), ttp.ImportOptions{}))
		},
	}
	var wg sync.WaitGroup
	for name, write := range write {
		wg.Go(func() {
			const cause = "an uncommitted transaction of another connection holds locks"
			if err := write(); !errors.Is(err, ttp.ErrBusy) || !strings.Contains(err.Error(), cause) {
				t.Errorf("%s: got %v", name, err)
			}
		})
	}
	wg.Wait()
	succeed(t, tx.Rollback())
	for name, write := range write {
		if err := write(); err != nil {
			t.Errorf("%s after the rollback: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestDeadlockIsErrBusy(t *testing.T) {
	dsn := newDatabase(t)
	openStore(t, "mysql://"+dsn)
	one, two := retryTag("1"), retryTag("2")
	two.TechniqueID = "T1078" // another counter, which does not block
	first, second := holder(t, dsn, one), holder(t, dsn, two)
	defer func() { _, _ = first.Rollback(), second.Rollback() }()
	_, s := overPool(t, dsn)
	errs := make(chan error, 2)
	for tx, tag := range map[*sql.Tx]ttp.Tag{first: two, second: one} {
		go func() {
			_, err := s.WithTx(tx).InsertTags(t.Context(), []ttp.Tag{tag})
			errs <- errors.Join(err, tx.Rollback())
		}()
	}
	// The server rolls back one of them at once, and the other succeeds.
	victim, other := <-errs, <-errs
	if victim == nil {
		victim, other = other, victim
	}
	if !errors.Is(victim, ttp.ErrBusy) || other != nil {
		t.Errorf("got %v and %v", victim, other)
	}
}
