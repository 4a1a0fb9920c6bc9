package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

var listCases = []testCase{
	{name: "PagesDoNotShift", run: pagesDoNotShift},
	{name: "PagesEndExactly", run: pagesEndExactly},
	{name: "EqualTimesSpanPages", run: equalTimesSpanPages},
	{name: "PagesHaveManyMembers", run: pagesHaveManyMembers},
	{name: "PagesOfRareTechniques", run: pagesOfRareTechniques},
	{name: "CursorBelongsToItsQuery", run: cursorBelongsToItsQuery},
	{name: "DamagedCursorIsRefused", run: damagedCursorIsRefused},
	{name: "TagIsFoundByItsUUID", run: tagIsFoundByItsUUID},
	{name: "StreamsAllowWrites", run: streamsAllowWrites},
	{name: "StreamsEndWithTheContext", run: streamsEndWithTheContext},
	{name: "SweepsSpanPages", run: sweepsSpanPages},
	{name: "ExportIsFiltered", run: exportIsFiltered},
}

// observed returns tags of one attacker at intervals of a microsecond.
func observed(from, to int) []ttp.Tag {
	var tags []ttp.Tag
	for i := from; i < to; i++ {
		tags = append(tags, newTag(fmt.Sprint(i), func(tag *ttp.Tag) { tag.ObservedAt, tag.SessionID = at(i), "session" }))
	}
	return tags
}

func page(t *testing.T, s *ttp.Store, scope ttp.Scope, f ttp.Filter, limit int, cursor string) ttp.TagPage {
	t.Helper()
	return must[ttp.TagPage](t)(s.ListTags(context.Background(), scope, f, limit, cursor))
}

func pagesDoNotShift(t *testing.T, db *database) {
	s := db.store(t)
	insert(t, s, observed(0, 6)...)
	for _, scope := range []ttp.Scope{ttp.Fleet(), ttp.OfAttacker(id("attacker")), ttp.OfSession("session")} {
		first := page(t, s, scope, ttp.Filter{Until: at(6)}, 2, "")
		equal(t, "first page", sourcesOf(first.Tags), []string{"5", "4"})
		insert(t, s, observed(6, 9)...)
		second := page(t, s, scope, ttp.Filter{Until: at(6)}, 3, first.Next) // another limit
		equal(t, "second page", sourcesOf(second.Tags), []string{"3", "2", "1"})
		third := page(t, s, scope, ttp.Filter{Until: at(6)}, 1, second.Next)
		equal(t, "third page", sourcesOf(third.Tags), []string{"0"})
		equal(t, "cursor after the last", third.Next, "")
	}
	newest := page(t, s, ttp.Fleet(), ttp.Filter{}, 1, "")
	equal(t, "newest", sourcesOf(newest.Tags), []string{"8"})
}

func pagesEndExactly(t *testing.T, db *database) {
	s := db.store(t)
	equal(t, "empty page", page(t, s, ttp.Fleet(), ttp.Filter{}, 5, ""), ttp.TagPage{Tags: []ttp.Tag{}})
	insert(t, s, observed(0, 4)...)
	for limit, next := range map[int]bool{3: true, 4: false, 5: false, ttp.MaxPage: false} {
		equal(t, fmt.Sprint("there is a next page with the limit ", limit), page(t, s, ttp.Fleet(), ttp.Filter{}, limit, "").Next != "", next)
	}
}

// Ties are ordered by UUID, even across the identities and attackers of a scope.
func equalTimesSpanPages(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i1")}, {UUID: id("i2"), MergedIntoUUID: id("i1")}}))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a1"), IdentityUUID: id("i1")}, {UUID: id("a2"), IdentityUUID: id("i2")}}))
	anchors := []func(*ttp.Tag){
		named("a1", "", "T1110"), named("a2", "", "T1110"), named("a3", "i1", "T1110"), named("a3", "i2", "T1110"),
	}
	m := &model{}
	for i := range 40 {
		m.tags = append(m.tags, newTag(fmt.Sprint(i), anchors[i%4]))
	}
	insert(t, s, m.tags...)
	equalPages(t, s, ttp.OfIdentity(id("i2")), ttp.Filter{}, m, 1, 7, 40)
}

