package conformance

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

var tombstoneCases = []testCase{
	{name: "TombstoneRejectsReplays", run: tombstoneRejectsReplays},
	{name: "TombstonedTagsAreSkipped", run: tombstonedTagsAreSkipped},
	{name: "TombstoneAcceptsOtherTags", run: tombstoneAcceptsOtherTags},
	{name: "TombstonesAreListedAndLifted", run: tombstonesAreListedAndLifted},
	{name: "MiscountedTombstonesAreLifted", run: miscountedTombstonesAreLifted},
	{name: "StoredTombstonedTagIsADuplicate", run: storedTombstonedTagIsADuplicate},
	{name: "RacingReplaysDoNotBypassATombstone", run: racingReplaysDoNotBypassATombstone},
}

func tombstoneRejectsReplays(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTags(3)...)
	must[ttp.Receipt](t)(s.RollbackRule(ctx, ttp.Filter{RuleID: "R1001"}, ttp.WithTombstone("")))
	// Neither a new store nor one in a caller's transaction has seen the tombstone before.
	fresh := db.open(t)
	want := []ttp.Outcome{
		ttp.Tombstoned, ttp.Inserted, ttp.Tombstoned, ttp.Tombstoned, ttp.Duplicate, ttp.BelowFloor, ttp.Tombstoned,
	}
	tags := newTags(3)
	unsure := newTag("unsure", func(tag *ttp.Tag) { tag.Confidence = 0.1 })
	mixed := []ttp.Tag{tags[0], newTag("new"), tags[1], tags[2], newTag("new"), unsure, tags[0]}
	result := insert(t, fresh, mixed...)
	equal(t, "outcomes", result.Outcomes, want)
	equal(t, "inserted", result.Inserted, 1)
	equal(t, "count", result.Count(ttp.Tombstoned), 4)
	equal(t, "name", ttp.Tombstoned.String(), "tombstoned")
	tx, err := db.pool.BeginTx(ctx, nil)
	succeed(t, err)
	inner := must[*ttp.Store](t)(ttp.New(db.pool, db.Dialect)).WithTx(tx)
	want[1] = ttp.Duplicate
	equal(t, "outcomes in a transaction", insert(t, inner, mixed...).Outcomes, want)
	succeed(t, tx.Commit())
	var lines bytes.Buffer
	for _, line := range exported(t, s) {
		lines.Write(append(line, '\n'))
	}
	lines.WriteString(`{"type":"tag","source_kind":"command","source_id":"event-1","attacker_uuid":"` + id("attacker").String() + `",` +
		`"tactic":"TA0006","technique_id":"T1110","confidence":0.7,"rule_id":"R1001","rule_version":1,"evidence":{},` +
		`"attack_release":"enterprise-v18.1","observed_at":"2026-03-01T12:00:00Z"}`)
	equal(t, "import", must[ttp.ImportReport](t)(db.open(t).Import(ctx, &lines, ttp.ImportOptions{})),
		ttp.ImportReport{Lines: 2, Read: 2, Duplicate: 1, Tombstoned: 1})
	equal(t, "tags", count(t, s), 1)
}

// A store that has found a tombstone does not insert and delete the same tags again, until a tombstone is lifted.
func tombstonedTagsAreSkipped(t *testing.T, db *database) {
	ctx, s := context.Background(), overPool(t, db)
	tags := newTags(3)
	insert(t, s, tags...)
	must[ttp.Receipt](t)(s.PurgeAttacker(ctx, id("attacker"), ttp.WithTombstone("")))
	inserts := 0
	db.recorder.beforeEach(func() { inserts++ }, "InsertTag")
	for range 2 {
		insert(t, s, newTag("new"))
		inserts = 0
		tombstoned := []ttp.Outcome{ttp.Tombstoned, ttp.Tombstoned, ttp.Tombstoned, ttp.Tombstoned}
		equal(t, "outcomes", insert(t, s, append(tags, tags[0])...).Outcomes, tombstoned)
		equal(t, "inserts", inserts, 0)
	}
	tombstone := must[[]ttp.Tombstone](t)(s.ListTombstones(ctx, uuid.Nil, 10))[0]
	must[int64](t)(s.LiftTombstone(ctx, tombstone.UUID))
	looks := 0
	db.recorder.beforeEach(func() { looks++ }, "ListTombstonedTagUUIDs")
	equal(t, "inserted after the lift", insert(t, s, tags...).Inserted, 3)
	equal(t, "looks for tombstones", looks, 0)
	equal(t, "stored", count(t, s), 4)
}

