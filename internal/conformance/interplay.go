package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// interplayCases test concurrent changes between the transactions of a removal.
var interplayCases = []testCase{
	{name: "MergeDuringAPurgeIsAConflict", run: mergeDuringAPurgeIsAConflict},
	{name: "PurgeOfAMergeCycleIsAConflict", run: purgeOfAMergeCycleIsAConflict},
	{name: "IdentityMergedDuringAPurgeIsPurged", run: identityMergedDuringAPurgeIsPurged},
	{name: "AttackerReassignedDuringAPurgeIsKept", run: attackerReassignedDuringAPurgeIsKept},
	{name: "RekeyedTagsAreRemoved", run: rekeyedTagsAreRemoved},
	{name: "RemovalsSurviveAnInterruptionAtAnyStatement", run: removalsSurviveAnInterruptionAtAnyStatement, long: true},
}

// once calls change after the first transaction that removes a tag.
func once(change func()) ttp.RemovalOption {
	done := false
	return ttp.WithProgress(func(p ttp.RemovalProgress) {
		if p.Tags > 0 && !done {
			done = true
			change()
		}
	})
}

func purges(s *ttp.Store) []func(context.Context, uuid.UUID, ...ttp.RemovalOption) (ttp.Receipt, error) {
	return []func(context.Context, uuid.UUID, ...ttp.RemovalOption) (ttp.Receipt, error){s.PurgeIdentity, s.PurgeIdentityAndAttackers}
}

func mergeDuringAPurgeIsAConflict(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	for i, purge := range purges(s) {
		from, into := fmt.Sprint("from ", i), fmt.Sprint("into ", i)
		succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id(from)}, {UUID: id(into)}}))
		for n := range 3 {
			newer := func(tag *ttp.Tag) { tag.ObservedAt = at(10) }
			insert(t, s, newTag(fmt.Sprint(from, n), named("", from, "T1110"), newer), newTag(fmt.Sprint(into, n), named("", into, "T1110")))
		}
		receipt, err := purge(ctx, id(from), ttp.WithBatchSize(1), once(func() { succeed(t, s.MergeIdentity(ctx, id(from), id(into))) }))
		if !errors.Is(err, ttp.ErrConflict) {
			t.Errorf("got %v", err)
		}
		equal(t, "tags removed before the merge", receipt.Tags, 1)
		equal(t, "tags of both identities", byIdentity(t, s, into), map[string]int64{"T1110": 5})
	}
}

// A purge must end if the merges are inconsistent.
func purgeOfAMergeCycleIsAConflict(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i")}, {UUID: id("j"), MergedIntoUUID: id("i")}}))
	exec(t, db, "UPDATE ttp_identity SET merged_into_uuid = "+hex(id("j"))+" WHERE uuid = "+hex(id("i")))
	for _, purge := range purges(s) {
		if receipt, err := purge(ctx, id("i")); !errors.Is(err, ttp.ErrConflict) || receipt.Identities != 0 {
			t.Errorf("got %+v, %v", receipt, err)
		}
	}
}

func identityMergedDuringAPurgeIsPurged(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	for i, purge := range purges(s) {
		survivor, late := fmt.Sprint("survivor ", i), fmt.Sprint("late ", i)
		succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id(survivor)}, {UUID: id(late)}}))
		for n := range 3 {
			newer := func(tag *ttp.Tag) { tag.ObservedAt = at(10) }
			insert(t, s, newTag(fmt.Sprint(survivor, n), named("", survivor, "T1110")), newTag(fmt.Sprint(late, n), named("", late, "T1110"), newer))
		}
		merge := func() { succeed(t, s.MergeIdentity(ctx, id(late), id(survivor))) }
		receipt := must[ttp.Receipt](t)(purge(ctx, id(survivor), ttp.WithBatchSize(1), once(merge)))
		equal(t, "receipt", receipt, ttp.Receipt{Tags: 6, Techniques: map[string]int64{"T1110": 6}, Identities: 2})
		equal(t, "tags", count(t, s), 0)
	}
}

