package conformance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

var removalCases = []testCase{
	{name: "InvalidRemovalsAreRefused", run: invalidRemovalsAreRefused},
	{name: "UnknownIDsReturnAnEmptyReceipt", run: unknownIDsReturnAnEmptyReceipt},
	{name: "PurgeOfAnIdentityKeepsItsAttackers", run: purgeOfAnIdentityKeepsItsAttackers},
	{name: "PurgeOfAnIdentityAndItsAttackers", run: purgeOfAnIdentityAndItsAttackers},
	{name: "BatchIsRolledBack", run: batchIsRolledBack},
	{name: "RemovalsRunInBoundedBatches", run: removalsRunInBoundedBatches},
	{name: "ProgressCountsExaminedTags", run: progressCountsExaminedTags},
	{name: "DryRunLeavesStaleCounts", run: dryRunLeavesStaleCounts},
	{name: "ReleasedTagsNeedNoTombstone", run: releasedTagsNeedNoTombstone},
	{name: "PurgeRemovesTheAttackerItself", run: purgeRemovesTheAttackerItself},
	{name: "InterruptedRemovalContinues", run: interruptedRemovalContinues},
	{name: "InsertsProceedDuringAPurge", run: insertsProceedDuringAPurge},
	{name: "RacingPurgesShareTheReceipt", run: racingPurgesShareTheReceipt},
	{name: "OrphanSweepCallsExists", run: orphanSweepCallsExists},
	{name: "CallersTransactionRollsBackARemoval", run: callersTransactionRollsBackARemoval},
}

// removals returns all removals. Each of them would remove the tags of newTag.
func removals(s *ttp.Store) map[string]func(context.Context, ...ttp.RemovalOption) (ttp.Receipt, error) {
	return map[string]func(context.Context, ...ttp.RemovalOption) (ttp.Receipt, error){
		"PurgeAttacker": func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
			return s.PurgeAttacker(ctx, id("attacker"), opts...)
		},
		"PurgeSession": func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
			return s.PurgeSession(ctx, "session", opts...)
		},
		"PurgeIdentity": func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
			return s.PurgeIdentity(ctx, id("identity"), opts...)
		},
		"PurgeIdentityAndAttackers": func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
			return s.PurgeIdentityAndAttackers(ctx, id("identity"), opts...)
		},
		"RollbackRule": func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
			return s.RollbackRule(ctx, ttp.Filter{RuleID: "R1001"}, opts...)
		},
		"RollbackBatch": func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
			return s.RollbackBatch(ctx, id("batch"), opts...)
		},
		"ExpireTags": func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
			return s.ExpireTags(ctx, time.Hour, opts...)
		},
		"SweepOrphans": func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
			none := func(_ context.Context, sources []ttp.Source) ([]bool, error) { return make([]bool, len(sources)), nil }
			return s.SweepOrphans(ctx, none, opts...)
		},
	}
}

func invalidRemovalsAreRefused(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTag("1"))
	check := func(what string, fields []string, receipt ttp.Receipt, err error) {
		t.Helper()
		equal(t, what, problemFields(t, err), fields)
		equal(t, "receipt of "+what, receipt, ttp.Receipt{})
	}
	receipt, err := s.PurgeAttacker(ctx, uuid.Nil)
	check("attacker", []string{"attacker_uuid"}, receipt, err)
	receipt, err = s.PurgeIdentity(ctx, uuid.Nil)
	check("identity", []string{"identity_uuid"}, receipt, err)
	receipt, err = s.PurgeIdentityAndAttackers(ctx, uuid.Nil)
	check("identity and attackers", []string{"identity_uuid"}, receipt, err)
	receipt, err = s.PurgeSession(ctx, "")
	check("session", []string{"session_id"}, receipt, err)
	receipt, err = s.RollbackBatch(ctx, uuid.Nil)
	check("batch", []string{"batch_uuid"}, receipt, err)
	receipt, err = s.RollbackRule(ctx, ttp.Filter{})
	check("no rule", []string{"rule_id"}, receipt, err)
	receipt, err = s.RollbackRule(ctx, ttp.Filter{RuleID: "R1001", Since: at(5), Until: at(4)})
	check("window", []string{"until"}, receipt, err)
	receipt, err = s.RollbackRule(ctx, ttp.Filter{RuleID: "R1001", RuleVersion: new(-1)})
	check("version", []string{"rule_version"}, receipt, err)
	for _, keep := range []time.Duration{0, -time.Hour} {
		receipt, err = s.ExpireTags(ctx, keep)
		check("retention", []string{"keep"}, receipt, err)
	}
	for name, remove := range removals(s) {
		for _, size := range []int{0, -1, ttp.MaxRemovalBatch + 1} {
			receipt, err = remove(ctx, ttp.WithBatchSize(size))
			check(name, []string{"batch_size"}, receipt, err)
		}
		receipt, err = remove(ctx, ttp.WithTombstone(strings.Repeat("x", 256)))
		check(name, []string{"reason"}, receipt, err)
	}
	equal(t, "tags", count(t, s), 1)
}

