package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

var groupCommitCases = []testCase{
	{name: "OneCallOfAGroupInsertsATag", run: oneCallOfAGroupInsertsATag},
	{name: "ARefusedCallOfAGroupFailsAlone", run: aRefusedCallOfAGroupFailsAlone},
	{name: "ACallCancelledBeforeItsGroupIsNotWritten", run: aCallCancelledBeforeItsGroupIsNotWritten},
	{name: "ACallCancelledDuringItsGroupFailsAlone", run: aCallCancelledDuringItsGroupFailsAlone},
	{name: "ACallCancelledDuringItsOwnTransactionIsNotWritten", run: aCallCancelledDuringItsOwnTransactionIsNotWritten},
	{name: "GroupCommitIsBounded", run: groupCommitIsBounded},
	{name: "GroupCommitIsSharedWithinItsBounds", run: groupCommitIsSharedWithinItsBounds},
	{name: "ASecondGroupRunsWhileManyTagsWait", run: aSecondGroupRunsWhileManyTagsWait},
}

// insertReply is the result of a call of InsertTags.
type insertReply struct {
	result ttp.InsertResult
	err    error
}

// groupCall is a call of InsertTags.
type groupCall struct {
	tags     []ttp.Tag
	ctx      context.Context // nil means context.Background()
	returned chan struct{}   // closed when the call has returned; may be nil
}

func callOf(tags ...ttp.Tag) groupCall { return groupCall{tags: tags} }

// arrivingContext calls arrived when the end of the context is first waited for, and begun the second time. The first wait
// shows that a call that can share a transaction is in its store's queue; the second, if the call is alone in its group,
// that its transaction has begun.
type arrivingContext struct {
	context.Context
	waits          *atomic.Int64
	arrived, begun func()
}

func (c arrivingContext) Done() <-chan struct{} {
	if c.waits.Add(1) == 1 {
		c.arrived()
	} else {
		c.begun()
	}
	return c.Context.Done()
}

// start begins the call and waits until it waits for its group.
func (c groupCall) start(s *ttp.Store) (reply chan insertReply) {
	reply, _ = c.startAlone(s)
	return reply
}

// startAlone is start with a channel that is closed when the call's group has begun, if it is alone in it.
func (c groupCall) startAlone(s *ttp.Store) (reply chan insertReply, begun chan struct{}) {
	if c.ctx == nil {
		c.ctx = context.Background()
	}
	arrived := make(chan struct{})
	reply, begun = make(chan insertReply, 1), make(chan struct{})
	ctx := arrivingContext{
		c.ctx, new(atomic.Int64), sync.OnceFunc(func() { close(arrived) }), sync.OnceFunc(func() { close(begun) }),
	}
	go func() {
		reply <- insertOne(ctx, s, c.tags...)
		ctx.arrived() // a refused call does not wait
		if c.returned != nil {
			close(c.returned)
		}
	}()
	<-arrived
	return reply, begun
}

// groupOf makes calls while an uncommitted transaction blocks the store's first insert, so that they share the
// next transaction in their order. It runs unblock before the blocking transaction ends, and returns the calls' replies.
func groupOf(t *testing.T, db *database, s *ttp.Store, unblock func(), calls ...groupCall) []insertReply {
	t.Helper()
	blocked := newTag(fmt.Sprint("blocked ", count(t, s))) // is not stored yet
	tx, err := db.pool.BeginTx(context.Background(), nil)
	succeed(t, err)
	blocker, err := ttp.New(db.pool, db.Dialect)
	succeed(t, err)
	insert(t, blocker.WithTx(tx), blocked)
	first, begun := callOf(blocked).startAlone(s)
	<-begun // without the other calls
	replies := make([]chan insertReply, len(calls))
	for i, call := range calls {
		replies[i] = call.start(s)
	}
	unblock()
	succeed(t, tx.Rollback())
	succeed(t, (<-first).err)
	out := make([]insertReply, len(replies))
	for i := range replies {
		out[i] = <-replies[i]
	}
	succeed(t, blocker.Close())
	return out
}

func insertOne(ctx context.Context, s *ttp.Store, tags ...ttp.Tag) insertReply {
	result, err := s.InsertTags(ctx, tags)
	return insertReply{result, err}
}

func oneCallOfAGroupInsertsATag(t *testing.T, db *database) {
	s := db.store(t)
	same, own := callOf(newTag("same"), newTag("low", lowConfidence)), callOf(newTag("own"), newTag("same"))
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
	call := func(source string) groupCall { return callOf(newTag(source), newTag(source+" too")) }
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
		groupCall{[]ttp.Tag{newTag("cancelled")}, ctx, returned}, callOf(newTag("kept")))
	if err := replies[0].err; !errors.Is(err, context.Canceled) || errors.Is(err, ttp.ErrUnknownOutcome) {
		t.Errorf("the cancelled call returned %v", err)
	}
	succeed(t, replies[1].err)
	equal(t, "stored", count(t, s), 2)
}

