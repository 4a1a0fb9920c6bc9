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

var graphCases = []testCase{
	{name: "AssignedAttackersRekeyTheirTags", run: assignedAttackersRekeyTheirTags},
	{name: "UpsertedAttackersRekeyTheirTags", run: upsertedAttackersRekeyTheirTags},
	{name: "AssignRefusesUnknownScopes", run: assignRefusesUnknownScopes},
	{name: "AssignedIdentitiesChangeTheCampaign", run: assignedIdentitiesChangeTheCampaign},
	{name: "UnmergedIdentitiesAreSeparate", run: unmergedIdentitiesAreSeparate},
	{name: "UnmergedCampaignsAreSeparate", run: unmergedCampaignsAreSeparate},
	{name: "MergeErrorsNameBothIDs", run: mergeErrorsNameBothIDs},
	{name: "ScopesAreListedByParent", run: scopesAreListedByParent},
}

// The tags exceed one batch, and some have the same time.
func assignedAttackersRekeyTheirTags(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	const n = 1101
	tags := []ttp.Tag{newTag("of another", named("b", "old", "T1110"))}
	for i := range n {
		name := []string{"old", "other", "new", ""}[i%4]
		tags = append(tags, newTag(fmt.Sprint(i), named("a", name, "T1110"), func(tag *ttp.Tag) { tag.ObservedAt = at(i / 100) }))
	}
	insert(t, s, tags...)
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a"), IdentityUUID: id("old")}, {UUID: id("b")}}))
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("old")}, {UUID: id("new")}}))
	succeed(t, s.AssignAttackers(ctx, id("new"), id("a")))
	if db.OverPool { // with a recorder
		equal(t, "maximum number of parameters of a statement", db.recorder.most["SetTagIdentities"], 512+1) // 500 UUIDs, padded
	}
	equal(t, "tags of the old identity", byIdentity(t, s, "old"), map[string]int64{"T1110": 1})
	equal(t, "tags of the other identity", byIdentity(t, s, "other"), map[string]int64{})
	equal(t, "tags of the new identity", byIdentity(t, s, "new"), map[string]int64{"T1110": n})
	for _, tag := range stored(t, s) {
		if tag.AttackerUUID == id("a") && tag.IdentityUUID != uuid.Nil && tag.IdentityUUID != id("new") {
			t.Errorf("%s has the identity %s", tag.SourceID, tag.IdentityUUID)
		}
	}
	// Tags that are written later with the old identity keep it until the assignment is repeated.
	insert(t, s, newTag("late", named("a", "old", "T1110")))
	equal(t, "tags of the old identity", byIdentity(t, s, "old"), map[string]int64{"T1110": 2})
	succeed(t, s.AssignAttackers(ctx, id("new"), id("a"), id("b"), id("a")))
	equal(t, "tags of the old identity", byIdentity(t, s, "old"), map[string]int64{})
	equal(t, "tags of the new identity", byIdentity(t, s, "new"), map[string]int64{"T1110": n + 2})
}

// An upsert that changes the identity re-keys tags, even within one call. The first identity does not, since tags and
// scopes may be written in any order.
func upsertedAttackersRekeyTheirTags(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTag("1", named("a", "i", "T1110")), newTag("2", named("a", "", "T1110")))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a"), IdentityUUID: id("j")}}))
	equal(t, "tags of i after the first identity", byIdentity(t, s, "i"), map[string]int64{"T1110": 1})
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a")}, {UUID: id("a"), IdentityUUID: id("k")}}))
	equal(t, "tags of k after a change", byIdentity(t, s, "k"), map[string]int64{"T1110": 2})
	insert(t, s, newTag("3", named("b", "i", "T1110")))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("b"), IdentityUUID: id("i")}, {UUID: id("b"), IdentityUUID: id("k")}}))
	equal(t, "tags of k after a change within one call", byIdentity(t, s, "k"), map[string]int64{"T1110": 3})
	insert(t, s, newTag("4", named("b", "i", "T1110")))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("b")}, {UUID: id("b"), IdentityUUID: id("k")}}))
	equal(t, "tags of i after no change", byIdentity(t, s, "i"), map[string]int64{"T1110": 1})
	equal(t, "tags of k after no change", byIdentity(t, s, "k"), map[string]int64{"T1110": 3})
}