func unknownIDsReturnAnEmptyReceipt(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTag("1", func(tag *ttp.Tag) { tag.AttackerUUID, tag.RuleID, tag.ObservedAt = id("another"), "R1", time.Now() }))
	for name, remove := range removals(s) {
		if name == "SweepOrphans" {
			continue
		}
		for _, opts := range [][]ttp.RemovalOption{
			{}, {ttp.WithTombstone("")}, {ttp.DryRun()}, {ttp.WithBatchSize(1)}, {ttp.WithBatchSize(ttp.MaxRemovalBatch)},
		} {
			receipt := must[ttp.Receipt](t)(remove(ctx, opts...))
			receipt.DryRun = false
			equal(t, name, receipt, ttp.Receipt{})
		}
	}
	equal(t, "receipt of an invalid session", must[ttp.Receipt](t)(s.PurgeSession(ctx, " x")), ttp.Receipt{})
	equal(t, "tombstones", must[[]ttp.Tombstone](t)(s.ListTombstones(ctx, uuid.Nil, 10)), []ttp.Tombstone{})
	equal(t, "tags", count(t, s), 1)
}

func purgeOfAnIdentityKeepsItsAttackers(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	storeActor(t, s)
	_, err := s.PurgeIdentity(ctx, id("k"))
	if !errors.Is(err, ttp.ErrConflict) || !strings.Contains(err.Error(), id("j").String()) {
		t.Errorf("purge of a merged identity: got %v", err)
	}
	want := ttp.Receipt{
		DryRun: true, Tags: 2, Techniques: map[string]int64{"T1110": 2}, Identities: 3, ReleasedTags: 3, ReleasedAttackers: 2,
	}
	lines := exported(t, s)
	equal(t, "dry run", must[ttp.Receipt](t)(s.PurgeIdentity(ctx, id("i"), ttp.DryRun())), want)
	equal(t, "records after the dry run", exported(t, s), lines)
	want.DryRun = false
	equal(t, "receipt", must[ttp.Receipt](t)(s.PurgeIdentity(ctx, id("i"))), want)
	equal(t, "tags of the identity", byIdentity(t, s, "i"), map[string]int64{})
	equal(t, "tags of the other identity", byIdentity(t, s, "other"), map[string]int64{"T1003": 3})
	equal(t, "tags of its attacker", must[int64](t)(s.CountTags(ctx, ttp.OfAttacker(id("a")), ttp.Filter{})), 3)
	equal(t, "its attacker", must[ttp.Attacker](t)(s.GetAttacker(ctx, id("a"))).IdentityUUID, uuid.Nil)
	equal(t, "findings", collect(t, s.Verify(ctx, ttp.VerifyOptions{})), []ttp.Finding(nil))
	equal(t, "receipt of a second run", must[ttp.Receipt](t)(s.PurgeIdentity(ctx, id("i"))), ttp.Receipt{})
}

