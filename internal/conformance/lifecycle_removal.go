package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/decnet/ttpstore/ttp"
)

// removes runs a removal: first a dry run, then completely, with a tombstone, or interrupted and repeated. It compares the
// receipts with the model and updates it.
func (l *life) removes(want ttp.Receipt, removed func(ttp.Tag) bool,
	run func(context.Context, ...ttp.RemovalOption) (ttp.Receipt, error),
) {
	want.Techniques = nil
	for _, tag := range l.tags {
		if removed(tag) {
			want.Tags++
			if want.Techniques == nil {
				want.Techniques = map[string]int64{}
			}
			want.Techniques[cmp.Or(tag.SubTechniqueID, tag.TechniqueID)]++
		}
	}
	batch := ttp.WithBatchSize(rapid.IntRange(1, 7).Draw(l.rt, "batch"))
	receipt := must[ttp.Receipt](l.rt)
	dry := receipt(run(context.Background(), ttp.DryRun(), batch))
	equal(l.rt, "dry run", dry.DryRun, true)
	dry.DryRun = false
	equal(l.rt, "receipt of the dry run", dry, want)
	switch l.draw([]string{"plain", "tombstone", "interrupted"}, "mode") {
	case "plain":
		equal(l.rt, "receipt", receipt(run(context.Background(), batch)), want)
	case "tombstone":
		got := receipt(run(context.Background(), batch, ttp.WithTombstone("false positives")))
		if (got.TombstoneUUID != uuid.Nil) != (want.Tags > 0) {
			l.rt.Errorf("%d tags were removed, but the tombstone is %s", want.Tags, got.TombstoneUUID)
		}
		for _, tag := range l.tags {
			if removed(tag) {
				l.tombstoned[tag.UUID] = got.TombstoneUUID
			}
		}
		want.TombstoneUUID = got.TombstoneUUID
		equal(l.rt, "receipt with a tombstone", got, want)
	case "interrupted":
		equal(l.rt, "sum of the receipts", l.interrupted(run, batch), want)
	}
	l.tags = slices.DeleteFunc(l.tags, removed)
}

// interrupted cancels a run after a random transaction, and runs it again.
func (l *life) interrupted(run func(context.Context, ...ttp.RemovalOption) (ttp.Receipt, error),
	batch ttp.RemovalOption,
) ttp.Receipt {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	transactions := rapid.IntRange(1, 5).Draw(l.rt, "transactions")
	sum, err := run(ctx, batch, ttp.WithProgress(func(ttp.RemovalProgress) {
		if transactions--; transactions == 0 {
			cancel()
		}
	}))
	if err != nil && !errors.Is(err, context.Canceled) {
		l.rt.Fatal(err)
	}
	l.asStored().checkEveryRollup(l.rt, l.s)
	sum.Add(must[ttp.Receipt](l.rt)(run(context.Background(), batch)))
	return sum
}

// asStored returns a model of the current content of the store.
func (l *life) asStored() *model {
	ctx := context.Background()
	m := &model{campaigns: l.campaigns, identities: map[uuid.UUID]ttp.Identity{}, attackers: map[uuid.UUID]ttp.Attacker{}}
	m.tags = collect(l.rt, l.s.TagsSeq(ctx, ttp.Fleet(), ttp.Filter{}))
	for _, i := range must[[]ttp.Identity](l.rt)(l.s.ListIdentities(ctx, ttp.Fleet(), uuid.Nil, 100)) {
		m.identities[i.UUID] = i
	}
	for _, a := range must[[]ttp.Attacker](l.rt)(l.s.ListAttackers(ctx, ttp.Fleet(), uuid.Nil, 100)) {
		m.attackers[a.UUID] = a
	}
	return m
}

func (l *life) purgeAttacker() {
	attacker, want := l.one("a", attackers), ttp.Receipt{}
	if _, ok := l.attackers[attacker]; ok {
		want.Attackers = 1
	}
	removed := func(tag ttp.Tag) bool { return tag.AttackerUUID == attacker }
	l.removes(want, removed, func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
		return l.s.PurgeAttacker(ctx, attacker, opts...)
	})
	delete(l.attackers, attacker)
}

func (l *life) purgeSession() {
	session := fmt.Sprint("s", rapid.IntRange(1, sessions+1).Draw(l.rt, "session"))
	removed := func(tag ttp.Tag) bool { return tag.SessionID == session }
	l.removes(ttp.Receipt{}, removed, func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
		return l.s.PurgeSession(ctx, session, opts...)
	})
}

