package integration

import (
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

func id(name string) uuid.UUID { return ttp.ComputeTagUUID(name, "", "", 0, "", "") }

// oldSnapshot returns a store in a transaction that does not see later changes.
func oldSnapshot(t *testing.T, dsn string) (*ttp.Store, *sql.Tx) {
	t.Helper()
	pool, s := overPool(t, dsn)
	succeed(t, s.CheckSchema(t.Context())) // on vtgate, the first call requires READ COMMITTED
	tx, err := pool.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	inner := s.WithTx(tx)
	if _, err := inner.GetIdentity(t.Context(), id("none")); !errors.Is(err, ttp.ErrNotFound) {
		t.Fatal(err)
	}
	return inner, tx
}

func succeed(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The purge cannot see that the attacker belongs to the identity, and must end nevertheless.
func TestPurgeInAnOldSnapshotEnds(t *testing.T) {
	dsn := newDatabase(t)
	s := openStore(t, "mysql://"+dsn)
	succeed(t, s.UpsertIdentities(t.Context(), []ttp.Identity{{UUID: id("i")}, {UUID: id("j")}}))
	succeed(t, s.UpsertAttackers(t.Context(), []ttp.Attacker{{UUID: id("a"), IdentityUUID: id("j")}}))
	inner, tx := oldSnapshot(t, dsn)
	succeed(t, s.AssignAttackers(t.Context(), id("i"), id("a")))
	if _, err := inner.PurgeIdentity(t.Context(), id("i")); !errors.Is(err, ttp.ErrBusy) {
		t.Errorf("got %v", err)
	}
	succeed(t, tx.Rollback())
	receipt, err := s.PurgeIdentity(t.Context(), id("i"))
	if err != nil || receipt.ReleasedAttackers != 1 || receipt.Identities != 1 {
		t.Errorf("got %+v, %v", receipt, err)
	}
}

// A tombstone that is newer than the snapshot of the transaction rejects the tag.
func TestTombstoneHoldsInAnOldSnapshot(t *testing.T) {
	dsn := newDatabase(t)
	s := openStore(t, "mysql://"+dsn)
	if _, err := s.InsertTags(t.Context(), []ttp.Tag{retryTag("1")}); err != nil {
		t.Fatal(err)
	}
	inner, tx := oldSnapshot(t, dsn)
	if _, err := s.RollbackRule(t.Context(), ttp.Filter{RuleID: "R1001"}, ttp.WithTombstone("")); err != nil {
		t.Fatal(err)
	}
	result, err := inner.InsertTags(t.Context(), []ttp.Tag{retryTag("1"), retryTag("2")})
	if want := []ttp.Outcome{ttp.Tombstoned, ttp.Inserted}; err != nil || !slices.Equal(result.Outcomes, want) {
		t.Errorf("got %v, %v", result.Outcomes, err)
	}
	succeed(t, tx.Commit())
}

// A call restores MariaDB's innodb_snapshot_isolation.
func TestCallersIsolationIsRestored(t *testing.T) {
	const isolation = "SELECT 0 /*M!110602 + @@innodb_snapshot_isolation */"
	dsn := newDatabase(t)
	openStore(t, "mysql://"+dsn)
	pool, s := overPool(t, dsn)
	tx, err := pool.BeginTx(t.Context(), nil)
	succeed(t, err)
	var before, after int
	succeed(t, tx.QueryRowContext(t.Context(), isolation).Scan(&before))
	_, err = s.WithTx(tx).InsertTags(t.Context(), []ttp.Tag{retryTag("1")})
	succeed(t, err)
	succeed(t, tx.QueryRowContext(t.Context(), isolation).Scan(&after))
	if before != after {
		t.Errorf("innodb_snapshot_isolation was %d before the call and is %d after it", before, after)
	}
	succeed(t, tx.Rollback())
}

// Two concurrent calls set the first identity of an attacker that is not stored. The second one re-keys the tags.
func TestRacingFirstIdentitiesMoveTheTags(t *testing.T) {
	dsn := newDatabase(t)
	s := openStore(t, "mysql://"+dsn)
	tag := retryTag("1")
	tag.AttackerUUID, tag.IdentityUUID = id("b"), id("i")
	if _, err := s.InsertTags(t.Context(), []ttp.Tag{tag}); err != nil {
		t.Fatal(err)
	}
	// The second call waits for a row of this transaction, before or after it has read b.
	pool, over := overPool(t, dsn)
	tx, err := pool.BeginTx(t.Context(), nil)
	succeed(t, err)
	succeed(t, over.WithTx(tx).UpsertAttackers(t.Context(), []ttp.Attacker{{UUID: id("a")}, {UUID: id("b"), IdentityUUID: id("i")}}))
	done := make(chan error, 1)
	go func() {
		done <- s.UpsertAttackers(t.Context(), []ttp.Attacker{{UUID: id("a")}, {UUID: id("b"), IdentityUUID: id("j")}})
	}()
	time.Sleep(300 * time.Millisecond)
	succeed(t, tx.Commit())
	succeed(t, <-done)
	rows, err := s.ListTechniquesByIdentity(t.Context(), id("j"))
	if err != nil || len(rows) != 1 {
		t.Errorf("got %+v, %v", rows, err)
	}
	for finding, err := range s.Verify(t.Context(), ttp.VerifyOptions{}) {
		if err != nil || finding.Kind == ttp.IdentityMismatch {
			t.Errorf("got %+v, %v", finding, err)
		}
	}
}