func purgeOfAnIdentityAndItsAttackers(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	storeActor(t, s)
	want := ttp.Receipt{DryRun: true, Tags: 7, Techniques: map[string]int64{"T1110": 2, "T1078": 3, "T1003": 2}, Attackers: 2, Identities: 3}
	equal(t, "dry run", must[ttp.Receipt](t)(s.PurgeIdentityAndAttackers(ctx, id("i"), ttp.DryRun())), want)
	want.DryRun = false
	equal(t, "receipt", must[ttp.Receipt](t)(s.PurgeIdentityAndAttackers(ctx, id("i"))), want)
	equal(t, "remaining tags", sourcesOf(stored(t, s)), []string{"c's"})
	equal(t, "findings", collect(t, s.Verify(ctx, ttp.VerifyOptions{})), []ttp.Finding(nil))
}

func batchIsRolledBack(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTags(5)...)
	batch := insert(t, s, newTags(12)...).BatchUUID // the first five are duplicates
	for _, dry := range []ttp.RemovalOption{ttp.DryRun(), ttp.WithBatchSize(3)} {
		receipt := must[ttp.Receipt](t)(s.RollbackBatch(ctx, batch, ttp.WithBatchSize(3), dry))
		equal(t, "tags of the receipt", receipt.Tags, 7)
	}
	equal(t, "tags", count(t, s), 5)
}

func removalsRunInBoundedBatches(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTags(25)...)
	before, reports := int64(0), 0
	progress := ttp.WithProgress(func(r ttp.RemovalProgress) {
		reports++
		if r.Tags-before > 4 {
			t.Errorf("one transaction removed %d tags", r.Tags-before)
		}
		before = r.Tags
		equal(t, "tags between transactions", count(t, s), 25-r.Tags)
		equal(t, "techniques of the receipt", r.Techniques, map[string]int64{"T1110": r.Tags})
	})
	receipt := must[ttp.Receipt](t)(s.PurgeAttacker(ctx, id("attacker"), ttp.WithBatchSize(4), progress))
	equal(t, "tags of the receipt", receipt.Tags, 25)
	if reports < 7 {
		t.Errorf("%d reports", reports)
	}
}

func progressCountsExaminedTags(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	for i, tag := range newTags(6) {
		tag.ObservedAt = at(i)
		insert(t, s, tag)
	}
	var reports [][2]int64 // tags examined and removed
	var techniques []map[string]int64
	opts := []ttp.RemovalOption{ttp.WithBatchSize(2), ttp.WithProgress(func(r ttp.RemovalProgress) {
		reports, techniques = append(reports, [2]int64{r.Examined, r.Tags}), append(techniques, r.Techniques)
	})}
	must[ttp.Receipt](t)(s.SweepOrphans(ctx, func(_ context.Context, sources []ttp.Source) ([]bool, error) {
		return []bool{sources[0].ID != "event-3", sources[1].ID != "event-2"}, nil
	}, opts...))
	equal(t, "reports of a sweep", reports, [][2]int64{{2, 0}, {4, 2}, {6, 2}})
	reports, techniques = nil, nil
	must[ttp.Receipt](t)(s.PurgeAttacker(ctx, id("attacker"), opts...))
	equal(t, "reports of a purge", reports, [][2]int64{{2, 2}, {4, 4}, {4, 4}}) // the last one is of the attacker's row
	equal(t, "techniques of the reports", techniques, []map[string]int64{{"T1110": 2}, {"T1110": 4}, {"T1110": 4}})
}

// The counts of a technique are stale after a removal in a caller's transaction.
func dryRunLeavesStaleCounts(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTags(2)...)
	exec(t, db, "UPDATE ttp_technique_count SET stale = 1")
	must[ttp.Receipt](t)(s.PurgeAttacker(ctx, id("attacker"), ttp.DryRun()))
	var fresh int
	succeed(t, db.pool.QueryRowContext(ctx, "SELECT COUNT(*) FROM ttp_technique_count WHERE stale = 0").Scan(&fresh))
	equal(t, "counts that the dry run has written", fresh, 0)
}

