package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

var insertCases = []testCase{
	{name: "EveryRowHasItsOutcome", run: everyRowHasItsOutcome},
	{name: "ReplayWritesNothing", run: replayWritesNothing},
	{name: "FirstWriteWins", run: firstWriteWins},
	{name: "PartialDuplicatesAreExact", run: partialDuplicatesAreExact},
	{name: "LateDuplicatesAreExact", run: lateDuplicatesAreExact},
	{name: "DuplicatesInOneCallCountOnce", run: duplicatesInOneCallCountOnce},
	{name: "FloorIsInclusive", run: floorIsInclusive},
	{name: "EmptyInsertWritesNothing", run: emptyInsertWritesNothing},
	{name: "HundredThousandRowsInOneCall", run: hundredThousandRowsInOneCall, long: true},
	{name: "LargeEvidenceIsSplitIntoStatements", run: largeEvidenceIsSplitIntoStatements},
	{name: "RacingWritersInsertEachTagOnce", run: racingWritersInsertEachTagOnce},
	{name: "CancelledContextWritesNothing", run: cancelledContextWritesNothing},
	{name: "InputIsNotModified", run: inputIsNotModified},
	{name: "ResultsAndProblemsAreJSON", run: resultsAndProblemsAreJSON},
}

func everyRowHasItsOutcome(t *testing.T, db *database) {
	s := db.store(t)
	insert(t, s, newTag("old"))
	result := insert(t, s,
		newTag("new", func(tag *ttp.Tag) { tag.TechniqueID = "T1595" }),
		newTag("low", func(tag *ttp.Tag) { tag.Confidence, tag.TechniqueID = 0.29, "T1001" }),
		newTag("old"),
		newTag("newer", func(tag *ttp.Tag) { tag.TechniqueID, tag.SubTechniqueID = "T1110", "T1110.001" }),
		newTag("new", func(tag *ttp.Tag) { tag.TechniqueID = "T1595" }),
		newTag("newest"),
	)
	equal(t, "version of the batch", result.BatchUUID.Version(), 7)
	want := ttp.InsertResult{
		BatchUUID:  result.BatchUUID,
		Outcomes:   []ttp.Outcome{ttp.Inserted, ttp.BelowFloor, ttp.Duplicate, ttp.Inserted, ttp.Duplicate, ttp.Inserted},
		Inserted:   3,
		Techniques: []string{"T1110", "T1595"},
	}
	equal(t, "result", result, want)
	equal(t, "duplicates", result.Count(ttp.Duplicate), 2)
	batches := map[uuid.UUID]int{}
	for _, tag := range stored(t, s) {
		batches[tag.BatchUUID]++
	}
	equal(t, "rows of the batch", batches[result.BatchUUID], 3)
}

func replayWritesNothing(t *testing.T, db *database) {
	s := db.store(t)
	tags := newTags(1000)
	insert(t, s, tags...)
	before := stored(t, s)
	for range 3 {
		result := insert(t, s, tags...)
		equal(t, "inserted", result.Inserted, 0)
		equal(t, "duplicates", result.Count(ttp.Duplicate), len(tags))
		equal(t, "techniques", result.Techniques, []string{})
	}
	equal(t, "tags", stored(t, s), before)
}

func firstWriteWins(t *testing.T, db *database) {
	s := db.store(t)
	insert(t, s, newTag("1"))
	before := stored(t, s)
	again := newTag("1", func(tag *ttp.Tag) {
		tag.Confidence, tag.Tactic, tag.SessionID, tag.IdentityUUID = 1, "TA0001", "other", id("other")
		tag.ObservedAt, tag.Evidence = at(9), []byte(`{"other":1}`)
	})
	equal(t, "inserted", insert(t, s, again).Inserted, 0)
	equal(t, "tags", stored(t, s), before)
}

func partialDuplicatesAreExact(t *testing.T, db *database) {
	s := db.store(t)
	tags := newTags(1203)
	var old []ttp.Tag
	for i := 0; i < len(tags); i += 3 {
		old = append(old, tags[i])
	}
	insert(t, s, old...)
	result := insert(t, s, tags...)
	equal(t, "inserted", result.Inserted, len(tags)-len(old))
	for i, outcome := range result.Outcomes {
		want := ttp.Inserted
		if i%3 == 0 {
			want = ttp.Duplicate
		}
		if outcome != want {
			t.Fatalf("row %d is %v, want %v", i, outcome, want)
		}
	}
	equal(t, "tags", count(t, s), int64(len(tags)))
}

