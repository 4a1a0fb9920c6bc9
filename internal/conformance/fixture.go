package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// id returns the UUID for a readable name.
func id(name string) uuid.UUID { return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)) }

// at returns a time in microseconds after the suite's reference time.
func at(microseconds int) time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(microseconds) * time.Microsecond)
}

// newTag returns a valid tag of a source event, with changes.
func newTag(source string, changes ...func(*ttp.Tag)) ttp.Tag {
	tag := ttp.Tag{
		SourceKind:    "command",
		SourceID:      source,
		AttackerUUID:  id("attacker"),
		Tactic:        "TA0006",
		TechniqueID:   "T1110",
		Confidence:    0.7,
		RuleID:        "R1001",
		RuleVersion:   1,
		Evidence:      json.RawMessage(`{}`),
		AttackRelease: "enterprise-v18.1",
		ObservedAt:    at(0),
	}
	for _, change := range changes {
		change(&tag)
	}
	return tag
}

func newTags(n int, changes ...func(*ttp.Tag)) []ttp.Tag {
	tags := make([]ttp.Tag, n)
	for i := range tags {
		tags[i] = newTag(fmt.Sprintf("event-%d", i), changes...)
	}
	return tags
}

func insert(tb testing.TB, s *ttp.Store, tags ...ttp.Tag) ttp.InsertResult {
	tb.Helper()
	result, err := s.InsertTags(context.Background(), tags)
	if err != nil {
		tb.Fatal(err)
	}
	return result
}

// stored returns all tags in UUID order.
func stored(tb testing.TB, s *ttp.Store) []ttp.Tag {
	tb.Helper()
	var tags []ttp.Tag
	for _, line := range exported(tb, s) {
		var tag struct {
			Type string `json:"type"`
			ttp.Tag
		}
		if err := json.Unmarshal(line, &tag); err != nil {
			tb.Fatal(err)
		}
		if tag.Type == "tag" {
			tags = append(tags, tag.Tag)
		}
	}
	return tags
}

// count returns the number of tags.
func count(tb testing.TB, s *ttp.Store) int64 {
	tb.Helper()
	rows, err := s.ListDistinctTechniques(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	var n int64
	for _, row := range rows {
		n += row.Count
	}
	return n
}

// checker is a *testing.T or a *rapid.T.
type checker interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

func equal[T any](tb checker, what string, got, want T) {
	tb.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		tb.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}

// must returns a function that returns its first argument, or ends the test if there is an error.
func must[T any](tb checker) func(T, error) T {
	return func(rows T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return rows
	}
}

func succeed(tb checker, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// storeActor stores identities that are merged in a chain, their attackers, and tags with all combinations of these.
func storeActor(t *testing.T, s *ttp.Store) {
	t.Helper()
	ctx := context.Background()
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{
		{UUID: id("i")}, {UUID: id("j"), MergedIntoUUID: id("i")}, {UUID: id("k"), MergedIntoUUID: id("j")}, {UUID: id("other")},
	}))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{
		{UUID: id("a"), IdentityUUID: id("i")}, {UUID: id("b"), IdentityUUID: id("k")}, {UUID: id("c"), IdentityUUID: id("other")},
	}))
	insert(t, s,
		newTag("sprayed", named("", "i", "T1110")), newTag("sprayed by k", named("", "k", "T1110")),
		newTag("a's", named("a", "", "T1078")), newTag("a's with i", named("a", "i", "T1078")), newTag("b's with k", named("b", "k", "T1078")),
		newTag("a's with other", named("a", "other", "T1003")), newTag("c's with i", named("c", "i", "T1003")),
		newTag("c's", named("c", "", "T1003")),
	)
}