func releasedTagsNeedNoTombstone(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i")}}))
	insert(t, s, newTag("1", named("a", "i", "T1110")))
	want := ttp.Receipt{ReleasedTags: 1, Identities: 1}
	equal(t, "receipt", must[ttp.Receipt](t)(s.PurgeIdentity(ctx, id("i"), ttp.WithTombstone(""))), want)
	equal(t, "tombstones", must[[]ttp.Tombstone](t)(s.ListTombstones(ctx, uuid.Nil, 10)), []ttp.Tombstone{})
}

func purgeRemovesTheAttackerItself(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("attacker")}, {UUID: id("another")}}))
	insert(t, s, newTag("1"))
	want := ttp.Receipt{DryRun: true, Tags: 1, Techniques: map[string]int64{"T1110": 1}, Attackers: 1}
	equal(t, "dry run", must[ttp.Receipt](t)(s.PurgeAttacker(ctx, id("attacker"), ttp.DryRun())), want)
	want.DryRun = false
	equal(t, "receipt", must[ttp.Receipt](t)(s.PurgeAttacker(ctx, id("attacker"))), want)
	equal(t, "attackers", must[ttp.ScopeCounts](t)(s.CountScopes(ctx)), ttp.ScopeCounts{Attackers: 1})
	must[ttp.Attacker](t)(s.GetAttacker(ctx, id("another")))
}

func interruptedRemovalContinues(t *testing.T, db *database) {
	s := db.store(t)
	insert(t, s, newTags(25)...)
	var sum ttp.Receipt
	runs := 0
	for interrupted := true; interrupted; runs++ {
		ctx, cancel := context.WithCancel(context.Background())
		receipt, err := s.RollbackRule(ctx, ttp.Filter{RuleID: "R1001"}, ttp.WithTombstone(""), ttp.WithBatchSize(4),
			ttp.WithProgress(func(ttp.RemovalProgress) { cancel() }))
		cancel()
		interrupted = errors.Is(err, context.Canceled)
		if !interrupted {
			succeed(t, err)
		}
		sum.Add(receipt)
		equal(t, "tags", count(t, s), 25-sum.Tags)
	}
	equal(t, "runs", runs, 8) // the last one recounts the technique
	equal(t, "tags of all receipts", sum.Tags, 25)
	equal(t, "replay", slices.Compact(insert(t, s, newTags(25)...).Outcomes), []ttp.Outcome{ttp.Tombstoned})
	for _, tombstone := range must[[]ttp.Tombstone](t)(s.ListTombstones(context.Background(), uuid.Nil, 100)) {
		sum.Tags -= must[int64](t)(s.LiftTombstone(context.Background(), tombstone.UUID))
	}
	equal(t, "removed tags without a tombstone", sum.Tags, 0)
	equal(t, "replay", insert(t, s, newTags(25)...).Inserted, 25)
}

func insertsProceedDuringAPurge(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	const writers, calls, perCall = 4, 10, 7
	var old []ttp.Tag
	for i := range 500 {
		old = append(old, newTag(fmt.Sprint("old ", i)))
	}
	insert(t, s, old...)
	var wg sync.WaitGroup
	errs := make([]error, writers+1)
	var receipt ttp.Receipt
	wg.Go(func() { receipt, errs[writers] = s.PurgeAttacker(ctx, id("attacker"), ttp.WithBatchSize(20)) })
	for w := range writers {
		wg.Go(func() {
			for call := range calls {
				var tags []ttp.Tag
				for i := range perCall {
					tags = append(tags, newTag(fmt.Sprint(w, call, i), func(tag *ttp.Tag) {
						tag.AttackerUUID, tag.ObservedAt = id([]string{"attacker", "another"}[i%2]), at(1+i)
					}))
				}
				result, err := s.InsertTags(ctx, tags)
				if err == nil && result.Inserted != perCall {
					err = fmt.Errorf("inserted %d of %d", result.Inserted, perCall)
				}
				errs[w] = errors.Join(errs[w], err)
			}
		})
	}
	wg.Wait()
	succeed(t, errors.Join(errs...))
	remaining := must[int64](t)(s.CountTags(ctx, ttp.OfAttacker(id("attacker")), ttp.Filter{}))
	equal(t, "removed and remaining tags of the attacker", receipt.Tags+remaining, 500+writers*calls*4)
	equal(t, "tags of another", must[int64](t)(s.CountTags(ctx, ttp.OfAttacker(id("another")), ttp.Filter{})), writers*calls*3)
}