// The attackers do not fit into one IN list.
func pagesHaveManyMembers(t *testing.T, db *database) {
	const attackers = 300
	ctx, s := context.Background(), db.store(t)
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i1")}}))
	members, m := make([]ttp.Attacker, attackers), &model{}
	for i := range members {
		name := fmt.Sprint("a", i)
		members[i] = ttp.Attacker{UUID: id(name), IdentityUUID: id("i1")}
		for n := range 2 {
			tag := newTag(fmt.Sprint(i, " ", n), named(name, "", "T1110"))
			tag.ObservedAt = at(i%7 + n)
			m.tags = append(m.tags, tag)
		}
	}
	succeed(t, s.UpsertAttackers(ctx, members))
	insert(t, s, m.tags...)
	equalPages(t, s, ttp.OfIdentity(id("i1")), ttp.Filter{}, m, 100, 1000)
}

// Pages of a rare technique read its index, and those of a frequent one the index of times.
func pagesOfRareTechniques(t *testing.T, db *database) {
	s := overPool(t, db)
	m := &model{}
	for i := range 100 {
		technique := "T1110"
		if i%25 == 7 {
			technique = "T1059"
		}
		m.tags = append(m.tags, newTag(fmt.Sprint(i), named("a1", "", technique), func(tag *ttp.Tag) { tag.ObservedAt = at(i) }))
	}
	insert(t, s, m.tags...)
	for _, technique := range []string{"T1110", "T1059"} {
		equalPages(t, s, ttp.Fleet(), ttp.Filter{Technique: technique}, m, 2, 3)
		_, rare := db.recorder.statement("ListTagsByTechnique")
		equal(t, technique+" is rare", rare, technique == "T1059")
	}
}

// equalPages compares the pages of a scope and a filter with all matching tags of the model, for each limit.
func equalPages(t *testing.T, s *ttp.Store, scope ttp.Scope, f ttp.Filter, m *model, limits ...int) {
	t.Helper()
	want := sourcesOf(m.newestFirst(func(tag ttp.Tag) bool { return matches(f, tag) }))
	for _, limit := range limits {
		var got []string
		for cursor, more := "", true; more; more = cursor != "" {
			p := page(t, s, scope, f, limit, cursor)
			got, cursor = append(got, sourcesOf(p.Tags)...), p.Next
		}
		equal(t, fmt.Sprint("pages of ", limit), got, want)
	}
}

// problemsOf returns the problems of an ErrInvalidQuery.
func problemsOf(t *testing.T, err error) []ttp.Problem {
	t.Helper()
	var invalid *ttp.InvalidError
	if !errors.As(err, &invalid) || !errors.Is(err, ttp.ErrInvalidQuery) {
		t.Fatalf("want ErrInvalidQuery, got %v", err)
	}
	return invalid.Problems
}

func cursorBelongsToItsQuery(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, observed(0, 6)...)
	scope, f := ttp.OfAttacker(id("attacker")), ttp.Filter{MinConfidence: 0.5}
	next := page(t, s, scope, f, 2, "").Next
	for name, other := range map[string]struct {
		scope  ttp.Scope
		filter ttp.Filter
	}{
		"scope of another kind": {ttp.Fleet(), f},
		"scope of another id":   {ttp.OfAttacker(id("another")), f},
		"no filter":             {scope, ttp.Filter{}},
		"another filter":        {scope, ttp.Filter{MinConfidence: 0.4}},
		"a filter of rows":      {scope, ttp.Filter{MinConfidence: 0.5, RuleID: "R1001"}},
	} {
		_, err := s.ListTags(ctx, other.scope, other.filter, 2, next)
		want := []ttp.Problem{{Field: "cursor", Reason: "belongs to another scope or filter: start again without a cursor"}}
		equal(t, name, problemsOf(t, err), want)
	}
	upper := must[ttp.Scope](t)(ttp.ParseScope("attacker urn:uuid:" + id("attacker").String()))
	equal(t, "the same scope in another format", sourcesOf(page(t, s, upper, f, 2, next).Tags), []string{"3", "2"})
}

func damagedCursorIsRefused(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, observed(0, 3)...)
	next := page(t, s, ttp.Fleet(), ttp.Filter{}, 2, "").Next
	damaged := []string{"x", " ", next[1:], next[:len(next)-1], next + "A", "\x00" + next, next + "=", strings.Repeat("\n", len(next))}
	for i := range next {
		other := byte('A')
		if next[i] == other {
			other = 'B'
		}
		damaged = append(damaged, next[:i]+string(other)+next[i+1:])
	}
	for _, cursor := range damaged {
		_, err := s.ListTags(ctx, ttp.Fleet(), ttp.Filter{}, 2, cursor)
		want := []ttp.Problem{{Field: "cursor", Reason: "is damaged: pass Next of the previous page unchanged"}}
		equal(t, fmt.Sprintf("cursor %q", cursor), problemsOf(t, err), want)
	}
}

