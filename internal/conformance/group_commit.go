package conformance

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

var groupCommitCases = []testCase{
	{name: "OneCallOfAGroupInsertsATag", run: oneCallOfAGroupInsertsATag},
	{name: "ARefusedCallOfAGroupFailsAlone", run: aRefusedCallOfAGroupFailsAlone},
	{name: "ACallCancelledBeforeItsGroupIsNotWritten", run: aCallCancelledBeforeItsGroupIsNotWritten},
	{name: "GroupCommitIsBounded", run: groupCommitIsBounded},
}

// insertReply is what a call of InsertTags returned.
type insertReply struct {
	result ttp.InsertResult
	err    error
}

// groupOf makes calls while an uncommitted transaction blocks the store's first insert, so that they share the
// next transaction. It runs unblock before the blocking transaction ends, and returns the calls' replies.
func groupOf(t *testing.T, db *database, s *ttp.Store, unblock func(), calls ...func() insertReply) []insertReply {
	t.Helper()
	tx, err := db.pool.BeginTx(context.Background(), nil)
	succeed(t, err)
	blocker, err := ttp.New(db.pool, db.Dialect)
	succeed(t, err)
	insert(t, blocker.WithTx(tx), newTag("blocked"))
	replies := make([]chan insertReply, len(calls)+1)
	first := func() insertReply { return insertOne(context.Background(), s, newTag("blocked")) }
	for i, call := range append([]func() insertReply{first}, calls...) {
		replies[i] = make(chan insertReply, 1)
		go func() { replies[i] <- call() }()
		time.Sleep(20 * time.Millisecond) // the order of arrival
	}
	unblock()
	succeed(t, tx.Rollback())
	out := make([]insertReply, len(replies))
	for i := range replies {
		out[i] = <-replies[i]
	}
	succeed(t, out[0].err)
	succeed(t, blocker.Close())
	return out[1:]
}

func insertOne(ctx context.Context, s *ttp.Store, tags ...ttp.Tag) insertReply {
	result, err := s.InsertTags(ctx, tags)
	return insertReply{result, err}
}

func oneCallOfAGroupInsertsATag(t *testing.T, db *database) {
	s := db.store(t)
	same := func() insertReply {
		return insertOne(context.Background(), s, newTag("same"), newTag("low", lowConfidence))
	}
	own := func() insertReply { return insertOne(context.Background(), s, newTag("own"), newTag("same")) }
	replies := groupOf(t, db, s, func() {}, same, own, same)
	want := [][]ttp.Outcome{{ttp.Inserted, ttp.BelowFloor}, {ttp.Inserted, ttp.Duplicate}, {ttp.Duplicate, ttp.BelowFloor}}
	batches := map[string]any{}
	for i, reply := range replies {
		succeed(t, reply.err)
		equal(t, "outcomes", reply.result.Outcomes, want[i])
		batches[reply.result.BatchUUID.String()] = true
	}
	equal(t, "number of batches", len(batches), 3)
	for _, tag := range stored(t, s) {
		switch tag.SourceID {
		case "same":
			equal(t, "batch", tag.BatchUUID, replies[0].result.BatchUUID)
		case "own":
			equal(t, "batch", tag.BatchUUID, replies[1].result.BatchUUID)
		}
	}
	equal(t, "stored", count(t, s), 3)
}

func lowConfidence(tag *ttp.Tag) { tag.Confidence = 0.1 }

func aRefusedCallOfAGroupFailsAlone(t *testing.T, db *database) {
	s := db.store(t)
	_, err := db.pool.ExecContext(context.Background(), map[ttp.Dialect]string{
		ttp.SQLite: `CREATE TRIGGER refuse BEFORE INSERT ON ttp_tag WHEN NEW.source_id = 'refused'` +
			` BEGIN SELECT RAISE(ABORT, 'chk_refused'); END`,
		ttp.MySQL: `ALTER TABLE ttp_tag ADD CONSTRAINT chk_refused CHECK (source_id <> 'refused')`,
	}[db.Dialect])
	succeed(t, err)
	call := func(source string) func() insertReply {
		return func() insertReply { return insertOne(context.Background(), s, newTag(source), newTag(source+" too")) }
	}
	replies := groupOf(t, db, s, func() {}, call("one"), call("refused"), call("two"))
	for _, i := range []int{0, 2} {
		succeed(t, replies[i].err)
		equal(t, "outcomes", replies[i].result.Outcomes, []ttp.Outcome{ttp.Inserted, ttp.Inserted})
	}
	if err := replies[1].err; err == nil || !strings.Contains(err.Error(), "chk_refused") {
		t.Errorf("the refused call returned %v", err)
	}
	equal(t, "stored", count(t, s), 5)
}

func aCallCancelledBeforeItsGroupIsNotWritten(t *testing.T, db *database) {
	s := db.store(t)
	ctx, cancel := context.WithCancel(context.Background())
	returned := make(chan struct{})
	replies := groupOf(t, db, s, func() { cancel(); <-returned },
		func() insertReply {
			defer close(returned)
			return insertOne(ctx, s, newTag("cancelled"))
		},
		func() insertReply { return insertOne(context.Background(), s, newTag("kept")) })
	if err := replies[0].err; !errors.Is(err, context.Canceled) {
		t.Errorf("the cancelled call returned %v", err)
	}
	succeed(t, replies[1].err)
	equal(t, "stored", count(t, s), 2)
}

func groupCommitIsBounded(t *testing.T, db *database) {
	for _, rows := range []int{0, 1} {
		s := db.open(t, ttp.WithGroupCommit(rows))
		succeed(t, s.Migrate(context.Background()))
		call := func(source string) func() insertReply {
			return func() insertReply { return insertOne(context.Background(), s, newTag(source), newTag(source+" too")) }
		}
		for _, reply := range groupOf(t, db, s, func() {}, call("one"), call("two")) {
			succeed(t, reply.err)
		}
		equal(t, "stored", count(t, s), 5)
	}
	if _, err := ttp.New(db.pool, db.Dialect, ttp.WithGroupCommit(-1)); err == nil {
		t.Error("a negative bound was accepted")
	}
}
