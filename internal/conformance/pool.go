package conformance

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

var poolCases = []testCase{
	{name: "OneConnectionIsEnough", run: oneConnectionIsEnough},
	{name: "StartersShareABoundedPool", run: startersShareABoundedPool},
	{name: "TransactionsShareABoundedPool", run: transactionsShareABoundedPool},
}

// bound limits the pool to n connections, or one on SQLite, and returns the limit. Calls that wait for another connection
// fail when the context ends.
func bound(t *testing.T, db *database, n int) (context.Context, int) {
	t.Helper()
	if db.Dialect == ttp.SQLite {
		n = 1
	}
	db.pool.SetMaxOpenConns(n)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx, n
}

func oneConnectionIsEnough(t *testing.T, db *database) {
	ctx, _ := bound(t, db, 1)
	s := must[*ttp.Store](t)(ttp.New(db.pool, db.Dialect))
	succeed(t, s.Migrate(ctx))
	succeed(t, s.Migrate(ctx))
	result := must[ttp.InsertResult](t)(s.InsertTags(ctx, newTags(3)))
	equal(t, "inserted", result.Inserted, 3)
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i")}, {UUID: id("j")}}))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("attacker"), IdentityUUID: id("i")}}))
	succeed(t, s.MergeIdentity(ctx, id("i"), id("j")))
	must[[]ttp.IdentityTechniqueRow](t)(s.ListTechniquesByIdentity(ctx, id("j")))
	must[[]ttp.TechniqueRollupRow](t)(s.ListDistinctTechniques(ctx))
	var out bytes.Buffer
	must[ttp.ExportReport](t)(s.Export(ctx, &out, ttp.Filter{}, nil))
	must[ttp.ImportReport](t)(s.Import(ctx, &out, ttp.ImportOptions{}))
	for _, err := range s.TagsSeq(ctx, ttp.Fleet(), ttp.Filter{}) {
		succeed(t, err)
	}
	for _, err := range s.Verify(ctx, ttp.VerifyOptions{Repair: true}) {
		succeed(t, err)
	}
	must[ttp.Receipt](t)(s.RollbackRule(ctx, ttp.Filter{RuleID: "R1001"}, ttp.WithTombstone("")))
	must[ttp.Receipt](t)(s.PurgeIdentity(ctx, id("j")))
	succeed(t, s.MigrateDown(ctx, 0))
}

// Several stores on one pool migrate at once, first an empty database and then a migrated one.
func startersShareABoundedPool(t *testing.T, db *database) {
	ctx, n := bound(t, db, 3)
	for range 2 {
		errs := make([]error, n)
		var wg sync.WaitGroup
		for i := range n {
			s := must[*ttp.Store](t)(ttp.New(db.pool, db.Dialect))
			wg.Go(func() { errs[i] = s.Migrate(ctx) })
		}
		wg.Wait()
		succeed(t, errors.Join(errs...))
	}
}

// The caller's transactions hold all connections when the store is first used.
func transactionsShareABoundedPool(t *testing.T, db *database) {
	overPool(t, db)
	ctx, n := bound(t, db, 3)
	var txs []*sql.Tx
	for range n {
		tx, err := db.pool.BeginTx(ctx, nil)
		succeed(t, err)
		defer func() { _ = tx.Rollback() }()
		txs = append(txs, tx)
	}
	s := must[*ttp.Store](t)(ttp.New(db.pool, db.Dialect))
	for i, tx := range txs {
		inner, technique := s.WithTx(tx), fmt.Sprintf("T%04d", 1000+i) // different counters, so that the transactions do not block each other
		result, err := inner.InsertTags(ctx, newTags(2, func(tag *ttp.Tag) {
			tag.SourceID = fmt.Sprint(tag.SourceID, "-", i)
			tag.TechniqueID = technique
		}))
		succeed(t, err)
		equal(t, "inserted", result.Inserted, 2)
		must[[]ttp.TechniqueRollupRow](t)(inner.ListDistinctTechniques(ctx))
		must[ttp.ImportReport](t)(inner.Import(ctx, strings.NewReader(""), ttp.ImportOptions{}))
	}
	for _, tx := range txs {
		succeed(t, tx.Commit())
	}
	equal(t, "tags", count(t, s), int64(2*n))
}