func assignRefusesUnknownScopes(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	succeed(t, s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: id("c")}}))
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i")}}))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a")}}))
	for name, err := range map[string]error{
		"no identity": s.AssignAttackers(ctx, id("no identity"), id("a")),
		"no attacker": s.AssignAttackers(ctx, id("i"), id("a"), id("no attacker")),
		"no campaign": s.AssignCampaign(ctx, id("no campaign"), id("i")),
		"no member":   s.AssignCampaign(ctx, id("c"), id("i"), id("no member")),
	} {
		if !errors.Is(err, ttp.ErrNotFound) || !strings.Contains(err.Error(), id(name).String()) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for what, err := range map[string]error{
		"0 identity_uuid":  s.AssignAttackers(ctx, uuid.Nil, id("a")),
		"1 attacker_uuid":  s.AssignAttackers(ctx, id("i"), id("a"), uuid.Nil),
		"0 campaign_uuid":  s.AssignCampaign(ctx, uuid.Nil, id("i")),
		"1 identity_uuid ": s.AssignCampaign(ctx, id("c"), id("i"), uuid.Nil),
	} {
		var invalid *ttp.InvalidError
		if !errors.Is(err, ttp.ErrInvalidScope) || !errors.As(err, &invalid) || len(invalid.Problems) != 1 ||
			fmt.Sprint(invalid.Problems[0].Index, " ", invalid.Problems[0].Field) != strings.TrimSpace(what) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	// The refused calls have written nothing.
	equal(t, "attacker", must[ttp.Attacker](t)(s.GetAttacker(ctx, id("a"))).IdentityUUID, uuid.Nil)
	equal(t, "identity", must[ttp.Identity](t)(s.GetIdentity(ctx, id("i"))).CampaignUUID, uuid.Nil)
	succeed(t, s.AssignAttackers(ctx, id("i")))
	succeed(t, s.AssignCampaign(ctx, id("c")))
}

func assignedIdentitiesChangeTheCampaign(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTag("1", named("a", "i", "T1110")), newTag("2", named("a", "j", "T1110")))
	succeed(t, s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: id("c")}, {UUID: id("d")}}))
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i"), CampaignUUID: id("d")}, {UUID: id("j")}}))
	succeed(t, s.AssignCampaign(ctx, id("c"), id("i"), id("j")))
	equal(t, "tags of c", must[int64](t)(s.CountTags(ctx, ttp.OfCampaign(id("c")), ttp.Filter{})), 2)
	equal(t, "tags of d", must[int64](t)(s.CountTags(ctx, ttp.OfCampaign(id("d")), ttp.Filter{})), 0)
}

// mergeTree merges 2 and 3 into 1, 4 and 5 into 2, and 6 into 5.
func mergeTree(t *testing.T, merge func(context.Context, uuid.UUID, uuid.UUID) error) {
	t.Helper()
	for _, pair := range [][2]string{{"6", "5"}, {"2", "1"}, {"4", "2"}, {"5", "2"}, {"3", "1"}, {"3", "1"}} {
		succeed(t, merge(context.Background(), id(pair[0]), id(pair[1])))
	}
}