func racingPurgesShareTheReceipt(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	storeActor(t, s)
	insert(t, s, newTags(200, named("a", "i", "T1110"))...)
	receipts, errs := make([]ttp.Receipt, 4), make([]error, 4)
	var wg sync.WaitGroup
	for i := range receipts {
		wg.Go(func() { receipts[i], errs[i] = s.PurgeIdentityAndAttackers(ctx, id("i"), ttp.WithBatchSize(10)) })
	}
	wg.Wait()
	succeed(t, errors.Join(errs...))
	var sum ttp.Receipt
	for _, r := range receipts {
		sum.Add(r)
	}
	equal(t, "sum of the receipts", sum, ttp.Receipt{
		Tags: 207, Techniques: map[string]int64{"T1110": 202, "T1078": 3, "T1003": 2}, Attackers: 2, Identities: 3,
	})
}

func orphanSweepCallsExists(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	for i := range 10 {
		for _, technique := range []string{"T1110", "T1078"} {
			insert(t, s, newTag(fmt.Sprint(i), named("a", "", technique)))
		}
	}
	boom := errors.New("boom")
	_, err := s.SweepOrphans(ctx, nil)
	equal(t, "without a function", problemFields(t, err), []string{"exists"})
	receipt, err := s.SweepOrphans(ctx, func(context.Context, []ttp.Source) ([]bool, error) {
		return nil, fmt.Errorf("%w: %w", boom, sql.ErrNoRows) // of the caller's own database
	})
	if !errors.Is(err, boom) || errors.Is(err, ttp.ErrNotFound) || receipt.Tags != 0 {
		t.Errorf("got %v and %v", receipt, err)
	}
	if _, err := s.SweepOrphans(ctx, func(context.Context, []ttp.Source) ([]bool, error) { return []bool{true}, nil }); err == nil {
		t.Error("one result for ten sources was accepted")
	}
	equal(t, "tags", count(t, s), 20)
	var checked []string
	receipt = must[ttp.Receipt](t)(s.SweepOrphans(ctx, func(_ context.Context, sources []ttp.Source) ([]bool, error) {
		kept := make([]bool, len(sources))
		for i, source := range sources {
			equal(t, "kind", source.Kind, "command")
			checked = append(checked, source.ID)
			kept[i] = source.ID != "3" && source.ID != "4"
		}
		return kept, nil
	}))
	slices.Sort(checked)
	equal(t, "checked sources", checked, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"})
	equal(t, "receipt", receipt, ttp.Receipt{Tags: 4, Techniques: map[string]int64{"T1110": 2, "T1078": 2}})
	equal(t, "tags", count(t, s), 16)
}

func callersTransactionRollsBackARemoval(t *testing.T, db *database) {
	ctx, s := context.Background(), overPool(t, db)
	insert(t, s, newTags(10)...)
	for _, commit := range []bool{false, true} {
		tx, err := db.pool.BeginTx(ctx, nil)
		succeed(t, err)
		inner := s.WithTx(tx)
		receipt := must[ttp.Receipt](t)(inner.PurgeAttacker(ctx, id("attacker"), ttp.WithBatchSize(3), ttp.WithTombstone("")))
		equal(t, "tags of the receipt", receipt.Tags, 10)
		equal(t, "replay in the transaction", slices.Compact(insert(t, inner, newTags(10)...).Outcomes), []ttp.Outcome{ttp.Tombstoned})
		if commit {
			succeed(t, tx.Commit())
		} else {
			succeed(t, tx.Rollback())
			equal(t, "tags after the rollback", count(t, s), 10)
		}
	}
	equal(t, "tags after the commit", count(t, s), 0)
}
