package conformance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// historyCases record concurrent calls and check that they are linearizable: that their results are those of one order
// in which each call takes effect at one instant between its start and its end.
var historyCases = []testCase{
	{name: "HistoryOfTagsIsLinearizable", run: historyOfTagsIsLinearizable},
	{name: "HistoryOfMergesIsLinearizable", run: historyOfMergesIsLinearizable},
}

const (
	historyWriters = 8
	historyCalls   = 25 // by each writer
)

// history holds the calls of concurrent writers.
type history struct {
	start time.Time
	mu    sync.Mutex
	calls []porcupine.Operation
}

// record calls do, which returns the output for the input, and records the call.
func (h *history) record(client int, input any, do func() any) {
	begin := time.Since(h.start).Nanoseconds()
	output := do()
	end := time.Since(h.start).Nanoseconds()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, porcupine.Operation{ClientId: client, Input: input, Call: begin, Output: output, Return: end})
}

// checkHistory makes calls from several writers at once and compares their history with the model.
func checkHistory(t *testing.T, model porcupine.Model, call func(h *history, writer int)) {
	t.Helper()
	h := &history{start: time.Now()}
	var wg sync.WaitGroup
	for w := range historyWriters {
		wg.Go(func() {
			for range historyCalls {
				call(h, w)
			}
		})
	}
	wg.Wait()
	result := porcupine.CheckOperationsTimeout(model, h.calls, 10*time.Minute)
	if equal(t, "history", result, porcupine.Ok); result == porcupine.Ok {
		return
	}
	for _, c := range h.calls {
		t.Logf("writer %d, %d to %d: %+v returned %+v", c.ClientId, c.Call, c.Return, c.Input, c.Output)
	}
}

// tagCall is a call about the tag with a number.
type tagCall struct {
	kind      string // insert, get, remove, tombstone or lift
	tag       int
	tombstone uuid.UUID // to lift
}

// tagResult is the result of a tagCall.
type tagResult struct {
	outcome   ttp.Outcome
	n         int64     // tags that were removed or lifted, or that were found
	tombstone uuid.UUID // written
}

// tagState is the state of one tag.
type tagState struct {
	stored    bool
	tombstone uuid.UUID
}

// next returns the state and the result of a call without concurrent ones.
func (s tagState) next(c tagCall, got tagResult) (tagState, tagResult) {
	switch {
	case c.kind == "insert" && s.tombstone != uuid.Nil:
		return s, tagResult{outcome: ttp.Tombstoned}
	case c.kind == "insert" && s.stored:
		return s, tagResult{outcome: ttp.Duplicate}
	case c.kind == "insert":
		return tagState{stored: true}, tagResult{outcome: ttp.Inserted}
	case c.kind == "get" && s.stored:
		return s, tagResult{n: 1}
	case c.kind == "remove" && s.stored:
		return tagState{}, tagResult{n: 1}
	case c.kind == "tombstone" && s.stored:
		return tagState{tombstone: got.tombstone}, tagResult{n: 1, tombstone: got.tombstone}
	case c.kind == "lift" && s.tombstone == c.tombstone:
		return tagState{}, tagResult{n: 1}
	}
	return s, tagResult{}
}