func unmergedIdentitiesAreSeparate(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	for i := 1; i <= 6; i++ {
		insert(t, s, newTag(fmt.Sprint(i), named("", fmt.Sprint(i), "T1110")))
		succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id(fmt.Sprint(i))}}))
	}
	mergeTree(t, s.MergeIdentity)
	counts := func(want ...int64) {
		t.Helper()
		var got []int64
		for i := 1; i <= 6; i++ {
			got = append(got, must[int64](t)(s.CountTags(ctx, ttp.OfIdentity(id(fmt.Sprint(i))), ttp.Filter{})))
		}
		equal(t, "tags of the identities", got, want)
	}
	counts(6, 6, 6, 6, 6, 6)
	succeed(t, s.UnmergeIdentity(ctx, id("2")))
	counts(2, 4, 2, 4, 4, 4)
	succeed(t, s.UnmergeIdentity(ctx, id("2"))) // repeated
	counts(2, 4, 2, 4, 4, 4)
	succeed(t, s.UnmergeIdentity(ctx, id("6")))
	counts(2, 3, 2, 3, 3, 1)
	succeed(t, s.MergeIdentity(ctx, id("1"), id("4"))) // in the other direction
	counts(5, 5, 5, 5, 5, 1)
}

func unmergedCampaignsAreSeparate(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	for i := 1; i <= 6; i++ {
		succeed(t, s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: id(fmt.Sprint(i))}}))
	}
	mergeTree(t, s.MergeCampaign)
	survivors := func(want ...string) {
		t.Helper()
		for i, name := range want {
			equal(t, fmt.Sprint("survivor of ", i+1), must[ttp.Campaign](t)(s.GetCampaign(ctx, id(fmt.Sprint(i+1)))).SurvivorUUID, id(name))
		}
	}
	survivors("1", "1", "1", "1", "1", "1")
	succeed(t, s.UnmergeCampaign(ctx, id("2")))
	survivors("1", "2", "1", "2", "2", "2")
	succeed(t, s.UnmergeCampaign(ctx, id("5")))
	survivors("1", "2", "1", "2", "5", "5")
}

func mergeErrorsNameBothIDs(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	for _, name := range []string{"1", "2", "3"} {
		succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id(name)}}))
		succeed(t, s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: id(name)}}))
	}
	for kind, merge := range map[string]func(context.Context, uuid.UUID, uuid.UUID) error{
		"identity": s.MergeIdentity, "campaign": s.MergeCampaign,
	} {
		succeed(t, merge(ctx, id("1"), id("2")))
		for _, c := range []struct {
			from, into string
			want       error
		}{
			{"3", "3", ttp.ErrConflict}, {"2", "1", ttp.ErrConflict}, {"1", "3", ttp.ErrConflict},
			{"3", "x", ttp.ErrNotFound}, {"x", "3", ttp.ErrNotFound},
		} {
			err := merge(ctx, id(c.from), id(c.into))
			if !errors.Is(err, c.want) ||
				!strings.Contains(err.Error(), id(c.from).String()) || !strings.Contains(err.Error(), id(c.into).String()) {
				t.Errorf("%s %s into %s: got %v", kind, c.from, c.into, err)
			}
		}
	}
	for kind, err := range map[string]error{"identity": s.UnmergeIdentity(ctx, id("x")), "campaign": s.UnmergeCampaign(ctx, id("x"))} {
		if !errors.Is(err, ttp.ErrNotFound) || !strings.Contains(err.Error(), id("x").String()) {
			t.Errorf("%s: got %v", kind, err)
		}
	}
}