// The duplicates are late in UUID order, where InsertTags no longer checks for stored tags before writing.
func lateDuplicatesAreExact(t *testing.T, db *database) {
	s := db.store(t)
	tags := newTags(2000)
	slices.SortFunc(tags, func(a, b ttp.Tag) int { return strings.Compare(a.ComputeUUID().String(), b.ComputeUUID().String()) })
	insert(t, s, tags[1800:1810]...)
	result := insert(t, s, tags...)
	for i, outcome := range result.Outcomes {
		want := ttp.Inserted
		if i >= 1800 && i < 1810 {
			want = ttp.Duplicate
		}
		if outcome != want {
			t.Fatalf("row %d is %v, want %v", i, outcome, want)
		}
	}
	equal(t, "inserted", result.Inserted, len(tags)-10)
}

func duplicatesInOneCallCountOnce(t *testing.T, db *database) {
	s := db.store(t)
	low := newTag("twice", func(tag *ttp.Tag) { tag.Confidence = 0.1 })
	first := newTag("twice", func(tag *ttp.Tag) { tag.Confidence = 0.5 })
	second := newTag("twice", func(tag *ttp.Tag) { tag.Confidence = 0.9 })
	result := insert(t, s, low, first, second, second)
	equal(t, "outcomes", result.Outcomes, []ttp.Outcome{ttp.BelowFloor, ttp.Inserted, ttp.Duplicate, ttp.Duplicate})
	tags := stored(t, s)
	equal(t, "number of tags", len(tags), 1)
	equal(t, "confidence", tags[0].Confidence, 0.5)
}

func floorIsInclusive(t *testing.T, db *database) {
	confidences := []float64{0, 0.2999999999999999, 0.3, 0.5, 1}
	store := db.store(t) // migrates
	for floor, want := range map[float64]int{0: 5, ttp.DefaultConfidenceFloor: 3, 0.5: 2, 1: 1} {
		s := db.open(t, ttp.WithConfidenceFloor(floor))
		var tags []ttp.Tag
		for i, confidence := range confidences {
			tags = append(tags, newTag(fmt.Sprint(floor, i), func(tag *ttp.Tag) { tag.Confidence = confidence }))
		}
		result := insert(t, s, tags...)
		equal(t, fmt.Sprint("inserted at ", floor), result.Inserted, want)
		equal(t, fmt.Sprint("below ", floor), result.Count(ttp.BelowFloor), len(tags)-want)
	}
	equal(t, "tags", count(t, store), 11)
}

func emptyInsertWritesNothing(t *testing.T, db *database) {
	s := db.store(t)
	for _, tags := range [][]ttp.Tag{nil, {}, {newTag("low", func(tag *ttp.Tag) { tag.Confidence = 0 })}} {
		result := insert(t, s, tags...)
		equal(t, "outcomes", len(result.Outcomes), len(tags))
		equal(t, "inserted", result.Inserted, 0)
	}
	equal(t, "tags", count(t, s), 0)
}

func hundredThousandRowsInOneCall(t *testing.T, db *database) {
	const n = 100_000
	s := db.store(t)
	tags := newTags(n)
	result := insert(t, s, tags...)
	equal(t, "inserted", result.Inserted, n)
	equal(t, "tags", count(t, s), n)
	equal(t, "inserted by a replay", insert(t, s, tags...).Inserted, 0)
}

// A single statement would have 64 MiB, more than max_allowed_packet.
func largeEvidenceIsSplitIntoStatements(t *testing.T, db *database) {
	s := db.store(t)
	evidence := make([]byte, 64<<10)
	copy(evidence, `{"quotes":"`)
	for i := 11; i < len(evidence)-2; i++ {
		evidence[i] = '\''
	}
	copy(evidence[len(evidence)-2:], `"}`)
	tags := newTags(500, func(tag *ttp.Tag) { tag.Evidence = evidence })
	equal(t, "inserted", insert(t, s, tags...).Inserted, len(tags))
}

