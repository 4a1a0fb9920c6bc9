package conformance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

// raceCases test removals and imports during concurrent writes of the same rows.
var raceCases = []testCase{
	{name: "PurgeRemovesConcurrentTags", run: purgeRemovesConcurrentTags, long: true},
	{name: "PurgeOfABusyIdentityEnds", run: purgeOfABusyIdentityEnds},
	{name: "PagesAreFullDespiteRemovals", run: pagesAreFullDespiteRemovals, long: true},
	{name: "ImportsRaceWithWriters", run: importsRaceWithWriters},
	{name: "ImportLosesEveryRace", run: func(t *testing.T, db *database) { importLosesEveryRace(t, db, false) }, long: true},
	{name: "ImportOfAnExportLosesEveryRace", run: func(t *testing.T, db *database) { importLosesEveryRace(t, db, true) }, long: true},
}

// A tag that is written after the purge has read the tags, and before it deletes the identity, is purged too.
func purgeRemovesConcurrentTags(t *testing.T, db *database) {
	ctx, s, other := context.Background(), overPool(t, db), db.open(t)
	for i, purge := range purges(s) {
		succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i")}}))
		inserted := false
		db.recorder.beforeEach(func() {
			if !inserted {
				inserted = true
				insert(t, other, newTag(fmt.Sprint(i), named("", "i", "T1110")))
			}
		}, "ListTagsByMembers", "ListTagKeysByMembers") // the second one on shards
		receipt := must[ttp.Receipt](t)(purge(ctx, id("i")))
		equal(t, "receipt", receipt, ttp.Receipt{Tags: 1, Techniques: map[string]int64{"T1110": 1}, Identities: 1})
	}
}

// A tag of the page is removed between its statements. Without a snapshot, an older tag takes its place.
func pagesAreFullDespiteRemovals(t *testing.T, db *database) {
	if db.Dialect == ttp.SQLite {
		return // a page has a snapshot, also in a caller's transaction
	}
	ctx, s, other := context.Background(), overPool(t, db), db.open(t)
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i")}}))
	tags := newTags(10, named("a", "i", "T1110"))
	for i := range tags {
		tags[i].ObservedAt, tags[i].SessionID = at(i), fmt.Sprint(i)
	}
	insert(t, s, tags...)
	tx, err := db.pool.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	succeed(t, err)
	defer func() { _ = tx.Rollback() }()
	removed := false
	db.recorder.beforeEach(func() {
		if !removed {
			removed = true
			must[ttp.Receipt](t)(other.PurgeSession(ctx, "9"))
		}
	}, "ListTagsByMembers", "ListTagsByUUID") // the second one on shards
	page := must[ttp.TagPage](t)(s.WithTx(tx).ListTags(ctx, ttp.OfIdentity(id("i")), ttp.Filter{}, 5, ""))
	if len(page.Tags) != 5 || page.Tags[0].SessionID != "8" || page.Next == "" {
		t.Errorf("got %d tags and the cursor %q", len(page.Tags), page.Next)
	}
}

// Each tag that is written during the purges is either stored or in a receipt.
func purgeOfABusyIdentityEnds(t *testing.T, db *database) {
	const writers, calls, perCall = 32, 10, 2
	ctx, s := context.Background(), db.store(t)
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for w := range writers {
		wg.Go(func() {
			for call := range calls {
				var tags []ttp.Tag
				for i := range perCall {
					tags = append(tags, newTag(fmt.Sprint(w, call, i), named([]string{"", "a"}[i%2], "i", "T1110")))
				}
				_, err := s.InsertTags(ctx, tags)
				errs[w] = errors.Join(errs[w], err)
				time.Sleep(time.Duration(rand.IntN(80)) * time.Millisecond) // so that some passes of a purge find no tags
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var sum ttp.Receipt
	purge := func() {
		succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i")}}))
		receipt, err := s.PurgeIdentityAndAttackers(ctx, id("i"))
		sum.Add(receipt)
		succeed(t, err)
	}
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			purge()
		}
	}
	succeed(t, errors.Join(errs...))
	purge()
	equal(t, "tags of all receipts", sum.Tags, writers*calls*perCall)
	equal(t, "tags", count(t, s), 0)
	equal(t, "findings", collect(t, s.Verify(ctx, ttp.VerifyOptions{})), []ttp.Finding(nil))
}

// sameTag returns the tag of line i of sameRecords.
func sameTag(i int) ttp.Tag {
	return newTag(fmt.Sprint(i), func(tag *ttp.Tag) { tag.ObservedAt = at(i) })
}

// sameRecords returns the records of n tags, with an earlier batch or without one. An import finds out in different ways
// which of them are new.
func sameRecords(n int, exported bool) string {
	batch := ""
	if exported {
		batch = fmt.Sprintf(`"batch_uuid":"%s",`, id("batch"))
	}
	var records strings.Builder
	for i := range n {
		fmt.Fprintf(&records, `{"type":"tag",%s"source_kind":"command","source_id":"%d","attacker_uuid":"%s","tactic":"TA0006",`+
			`"technique_id":"T1110","confidence":0.7,"rule_id":"R1001","rule_version":1,"attack_release":"enterprise-v18.1",`+
			`"observed_at":"%s","evidence":{}}`+"\n",
			batch, i, id("attacker"), at(i).Format(time.RFC3339Nano))
	}
	return records.String()
}

// Concurrent imports and inserts of the same tags insert each tag once.
func importsRaceWithWriters(t *testing.T, db *database) {
	const importers, writers, tags = 4, 8, 600
	ctx, s := context.Background(), db.store(t)
	var wg sync.WaitGroup
	inserted, errs := make([]int, importers+writers), make([]error, importers+writers)
	for i := range importers {
		wg.Go(func() {
			var report ttp.ImportReport
			report, errs[i] = s.Import(ctx, strings.NewReader(sameRecords(tags, i%2 == 0)), ttp.ImportOptions{Batch: 200})
			inserted[i] = report.Inserted
		})
	}
	for w := range writers {
		wg.Go(func() {
			for i := w; i < tags; i += writers {
				result, err := s.InsertTags(ctx, []ttp.Tag{sameTag(i), sameTag(i * 7 % tags)})
				inserted[importers+w] += result.Inserted
				errs[importers+w] = errors.Join(errs[importers+w], err)
			}
		})
	}
	wg.Wait()
	succeed(t, errors.Join(errs...))
	sum := 0
	for _, n := range inserted {
		sum += n
	}
	equal(t, "inserted tags", sum, tags)
	equal(t, "tags", count(t, s), tags)
}

// Another writer inserts one of the tags before each INSERT of the import.
func importLosesEveryRace(t *testing.T, db *database, exported bool) {
	t.Helper()
	if db.Dialect == ttp.SQLite {
		return // has one writer at a time
	}
	const tags = 100
	s, other := overPool(t, db), db.open(t)
	all := make([]ttp.Tag, tags)
	for i := range all {
		all[i] = sameTag(i)
	}
	slices.SortFunc(all, func(a, b ttp.Tag) int { return strings.Compare(b.ComputeUUID().String(), a.ComputeUUID().String()) })
	others := 0 // from the end of the UUID order, where the import has not locked rows yet
	db.recorder.beforeEach(func() {
		if others < tags/3 {
			insert(t, other, all[others])
			others++
		}
	}, "InsertTag")
	report := imported(t, s, sameRecords(tags, exported), ttp.ImportOptions{})
	equal(t, "report", report, ttp.ImportReport{Lines: tags, Read: tags, Inserted: tags - others, Duplicate: others})
	equal(t, "tags", count(t, s), tags)
}