var tagModel = porcupine.Model{
	Partition: func(calls []porcupine.Operation) [][]porcupine.Operation {
		byTag := map[int][]porcupine.Operation{}
		for _, c := range calls {
			n := c.Input.(tagCall).tag
			byTag[n] = append(byTag[n], c)
		}
		var parts [][]porcupine.Operation
		for _, part := range byTag {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return tagState{} },
	Step: func(state, input, output any) (bool, any) {
		next, want := state.(tagState).next(input.(tagCall), output.(tagResult))
		return want == output.(tagResult), next
	},
}

// Of the calls that insert a tag, exactly one between two removals returns Inserted, and none after a tombstone.
func historyOfTagsIsLinearizable(t *testing.T, db *database) {
	const tags = 4
	succeed(t, db.open(t).Migrate(context.Background()))
	s := db.open(t, ttp.WithClock(jumpingClock))
	succeed(t, s.UpsertAttackers(context.Background(), []ttp.Attacker{{UUID: id("attacker")}}))
	var written sync.Map // the tombstones of a tag that may be lifted, by its number
	checkHistory(t, tagModel, func(h *history, writer int) {
		kinds := []string{"insert", "insert", "insert", "get", "remove", "tombstone", "lift"}
		c := tagCall{tag: rand.IntN(tags), kind: kinds[rand.IntN(len(kinds))]}
		if c.kind == "lift" {
			tombstone, ok := written.Load(c.tag)
			if !ok {
				return
			}
			c.tombstone = tombstone.(uuid.UUID)
		}
		h.record(writer, c, func() any {
			result := c.run(t, s)
			if result.tombstone != uuid.Nil {
				written.Store(c.tag, result.tombstone)
			}
			return result
		})
	})
	equal(t, "findings", collect(t, s.Verify(context.Background(), ttp.VerifyOptions{})), []ttp.Finding(nil))
}

// jumpingClock is right or an hour behind.
func jumpingClock() time.Time { return time.Now().Add(-time.Hour * time.Duration(rand.IntN(2))) }

func (c tagCall) run(t *testing.T, s *ttp.Store) tagResult {
	ctx, session := context.Background(), fmt.Sprint("session ", c.tag)
	tag := newTag(fmt.Sprint(c.tag), func(tag *ttp.Tag) { tag.SessionID = session })
	switch c.kind {
	case "insert":
		return tagResult{outcome: must[ttp.InsertResult](t)(s.InsertTags(ctx, []ttp.Tag{tag})).Outcomes[0]}
	case "get":
		_, err := s.GetTag(ctx, tag.ComputeUUID())
		return tagResult{n: one(t, err)}
	case "lift":
		_, err := s.LiftTombstone(ctx, c.tombstone)
		return tagResult{n: one(t, err)}
	}
	var opts []ttp.RemovalOption
	if c.kind == "tombstone" {
		opts = append(opts, ttp.WithTombstone("history"))
	}
	receipt := must[ttp.Receipt](t)(s.PurgeSession(ctx, session, opts...))
	return tagResult{n: receipt.Tags, tombstone: receipt.TombstoneUUID}
}

// one returns 0 after ErrNotFound and 1 without an error.
func one(t *testing.T, err error) int64 {
	if errors.Is(err, ttp.ErrNotFound) {
		return 0
	}
	if err != nil {
		t.Error(err)
	}
	return 1
}

const mergedIdentities = 4

// mergeCall is a call about an identity with a number.
type mergeCall struct {
	kind       string // merge, unmerge or count
	from, into int
}

// mergeResult is the result of a mergeCall.
type mergeResult struct {
	conflict bool
	n        int64 // tags of all identities that are merged with one
}

// mergeState maps each identity to the one it is merged into, or to -1.
type mergeState [mergedIdentities]int

func (s mergeState) survivor(i int) int {
	for s[i] >= 0 {
		i = s[i]
	}
	return i
}

// next returns the state and the result of a call without concurrent ones.
func (s mergeState) next(c mergeCall) (mergeState, mergeResult) {
	switch {
	case c.kind == "unmerge":
		s[c.from] = -1
		return s, mergeResult{}
	case c.kind == "merge" && s[c.from] == c.into && c.from != c.into:
		return s, mergeResult{}
	case c.kind == "merge" && (s[c.from] >= 0 || s.survivor(c.into) == c.from):
		return s, mergeResult{conflict: true}
	case c.kind == "merge":
		s[c.from] = c.into
		return s, mergeResult{}
	}
	var n int64
	for i := range s {
		if s.survivor(i) == s.survivor(c.from) {
			n++
		}
	}
	return s, mergeResult{n: n}
}

var mergeModel = porcupine.Model{
	Init: func() any {
		var s mergeState
		for i := range s {
			s[i] = -1
		}
		return s
	},
	Step: func(state, input, output any) (bool, any) {
		next, want := state.(mergeState).next(input.(mergeCall))
		return want == output.(mergeResult), next
	},
}

// Merges form no cycle, and a count sees all of a merge or nothing.
func historyOfMergesIsLinearizable(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	name := func(i int) string { return fmt.Sprint("identity ", i) }
	for i := range mergedIdentities {
		succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id(name(i))}}))
		insert(t, s, newTag(name(i), named("", name(i), "T1110")))
	}
	checkHistory(t, mergeModel, func(h *history, writer int) {
		c := mergeCall{[]string{"merge", "merge", "unmerge", "count"}[rand.IntN(4)], rand.IntN(mergedIdentities), 0}
		if c.kind == "merge" {
			c.into = rand.IntN(mergedIdentities)
		}
		h.record(writer, c, func() any {
			switch c.kind {
			case "merge":
				return mergeResult{conflict: conflicts(t, s.MergeIdentity(ctx, id(name(c.from)), id(name(c.into))))}
			case "unmerge":
				return mergeResult{conflict: conflicts(t, s.UnmergeIdentity(ctx, id(name(c.from))))}
			}
			n, err := s.CountTags(ctx, ttp.OfIdentity(id(name(c.from))), ttp.Filter{})
			return mergeResult{conflict: conflicts(t, err), n: n}
		})
	})
}

// conflicts reports whether an error is ErrConflict. It fails the test for any other error.
func conflicts(t *testing.T, err error) bool {
	if err != nil && !errors.Is(err, ttp.ErrConflict) {
		t.Error(err)
	}
	return errors.Is(err, ttp.ErrConflict)
}