func tagIsFoundByItsUUID(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	tags := observed(0, 2)
	insert(t, s, tags...)
	got := must[ttp.Tag](t)(s.GetTag(ctx, tags[1].ComputeUUID()))
	i := slices.IndexFunc(stored(t, s), func(tag ttp.Tag) bool { return tag.SourceID == "1" })
	equal(t, "tag", got, stored(t, s)[i])
	missing := uuid.UUID{1}
	if _, err := s.GetTag(ctx, missing); !errors.Is(err, ttp.ErrNotFound) || err.Error() != "ttp: get tag "+missing.String()+": not found" {
		t.Errorf("want ErrNotFound with the id, got %v", err)
	}
}

// Streams hold no connection during the loop body, so that it may write even with one connection.
func streamsAllowWrites(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, observed(0, 600)...)
	n := 0
	for tag, err := range s.TagsSeq(ctx, ttp.Fleet(), ttp.Filter{}) {
		succeed(t, err)
		if n++; n%200 == 0 {
			insert(t, s, newTag("newer than "+tag.SourceID, func(tag *ttp.Tag) { tag.ObservedAt = at(1000 + n) }))
		}
	}
	equal(t, "tags stored before the stream", n, 600)
	n = 0
	for _, err := range s.SessionTags(ctx, "session", ttp.Filter{}) {
		succeed(t, err)
		if n++; n == 300 {
			break
		}
	}
	equal(t, "tags until the break", n, 300)
}

func streamsEndWithTheContext(t *testing.T, db *database) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := db.store(t)
	insert(t, s, observed(0, 600)...)
	n, last := 0, error(nil)
	for tag, err := range s.TagsSeq(ctx, ttp.Fleet(), ttp.Filter{}) {
		if last = err; err != nil {
			equal(t, "tag of the error", tag, ttp.Tag{})
			continue // an error is the last
		}
		if n++; n == 10 {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) || n < 10 || n >= 600 {
		t.Errorf("got %d tags and then %v", n, last)
	}
}

// There are more scopes than on one page of a sweep: referenced by tags, referenced by attackers only, and merged.
func sweepsSpanPages(t *testing.T, db *database) {
	const n = 450
	ctx, s := context.Background(), db.store(t)
	var tags []ttp.Tag
	var attackers []ttp.Attacker
	var merges []ttp.Identity
	for i := range n {
		identity := ""
		if i%3 == 0 {
			identity = fmt.Sprint("i", i)
		}
		tags = append(tags, newTag(fmt.Sprint(i), named(fmt.Sprint("a", i), identity, "T1110")))
		if i%3 > 0 {
			attackers = append(attackers, ttp.Attacker{UUID: id(fmt.Sprint("a", i)), IdentityUUID: id(fmt.Sprint("i", i))})
		}
		if i%10 == 0 {
			merges = append(merges, ttp.Identity{UUID: id(fmt.Sprint("i", i)), MergedIntoUUID: id(fmt.Sprint("i", i+1))})
		}
	}
	insert(t, s, tags...)
	succeed(t, s.UpsertAttackers(ctx, attackers))
	succeed(t, s.UpsertIdentities(ctx, merges))
	got := collect(t, s.AttackerRollups(ctx, ttp.Filter{}))
	equal(t, "attackers", len(got), n)
	for i, rollup := range got {
		equal(t, rollup.String(), rollup.Techniques, rollupOf(t, s, rollup.Scope))
		if i > 0 && got[i-1].ID() >= rollup.ID() {
			t.Fatalf("%s comes after %s", rollup, got[i-1])
		}
	}
	got = collect(t, s.IdentityRollups(ctx, ttp.Filter{}))
	equal(t, "surviving identities", len(got), n-n/10)
	for _, rollup := range got {
		equal(t, rollup.String(), rollup.Techniques, rollupOf(t, s, rollup.Scope))
	}
	for rollup, err := range s.AttackerRollups(ctx, ttp.Filter{}) {
		succeed(t, err)
		equal(t, "techniques before the break", len(rollup.Techniques), 1)
		break
	}
}

func exportIsFiltered(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, observed(0, 6)...)
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("without tags")}}))
	var out lineCounter
	report := must[ttp.ExportReport](t)(s.Export(ctx, &out, ttp.Filter{Since: at(2), Until: at(5)}, nil))
	equal(t, "report", report, ttp.ExportReport{Attackers: 1, Tags: 3})
	equal(t, "lines", int(out), 4)
}

type lineCounter int

func (n *lineCounter) Write(line []byte) (int, error) {
	*n++
	return len(line), nil
}