func (l *life) purgeIdentity() {
	identity, withAttackers := l.one("i", identities), rapid.Bool().Draw(l.rt, "with attackers")
	purge := l.s.PurgeIdentity
	if withAttackers {
		purge = l.s.PurgeIdentityAndAttackers
	}
	if into := l.identities[identity].MergedIntoUUID; into != uuid.Nil {
		_, err := purge(context.Background(), identity)
		l.refused(err, ttp.ErrConflict, identity, into)
		return
	}
	var want ttp.Receipt
	member := func(id uuid.UUID) bool { return id != uuid.Nil && l.survivingIdentity(id) == identity }
	var members, own []uuid.UUID
	for _, i := range l.identities {
		if member(i.UUID) {
			members = append(members, i.UUID)
		}
	}
	for _, a := range l.attackers {
		if member(a.IdentityUUID) {
			own = append(own, a.UUID)
		}
	}
	want.Identities = int64(len(members))
	removed := func(tag ttp.Tag) bool { return member(tag.IdentityUUID) && tag.AttackerUUID == uuid.Nil }
	released := func(tag ttp.Tag) bool { return member(tag.IdentityUUID) && tag.AttackerUUID != uuid.Nil }
	if withAttackers {
		want.Attackers = int64(len(own))
		removed = func(tag ttp.Tag) bool { return l.identityOf(tag) == identity || slices.Contains(own, tag.AttackerUUID) }
		released = func(ttp.Tag) bool { return false }
	} else {
		want.ReleasedAttackers = int64(len(own))
	}
	for _, tag := range l.tags {
		if released(tag) {
			want.ReleasedTags++
		}
	}
	l.removes(want, removed, func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
		return purge(ctx, identity, opts...)
	})
	for i, tag := range l.tags {
		if released(tag) {
			l.tags[i].IdentityUUID = uuid.Nil
		}
	}
	for _, a := range own {
		if withAttackers {
			delete(l.attackers, a)
		} else {
			l.attackers[a] = ttp.Attacker{UUID: a}
		}
	}
	for _, i := range members {
		delete(l.identities, i)
	}
}

func (l *life) rollbackRule() {
	like := l.anyTag(l.rt, "like")
	f := l.drawFilter(l.rt, like)
	f.RuleID = cmp.Or(f.RuleID, like.RuleID)
	removed := func(tag ttp.Tag) bool { return matches(f, tag) }
	l.removes(ttp.Receipt{}, removed, func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
		return l.s.RollbackRule(ctx, f, opts...)
	})
}

func (l *life) rollbackBatch() {
	batch := id("no batch")
	if len(l.tags) > 0 {
		batch = l.batch[l.anyTag(l.rt, "of the batch").UUID]
	}
	removed := func(tag ttp.Tag) bool { return l.batch[tag.UUID] == batch }
	l.removes(ttp.Receipt{}, removed, func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
		return l.s.RollbackBatch(ctx, batch, opts...)
	})
}

// expire uses limits between the hours of the tags, since the clock runs during the test.
func (l *life) expire() {
	limit := l.zero.Add(time.Duration(rapid.IntRange(0, 51).Draw(l.rt, "hours"))*l.unit - l.unit/2)
	removed := func(tag ttp.Tag) bool { return tag.ObservedAt.Before(limit) }
	l.removes(ttp.Receipt{}, removed, func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
		return l.s.ExpireTags(ctx, time.Since(limit), opts...)
	})
}

// sweepOrphans reports about a third of all sources as lost.
func (l *life) sweepOrphans() {
	lost := map[ttp.Source]bool{}
	for _, tag := range l.tags {
		source := ttp.Source{Kind: tag.SourceKind, ID: tag.SourceID}
		lost[source] = rapid.IntRange(0, 2).Draw(l.rt, "lost") == 0
	}
	l.removes(ttp.Receipt{}, func(tag ttp.Tag) bool { return lost[ttp.Source{Kind: tag.SourceKind, ID: tag.SourceID}] },
		func(ctx context.Context, opts ...ttp.RemovalOption) (ttp.Receipt, error) {
			return l.s.SweepOrphans(ctx, func(_ context.Context, sources []ttp.Source) ([]bool, error) {
				kept := make([]bool, len(sources))
				for i, source := range sources {
					kept[i] = !lost[source]
				}
				return kept, nil
			}, opts...)
		})
}

func (l *life) lift() {
	tombstones := must[[]ttp.Tombstone](l.rt)(l.s.ListTombstones(context.Background(), uuid.Nil, 100))
	counts := map[uuid.UUID]int64{}
	for _, tombstone := range l.tombstoned {
		counts[tombstone]++
	}
	got := map[uuid.UUID]int64{}
	for _, tombstone := range tombstones {
		equal(l.rt, "reason", tombstone.Reason, "false positives")
		got[tombstone.UUID] = tombstone.Tags
	}
	equal(l.rt, "tombstones", got, counts)
	if len(tombstones) == 0 {
		_, err := l.s.LiftTombstone(context.Background(), id("none"))
		l.refused(err, ttp.ErrNotFound, id("none"))
		return
	}
	chosen := rapid.SampledFrom(tombstones).Draw(l.rt, "tombstone")
	batch := ttp.WithBatchSize(rapid.IntRange(1, 7).Draw(l.rt, "batch"))
	n := must[int64](l.rt)
	equal(l.rt, "would lift", n(l.s.LiftTombstone(context.Background(), chosen.UUID, ttp.DryRun())), chosen.Tags)
	equal(l.rt, "lifted", n(l.s.LiftTombstone(context.Background(), chosen.UUID, batch)), chosen.Tags)
	for tag, tombstone := range l.tombstoned {
		if tombstone == chosen.UUID {
			delete(l.tombstoned, tag)
		}
	}
}