// Other rule versions, events and techniques are other tags.
func tombstoneAcceptsOtherTags(t *testing.T, db *database) {
	s := db.store(t)
	insert(t, s, newTag("1"))
	receipt := must[ttp.Receipt](t)(s.PurgeAttacker(context.Background(), id("attacker"), ttp.WithTombstone("")))
	equal(t, "tags of the receipt", receipt.Tags, 1)
	result := insert(t, s, newTag("1"), newTag("1", func(tag *ttp.Tag) { tag.RuleVersion = 2 }), newTag("2"),
		newTag("1", func(tag *ttp.Tag) { tag.TechniqueID = "T1078" }))
	equal(t, "outcomes", result.Outcomes, []ttp.Outcome{ttp.Tombstoned, ttp.Inserted, ttp.Inserted, ttp.Inserted})
}

func tombstonesAreListedAndLifted(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	var want []ttp.Tombstone
	for i, rule := range []string{"R1", "R2", "R<3&4>"} { // which JSON need not escape
		insert(t, s, newTags(i+2, func(tag *ttp.Tag) { tag.RuleID = rule })...)
		f := ttp.Filter{RuleID: rule, RuleVersion: new(1), Until: at(1)}
		receipt := must[ttp.Receipt](t)(s.RollbackRule(ctx, f, ttp.WithTombstone("false positives of "+rule), ttp.WithBatchSize(2)))
		want = append(want, ttp.Tombstone{
			UUID: receipt.TombstoneUUID, Reason: "false positives of " + rule, Tags: int64(i + 2),
			Removed: `roll back rule {"until":"2026-03-01T12:00:00.000001Z","rule_id":"` + rule + `","rule_version":1}`,
		})
	}
	list := func(after uuid.UUID, limit int) []ttp.Tombstone {
		t.Helper()
		tombstones := must[[]ttp.Tombstone](t)(s.ListTombstones(ctx, after, limit))
		for i := range tombstones {
			if tombstones[i].CreatedAt.IsZero() {
				t.Error("a tombstone has no time")
			}
			tombstones[i].CreatedAt = want[0].CreatedAt
		}
		return tombstones
	}
	equal(t, "first page", list(uuid.Nil, 2), want[:2])
	equal(t, "second page", list(want[1].UUID, 2), want[2:])
	equal(t, "limit", problemFields(t, second(s.ListTombstones(ctx, uuid.Nil, 0))), []string{"limit"})

	n := must[int64](t)
	equal(t, "would lift", n(s.LiftTombstone(ctx, want[1].UUID, ttp.DryRun())), 3)
	lifting, cancel := context.WithCancel(ctx)
	lifted, err := s.LiftTombstone(lifting, want[1].UUID, ttp.WithBatchSize(2), ttp.WithProgress(func(ttp.RemovalProgress) { cancel() }))
	if !errors.Is(err, context.Canceled) || lifted != 2 {
		t.Errorf("interrupted: got %d and %v", lifted, err)
	}
	want[1].Tags = 1
	equal(t, "tombstones", list(uuid.Nil, 10), want)
	equal(t, "lifted", n(s.LiftTombstone(ctx, want[1].UUID, ttp.WithBatchSize(2))), 1)
	equal(t, "tombstones", list(uuid.Nil, 10), []ttp.Tombstone{want[0], want[2]})
	if _, err := s.LiftTombstone(ctx, want[1].UUID); !errors.Is(err, ttp.ErrNotFound) {
		t.Errorf("lifted twice: got %v", err)
	}
	equal(t, "replay of R2", insert(t, s, newTags(3, func(tag *ttp.Tag) { tag.RuleID = "R2" })...).Inserted, 3)
	equal(t, "replay of R1", insert(t, s, newTags(2, func(tag *ttp.Tag) { tag.RuleID = "R1" })...).Inserted, 0)
	var examined []int64
	progress := ttp.WithProgress(func(r ttp.RemovalProgress) { examined = append(examined, r.Examined) })
	equal(t, "lifted", n(s.LiftTombstone(ctx, want[2].UUID, ttp.WithBatchSize(2), progress)), 4)
	equal(t, "progress", examined, []int64{2, 4, 4})
}