func scopesAreListedByParent(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	var inC, intoI, ofI []uuid.UUID
	for n := range 25 {
		c, i, a := id(fmt.Sprint("c", n)), id(fmt.Sprint("i", n)), id(fmt.Sprint("a", n))
		succeed(t, s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: c}}))
		succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: i, CampaignUUID: []uuid.UUID{id("c"), id("d")}[n%2]}}))
		succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: a, IdentityUUID: []uuid.UUID{id("i"), id("j"), uuid.Nil}[n%3]}}))
		if n%2 == 0 {
			inC = append(inC, i)
		}
		if n%3 == 0 {
			ofI = append(ofI, a)
		}
		if n > 0 && n < 8 {
			intoI = append(intoI, i)
			succeed(t, s.MergeIdentity(ctx, i, id("i0")))
			succeed(t, s.MergeCampaign(ctx, c, id("c0")))
		}
	}
	for limit := 1; limit <= 26; limit += 5 {
		equal(t, "all campaigns", len(pagesByUUID(t, s.ListCampaigns, ttp.Fleet(), limit, func(c ttp.Campaign) uuid.UUID { return c.UUID })), 25)
		merged := pagesByUUID(t, s.ListCampaigns, ttp.OfCampaign(id("c0")), limit, func(c ttp.Campaign) uuid.UUID { return c.UUID })
		equal(t, "merged campaigns", len(merged), 7)
		ofIdentity := func(i ttp.Identity) uuid.UUID { return i.UUID }
		equal(t, "all identities", len(pagesByUUID(t, s.ListIdentities, ttp.Fleet(), limit, ofIdentity)), 25)
		equal(t, "identities of a campaign", pagesByUUID(t, s.ListIdentities, ttp.OfCampaign(id("c")), limit, ofIdentity), sortedIDs(inC))
		equal(t, "merged identities", pagesByUUID(t, s.ListIdentities, ttp.OfIdentity(id("i0")), limit, ofIdentity), sortedIDs(intoI))
		ofAttacker := func(a ttp.Attacker) uuid.UUID { return a.UUID }
		equal(t, "all attackers", len(pagesByUUID(t, s.ListAttackers, ttp.Fleet(), limit, ofAttacker)), 25)
		equal(t, "attackers of an identity", pagesByUUID(t, s.ListAttackers, ttp.OfIdentity(id("i")), limit, ofAttacker), sortedIDs(ofI))
	}
	for what, err := range map[string]error{
		"limit":   second(s.ListCampaigns(ctx, ttp.Fleet(), uuid.Nil, 0)),
		"limit ":  second(s.ListAttackers(ctx, ttp.Fleet(), uuid.Nil, ttp.MaxPage+1)),
		"scope":   second(s.ListCampaigns(ctx, ttp.OfAttacker(id("a")), uuid.Nil, 1)),
		"scope ":  second(s.ListIdentities(ctx, ttp.OfSession("s"), uuid.Nil, 1)),
		" scope":  second(s.ListAttackers(ctx, ttp.Scope{Kind: ttp.IdentityScope, SessionID: "x"}, uuid.Nil, 1)),
		"scope\t": second(s.ListAttackers(ctx, ttp.Scope{Kind: "host"}, uuid.Nil, 1)),
	} {
		equal(t, what, problemFields(t, err), []string{strings.TrimSpace(what)})
	}
}

// pagesByUUID returns the UUIDs of all pages and checks their order.
func pagesByUUID[T any](t *testing.T, list func(context.Context, ttp.Scope, uuid.UUID, int) ([]T, error),
	of ttp.Scope, limit int, id func(T) uuid.UUID,
) []uuid.UUID {
	t.Helper()
	ids := []uuid.UUID{}
	for after := uuid.Nil; ; {
		page := must[[]T](t)(list(context.Background(), of, after, limit))
		for _, row := range page {
			ids = append(ids, id(row))
		}
		if len(page) < limit {
			break
		}
		after = ids[len(ids)-1]
	}
	equal(t, "order", ids, sortedIDs(ids))
	return ids
}

func sortedIDs(ids []uuid.UUID) []uuid.UUID {
	return slices.SortedFunc(slices.Values(ids), func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
}

func second[T any](_ T, err error) error { return err }

// problemFields returns the fields of an ErrInvalidQuery.
func problemFields(t *testing.T, err error) []string {
	t.Helper()
	var invalid *ttp.InvalidError
	if !errors.Is(err, ttp.ErrInvalidQuery) || !errors.As(err, &invalid) {
		t.Errorf("got %v", err)
		return nil
	}
	var fields []string
	for _, p := range invalid.Problems {
		fields = append(fields, p.Field)
	}
	return fields
}
