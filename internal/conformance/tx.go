package conformance

import (
	"context"
	"errors"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

var txCases = []testCase{
	{name: "CallersTransactionCommitsOrRollsBack", run: callersTransactionCommitsOrRollsBack},
	{name: "FailedCallIsUndoneInTheTransaction", run: failedCallIsUndoneInTheTransaction},
	{name: "CancelledCallIsUndoneInTheTransaction", run: cancelledCallIsUndoneInTheTransaction},
	{name: "CloseLeavesTheCallersPoolOpen", run: closeLeavesTheCallersPoolOpen},
	{name: "CapabilitiesAreReported", run: capabilitiesAreReported},
}

// Capabilities needs no schema.
func capabilitiesAreReported(t *testing.T, db *database) {
	equal(t, "capabilities", must[ttp.Capabilities](t)(db.open(t).Capabilities(context.Background())), db.Capabilities)
}

// overPool returns a migrated store on the caller's pool.
func overPool(t *testing.T, db *database) *ttp.Store {
	t.Helper()
	s := must[*ttp.Store](t)(ttp.New(db.pool, db.Dialect))
	succeed(t, s.Migrate(context.Background()))
	return s
}

func callersTransactionCommitsOrRollsBack(t *testing.T, db *database) {
	ctx, s := context.Background(), overPool(t, db)
	for _, commit := range []bool{false, true} {
		tx, err := db.pool.BeginTx(ctx, nil)
		succeed(t, err)
		inner := s.WithTx(tx)
		equal(t, "inserted", insert(t, inner, newTag("1"), newTag("2")).Inserted, 2)
		equal(t, "inserted by a replay", insert(t, inner, newTag("2")).Inserted, 0)
		succeed(t, inner.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("attacker"), IdentityUUID: id("i")}}))
		equal(t, "rollup in the transaction", byIdentity(t, inner, "i"), map[string]int64{"T1110": 2})
		succeed(t, inner.Close())
		if !commit {
			succeed(t, tx.Rollback())
			equal(t, "tags after the rollback", count(t, s), 0)
			continue
		}
		succeed(t, tx.Commit())
		equal(t, "tags after the commit", count(t, s), 2)
	}
}

func failedCallIsUndoneInTheTransaction(t *testing.T, db *database) {
	ctx, s := context.Background(), overPool(t, db)
	tx, err := db.pool.BeginTx(ctx, nil)
	succeed(t, err)
	inner := s.WithTx(tx)
	insert(t, inner, newTag("1"))
	err = inner.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i"), MergedIntoUUID: id("j")}, {UUID: id("j"), MergedIntoUUID: id("i")}})
	if !errors.Is(err, ttp.ErrConflict) {
		t.Errorf("got %v", err)
	}
	if err := inner.Migrate(ctx); err == nil {
		t.Error("migrating inside a transaction succeeded")
	}
	insert(t, inner, newTag("2"))
	succeed(t, tx.Commit())
	equal(t, "tags", count(t, s), 2)
	if _, err := s.GetIdentity(ctx, id("i")); !errors.Is(err, ttp.ErrNotFound) {
		t.Errorf("row of the failed call: got %v", err)
	}
}

// The end of a context undoes only the cancelled call.
func cancelledCallIsUndoneInTheTransaction(t *testing.T, db *database) {
	ctx, s := context.Background(), overPool(t, db)
	tx, err := db.pool.BeginTx(ctx, nil)
	succeed(t, err)
	inner := s.WithTx(tx)
	insert(t, inner, newTag("1"))
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := inner.InsertTags(cancelled, newTags(1000)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	succeed(t, tx.Commit())
	equal(t, "tags", count(t, s), 1)
}

func closeLeavesTheCallersPoolOpen(t *testing.T, db *database) {
	s := overPool(t, db)
	succeed(t, s.Ping(context.Background()))
	succeed(t, s.Close())
	succeed(t, db.pool.PingContext(context.Background()))
}