func attackerReassignedDuringAPurgeIsKept(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i")}, {UUID: id("j")}}))
	names := []string{"a", "b", "c"}
	slices.SortFunc(names, func(x, y string) int { ix, iy := id(x), id(y); return bytes.Compare(ix[:], iy[:]) })
	last := names[2]
	for _, name := range names {
		succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id(name), IdentityUUID: id("i")}}))
	}
	assigned := false
	receipt := must[ttp.Receipt](t)(s.PurgeIdentityAndAttackers(ctx, id("i"), ttp.WithProgress(func(p ttp.RemovalProgress) {
		if p.Attackers == 1 && !assigned {
			assigned = true
			succeed(t, s.AssignAttackers(ctx, id("j"), id(last)))
			insert(t, s, newTag("1", named(last, "", "T1110")), newTag("2", named(last, "j", "T1110")))
		}
	})))
	equal(t, "receipt", receipt, ttp.Receipt{Attackers: 2, Identities: 1})
	equal(t, "identity of the attacker", must[ttp.Attacker](t)(s.GetAttacker(ctx, id(last))).IdentityUUID, id("j"))
	equal(t, "tags of the other identity", byIdentity(t, s, "j"), map[string]int64{"T1110": 2})
}

// A sweep removes tags even if they are re-keyed concurrently.
func rekeyedTagsAreRemoved(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i")}, {UUID: id("j")}}))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a"), IdentityUUID: id("i")}}))
	insert(t, s, newTags(5, named("a", "i", "T1110"))...)
	receipt := must[ttp.Receipt](t)(s.SweepOrphans(ctx, func(_ context.Context, sources []ttp.Source) ([]bool, error) {
		return make([]bool, len(sources)), s.AssignAttackers(ctx, id("j"), id("a"))
	}))
	equal(t, "tags of the receipt", receipt.Tags, 5)
	equal(t, "tags", count(t, s), 0)
}

// After an interruption at any statement, the receipt counts the committed changes, and the next run completes the
// removal.
func removalsSurviveAnInterruptionAtAnyStatement(t *testing.T, db *database) {
	s := overPool(t, db)
	batch := id("no batch")
	for _, remove := range []func(context.Context, ...ttp.RemovalOption) (ttp.Receipt, error){
		func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
			return s.PurgeIdentity(ctx, id("i"), opts...)
		},
		func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
			return s.PurgeIdentityAndAttackers(ctx, id("i"), opts...)
		},
		func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
			return s.RollbackBatch(ctx, batch, append(opts, ttp.WithTombstone(""))...)
		},
	} {
		for statements := 1; ; {
			must[ttp.Receipt](t)(s.ExpireTags(context.Background(), 1))
			for _, tombstone := range must[[]ttp.Tombstone](t)(s.ListTombstones(context.Background(), uuid.Nil, 10)) {
				must[int64](t)(s.LiftTombstone(context.Background(), tombstone.UUID))
			}
			storeActor(t, s)
			batch = must[ttp.TagPage](t)(s.ListTags(context.Background(), ttp.Fleet(), ttp.Filter{}, 1, "")).Tags[0].BatchUUID
			want := must[ttp.Receipt](t)(remove(context.Background(), ttp.DryRun(), ttp.WithBatchSize(3)))
			ctx, cancel := context.WithCancel(context.Background())
			db.recorder.after(statements, cancel)
			sum, err := remove(ctx, ttp.WithBatchSize(3))
			db.recorder.after(0, nil)
			cancel()
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			remaining := int64(len(collect(t, s.TagsSeq(context.Background(), ttp.Fleet(), ttp.Filter{}))))
			equal(t, "remaining tags", remaining, 8-sum.Tags)
			equal(t, "tags in the fleet's rollup", count(t, s), remaining)
			sum.Add(must[ttp.Receipt](t)(remove(context.Background(), ttp.WithBatchSize(3))))
			sum.DryRun, want.DryRun, sum.TombstoneUUID = false, false, uuid.Nil
			equal(t, fmt.Sprint("sum of the receipts, interrupted after statement ", statements), sum, want)
			if err == nil {
				break
			}
			statements++
		}
	}
}