// Only manual changes, or an interrupted commit on shards, leave a wrong count.
func miscountedTombstonesAreLifted(t *testing.T, db *database) {
	ctx, s := context.Background(), overPool(t, db)
	for _, counted := range []string{"0", "1", "9"} {
		insert(t, s, newTags(5)...)
		receipt := must[ttp.Receipt](t)(s.PurgeAttacker(ctx, id("attacker"), ttp.WithTombstone("")))
		_, err := db.pool.ExecContext(ctx, "UPDATE ttp_tombstone SET tags = "+counted)
		succeed(t, err)
		equal(t, "lifted", must[int64](t)(s.LiftTombstone(ctx, receipt.TombstoneUUID, ttp.WithBatchSize(2))), 5)
		equal(t, "tombstones", len(must[[]ttp.Tombstone](t)(s.ListTombstones(ctx, uuid.Nil, 10))), 0)
	}
}

// A stored tag with a tombstone, which only manual changes can create, is a duplicate, and other tags are inserted.
func storedTombstonedTagIsADuplicate(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTag("1"), newTag("2"))
	must[ttp.Receipt](t)(s.PurgeAttacker(ctx, id("attacker"), ttp.WithTombstone("")))
	tombstones := must[[]ttp.Tombstone](t)(s.ListTombstones(ctx, uuid.Nil, 10))
	insert(t, s, newTag("3"))
	exec(t, db, "INSERT INTO ttp_tombstoned_tag (uuid, tombstone_uuid) VALUES ("+
		hex(newTag("3").ComputeUUID())+", "+hex(tombstones[0].UUID)+")")
	result := insert(t, db.open(t), newTag("1"), newTag("3"), newTag("4"))
	equal(t, "outcomes", result.Outcomes, []ttp.Outcome{ttp.Tombstoned, ttp.Duplicate, ttp.Inserted})
	// The tag can be purged again.
	equal(t, "receipt", must[ttp.Receipt](t)(s.PurgeAttacker(ctx, id("attacker"), ttp.WithTombstone(""))).Tags, 2)
}

// Concurrent replays during a rollback: a tag is either stored or tombstoned.
func racingReplaysDoNotBypassATombstone(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	tags := newTags(60)
	insert(t, s, tags...)
	done := make(chan struct{})
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			other := db.open(t)
			for {
				if _, err := other.InsertTags(ctx, tags); err != nil {
					errs[i] = err
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	receipt, err := s.RollbackRule(ctx, ttp.Filter{RuleID: "R1001"}, ttp.WithTombstone(""), ttp.WithBatchSize(5))
	close(done)
	wg.Wait()
	succeed(t, errors.Join(append(errs, err)...))
	equal(t, "tags of the receipt", receipt.Tags, 60)
	equal(t, "tags", count(t, s), 0)
	equal(t, "replay", slices.Compact(insert(t, s, tags...).Outcomes), []ttp.Outcome{ttp.Tombstoned})
	equal(t, "findings", findingKinds(collect(t, s.Verify(ctx, ttp.VerifyOptions{}))), map[ttp.FindingKind]int{})
}