func racingWritersInsertEachTagOnce(t *testing.T, db *database) {
	const writers, rounds, universe, batch = 8, 12, 600, 200
	s := db.store(t)
	tags := newTags(universe)
	winners := make([]map[uuid.UUID]int, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 1))
			winners[w] = map[uuid.UUID]int{}
			for range rounds {
				mine := make([]ttp.Tag, batch)
				for i := range mine {
					mine[i] = tags[random.IntN(universe)]
				}
				result, err := s.InsertTags(context.Background(), mine)
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
				for i, outcome := range result.Outcomes {
					if outcome == ttp.Inserted {
						winners[w][mine[i].ComputeUUID()]++
					}
				}
			}
		})
	}
	wg.Wait()
	won := map[uuid.UUID]int{}
	for _, wins := range winners {
		for id, n := range wins {
			won[id] += n
		}
	}
	want := map[uuid.UUID]int{}
	for _, tag := range stored(t, s) {
		want[tag.UUID] = 1
	}
	equal(t, "number of calls that inserted each stored tag", won, want)
}

func cancelledContextWritesNothing(t *testing.T, db *database) {
	s := db.store(t)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.InsertTags(cancelled, newTags(3)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: got %v", err)
	}
	_, read := s.ListDistinctTechniques(cancelled)
	if !errors.Is(read, context.Canceled) || strings.Count(read.Error(), "context canceled") != 1 {
		t.Errorf("cancelled read: got %v", read)
	}
	if err := s.UpsertAttackers(cancelled, []ttp.Attacker{{UUID: id("a")}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled upsert: got %v", err)
	}
	tags := newTags(30_000)
	late, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if _, err := s.InsertTags(late, tags); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cancelled during the call: got %v", err)
	}
	equal(t, "tags", count(t, s), 0)
	equal(t, "inserted afterwards", insert(t, s, tags[:100]...).Inserted, 100)
}

func inputIsNotModified(t *testing.T, db *database) {
	s := db.store(t)
	tags := []ttp.Tag{newTag("b"), newTag("a", func(tag *ttp.Tag) { tag.AttackRelease = "18.1" })}
	before := append([]ttp.Tag{}, tags...)
	insert(t, s, tags...)
	equal(t, "input", tags, before)
}

func resultsAndProblemsAreJSON(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	marshal := func(v any) string { return string(must[[]byte](t)(json.Marshal(v))) }
	result := insert(t, s, newTag("a"), newTag("a"), newTag("low", func(tag *ttp.Tag) { tag.Confidence = 0 }))
	equal(t, "result", marshal(result), `{"batch_uuid":"`+result.BatchUUID.String()+
		`","outcomes":["inserted","duplicate","below_floor"],"inserted":1,"techniques":["T1110"]}`)
	again := insert(t, s, newTag("a"))
	equal(t, "replay", marshal(again), `{"batch_uuid":"`+again.BatchUUID.String()+`","outcomes":["duplicate"],"inserted":0,"techniques":[]}`)

	var read ttp.InsertResult
	succeed(t, json.Unmarshal([]byte(marshal(result)), &read))
	equal(t, "result read back", read, result)
	equal(t, "tombstoned", marshal(ttp.Tombstoned), `"tombstoned"`)
	equal(t, "outcome of a later version", marshal(ttp.Tombstoned+1), `"unknown"`)
	for _, outcome := range []string{"unknown", ""} {
		if err := new(ttp.Outcome).UnmarshalText([]byte(outcome)); err == nil {
			t.Errorf("the outcome %q was accepted", outcome)
		}
	}

	_, tags := s.InsertTags(ctx, []ttp.Tag{newTag("b", func(tag *ttp.Tag) { tag.Tactic = "" })})
	_, lines := s.Import(ctx, strings.NewReader("\nx\n"), ttp.ImportOptions{})
	_, query := s.ListRules(ctx, ttp.Filter{Tactic: "x"})
	scope := s.AssignAttackers(ctx, uuid.Nil, id("a"))
	for want, err := range map[string]error{
		`{"error":"invalid tag","problems":[{"row":0,"field":"tactic","reason":"must be \"TA\" and four digits"}]}`: tags,
		`{"error":"invalid record","problems":[{"line":2,"reason":"must be a JSON object"}]}`:                       lines,
		`{"error":"invalid query","problems":[{"field":"tactic","reason":"must be \"TA\" and four digits"}]}`:       query,
		`{"error":"invalid scope","problems":[{"field":"identity_uuid","reason":"must be set"}]}`:                   scope,
	} {
		var invalid *ttp.InvalidError
		if !errors.As(err, &invalid) {
			t.Errorf("got %v", err)
			continue
		}
		equal(t, "error", marshal(invalid), want)
	}
}
