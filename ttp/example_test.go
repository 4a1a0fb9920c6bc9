package ttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

var exampleAttacker = uuid.MustParse("7f223160-4c7d-5b0f-a01f-ae36646d3370")

func exampleTag(sourceID string) ttp.Tag {
	return ttp.Tag{
		SourceKind: "auth_attempt", SourceID: sourceID, AttackerUUID: exampleAttacker,
		Tactic: "TA0006", TechniqueID: "T1110", SubTechniqueID: "T1110.001",
		Confidence: 0.7, RuleID: "R1001", RuleVersion: 1, Evidence: []byte(`{"user":"root"}`),
		AttackRelease: "enterprise-v18.1", ObservedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
}

// A whole program: open, migrate, write, read.
func Example() {
	ctx := context.Background()
	store, err := ttp.Open(ctx, "sqlite://:memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if err := store.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	if _, err := store.InsertTags(ctx, []ttp.Tag{exampleTag("1"), exampleTag("2")}); err != nil {
		log.Fatal(err)
	}
	rows, err := store.ListTechniquesByAttacker(ctx, exampleAttacker)
	if err != nil {
		log.Fatal(err)
	}
	for _, row := range rows {
		fmt.Println(row.SubTechniqueID, row.Tactic, row.Count, row.ConfidenceMax)
	}
	// Output: T1110.001 TA0006 2 0.7
}

// The result reports the outcome of each tag, so that replays are distinguished from new tags.
func ExampleStore_InsertTags() {
	ctx := context.Background()
	store, err := ttp.Open(ctx, "sqlite://:memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if err := store.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	doubtful := exampleTag("2")
	doubtful.Confidence = 0.1 // the floor is 0.3
	for range 2 {
		result, err := store.InsertTags(ctx, []ttp.Tag{exampleTag("1"), doubtful})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d %v %v\n", result.Inserted, result.Outcomes, result.Techniques)
	}
	// Output:
	// 1 [inserted below_floor] [T1110]
	// 0 [duplicate below_floor] []
}

// The error names every invalid field, also as JSON. Nothing is written.
func ExampleInvalidError() {
	ctx := context.Background()
	store, err := ttp.Open(ctx, "sqlite://:memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if err := store.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	tag := exampleTag("1")
	tag.RuleID = ""
	_, err = store.InsertTags(ctx, []ttp.Tag{tag})
	fmt.Println(err)
	if invalid, ok := errors.AsType[*ttp.InvalidError](err); ok {
		_ = json.NewEncoder(os.Stdout).Encode(invalid)
	}
	// Output:
	// ttp: insert tags: invalid tag: row 0: rule_id: must not be empty
	// {"error":"invalid tag","problems":[{"row":0,"field":"rule_id","reason":"must not be empty"}]}
}

// The UUID of a tag is computed from its fields.
func ExampleComputeTagUUID() {
	fmt.Println(ttp.ComputeTagUUID("command", "cmd_42", "R0014", 2, "T1083", ""))
	// Output: 9aa491e5-f03b-5d8f-9eb5-161becedcdd6
}

// Count and page through an attacker's tags of one technique.
func ExampleStore_ListTags() {
	ctx := context.Background()
	store, err := ttp.Open(ctx, "sqlite://:memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if err := store.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	if _, err := store.InsertTags(ctx, []ttp.Tag{exampleTag("1"), exampleTag("2"), exampleTag("3")}); err != nil {
		log.Fatal(err)
	}
	scope := ttp.OfAttacker(exampleAttacker)
	filter := ttp.Filter{Technique: "T1110", TechniqueMatch: ttp.WithSubTechniques, MinConfidence: 0.5}
	n, err := store.CountTags(ctx, scope, filter)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("tags:", n)
	cursor := ""
	for {
		page, err := store.ListTags(ctx, scope, filter, 2, cursor)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("on this page:", len(page.Tags))
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	// Output:
	// tags: 3
	// on this page: 2
	// on this page: 1
}

// A rule has false positives: preview the removal of its tags, remove them, and reject replays.
func ExampleStore_RollbackRule() {
	ctx := context.Background()
	store, err := ttp.Open(ctx, "sqlite://:memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if err := store.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	tags := []ttp.Tag{exampleTag("1"), exampleTag("2")}
	if _, err := store.InsertTags(ctx, tags); err != nil {
		log.Fatal(err)
	}
	rule := ttp.Filter{RuleID: "R1001"}
	would, err := store.RollbackRule(ctx, rule, ttp.DryRun())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("would remove:", would.Techniques)
	receipt, err := store.RollbackRule(ctx, rule, ttp.WithTombstone("fires on every login"))
	if err != nil {
		log.Fatal(err) // run it again to continue
	}
	fmt.Println("removed:", receipt.Tags)
	result, err := store.InsertTags(ctx, tags)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("replay: %v\n", result.Outcomes)
	lifted, err := store.LiftTombstone(ctx, receipt.TombstoneUUID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("lifted:", lifted)
	// Output:
	// would remove: map[T1110.001:2]
	// removed: 2
	// replay: [tombstoned tombstoned]
	// lifted: 2
}