// The context of a call ends in the middle of the group's transaction, which commits after the call has returned.
func aCallCancelledDuringItsGroupFailsAlone(t *testing.T, db *database) {
	s := overPool(t, db)
	ctx, cancel := context.WithCancel(context.Background())
	returned := make(chan struct{})
	db.recorder.beforeEach(func() {
		cancel()
		select {
		case <-returned:
		case <-time.After(time.Minute):
			t.Error("the cancelled call waits for its group")
		}
	}, "ListTagUUIDsInBatches") // since a tag of the group is a duplicate
	replies := groupOf(t, db, s, func() {},
		groupCall{[]ttp.Tag{newTag("blocked 0"), newTag("cancelled")}, ctx, returned}, callOf(newTag("kept")))
	if ctx.Err() == nil {
		t.Error("the group ran no ListTagUUIDsInBatches")
	}
	if err := replies[0].err; !errors.Is(err, ttp.ErrUnknownOutcome) || !errors.Is(err, context.Canceled) {
		t.Errorf("the cancelled call returned %v", err)
	}
	succeed(t, replies[1].err)
	equal(t, "outcomes", replies[1].result.Outcomes, []ttp.Outcome{ttp.Inserted})
	equal(t, "stored", count(t, s), 3)
}

// The outcome is known, since the call shares its transaction with no other.
func aCallCancelledDuringItsOwnTransactionIsNotWritten(t *testing.T, db *database) {
	s := overPool(t, db)
	insert(t, s, newTag("stored"))
	ctx, cancel := context.WithCancel(context.Background())
	db.recorder.beforeEach(func() {
		cancel()
		time.Sleep(200 * time.Millisecond) // lets the call see the end of its context before its transaction fails
	}, "ListTagUUIDsInBatches")
	err := insertOne(ctx, s, newTag("stored"), newTag("cancelled")).err
	if !errors.Is(err, context.Canceled) || errors.Is(err, ttp.ErrUnknownOutcome) {
		t.Errorf("the cancelled call returned %v", err)
	}
	equal(t, "stored", count(t, s), 1)
}

// The call returns while the first group is still blocked.
func aSecondGroupRunsWhileManyTagsWait(t *testing.T, db *database) {
	if db.Dialect == ttp.SQLite {
		return // SQLite has one writer
	}
	s, returned := db.store(t), make(chan struct{})
	// The blocking transaction may have locked the slot of its technique's count.
	other := newTags(40, technique("T1059", "", "TA0002"))
	replies := groupOf(t, db, s, func() { <-returned }, groupCall{tags: other, returned: returned})
	succeed(t, replies[0].err)
	equal(t, "inserted", replies[0].result.Inserted, 40)
	equal(t, "stored", count(t, s), 41)
}

func groupCommitIsBounded(t *testing.T, db *database) {
	for _, rows := range []int{0, 1, 3, 4} {
		s := db.open(t, ttp.WithGroupCommit(rows))
		succeed(t, s.Migrate(context.Background()))
		call := func(source string) groupCall {
			source += fmt.Sprint(" of ", rows)
			return callOf(newTag(source), newTag(source+" too"))
		}
		before := count(t, s)
		for _, reply := range groupOf(t, db, s, func() {}, call("one"), call("two")) {
			succeed(t, reply.err)
			equal(t, "outcomes", reply.result.Outcomes, []ttp.Outcome{ttp.Inserted, ttp.Inserted})
		}
		equal(t, "stored", count(t, s), before+5)
	}
	if _, err := ttp.New(db.pool, db.Dialect, ttp.WithGroupCommit(-1)); err == nil {
		t.Error("a negative bound was accepted")
	}
}

// Each transaction finds a stored tag among new ones, and queries the tags of its calls' batches to tell them apart.
func groupCommitIsSharedWithinItsBounds(t *testing.T, db *database) {
	s := overPool(t, db)
	large := []byte(`{"x":"` + strings.Repeat("x", 64<<10-8) + `"}`)
	for _, c := range []struct {
		rows, own int // the bound, and the tags of a call besides the stored one
		evidence  []byte
		calls     int // of the last transaction
	}{
		{3, 1, []byte(`{}`), 1},
		{4, 1, []byte(`{}`), 2},
		{ttp.DefaultGroupRows, 7, large, 2},
		{ttp.DefaultGroupRows, 9, large, 1},
	} {
		grouped := must[*ttp.Store](t)(ttp.New(db.pool, db.Dialect, ttp.WithGroupCommit(c.rows)))
		before := count(t, s)
		call := func(source string) groupCall {
			tags := []ttp.Tag{newTag(fmt.Sprint("blocked ", before))}
			for i := range c.own {
				tags = append(tags, newTag(fmt.Sprint(source, before, i), func(tag *ttp.Tag) { tag.Evidence = c.evidence }))
			}
			return callOf(tags...)
		}
		for _, reply := range groupOf(t, db, grouped, func() {}, call("one"), call("two")) {
			succeed(t, reply.err)
			equal(t, "inserted", reply.result.Inserted, c.own)
		}
		query, _ := db.recorder.statement("ListTagUUIDsInBatches")
		distinct := map[string]bool{} // lists are padded
		for _, arg := range query.args {
			distinct[fmt.Sprint(arg.Value)] = true
		}
		equal(t, fmt.Sprint("batches and tags of ", c.rows, " rows and ", c.own, " tags"), len(distinct), c.calls+c.calls*c.own+1)
		succeed(t, grouped.Close())
	}
}
