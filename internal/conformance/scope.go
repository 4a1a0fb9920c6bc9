package conformance

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

var scopeCases = []testCase{
	{name: "UpsertKeepsAbsentFields", run: upsertKeepsAbsentFields},
	{name: "UnknownScopesAreNotFound", run: unknownScopesAreNotFound},
	{name: "InvalidScopesAreRefused", run: invalidScopesAreRefused},
	{name: "MergesThatCloseACycleAreConflicts", run: mergesThatCloseACycleAreConflicts},
	{name: "RacingMergesCloseNoCycle", run: racingMergesCloseNoCycle},
}

func upsertKeepsAbsentFields(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	ip := netip.MustParseAddr("2001:db8::1")
	// Each scope is upserted with all fields, then without fields, and some with another value.
	for _, campaign := range []ttp.Campaign{{UUID: id("c"), Name: "Grün", MergedIntoUUID: id("d")}, {UUID: id("c")}} {
		succeed(t, s.UpsertCampaigns(ctx, []ttp.Campaign{campaign}))
	}
	equal(t, "campaign", must[ttp.Campaign](t)(s.GetCampaign(ctx, id("c"))),
		ttp.Campaign{UUID: id("c"), Name: "Grün", MergedIntoUUID: id("d"), SurvivorUUID: id("d")})
	for _, identity := range []ttp.Identity{
		{UUID: id("i"), CampaignUUID: id("c"), MergedIntoUUID: id("j")}, {UUID: id("i")}, {UUID: id("i"), CampaignUUID: id("e")},
	} {
		succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{identity}))
	}
	equal(t, "identity", must[ttp.Identity](t)(s.GetIdentity(ctx, id("i"))),
		ttp.Identity{UUID: id("i"), CampaignUUID: id("e"), MergedIntoUUID: id("j"), SurvivorUUID: id("j")})
	for _, attacker := range []ttp.Attacker{{UUID: id("a"), IP: ip}, {UUID: id("a"), IdentityUUID: id("i")}, {UUID: id("a")}} {
		succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{attacker}))
	}
	got := must[ttp.Attacker](t)(s.GetAttacker(ctx, id("a")))
	if got.UUID != id("a") || got.IP != ip || got.IdentityUUID != id("i") {
		t.Errorf("attacker is %+v", got)
	}
}

func unknownScopesAreNotFound(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	_, campaign := s.GetCampaign(ctx, id("x"))
	_, identity := s.GetIdentity(ctx, id("x"))
	_, attacker := s.GetAttacker(ctx, id("x"))
	for _, err := range []error{campaign, identity, attacker} {
		if !errors.Is(err, ttp.ErrNotFound) || !strings.Contains(err.Error(), id("x").String()) {
			t.Errorf("got %v", err)
		}
	}
}

func invalidScopesAreRefused(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	good := ttp.Campaign{UUID: id("good"), Name: strings.Repeat("é", 255)}
	for field, err := range map[string]error{
		"uuid":  s.UpsertCampaigns(ctx, []ttp.Campaign{good, {Name: "x"}}),
		"name":  s.UpsertCampaigns(ctx, []ttp.Campaign{good, {UUID: id("c"), Name: strings.Repeat("é", 256)}}),
		"name ": s.UpsertCampaigns(ctx, []ttp.Campaign{good, {UUID: id("c"), Name: " x"}}),
		"uuid ": s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("i")}, {}}),
		" uuid": s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a")}, {}}),
		"ip":    s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("a")}, {UUID: id("b"), IP: netip.MustParseAddr("fe80::1%eth0")}}),
	} {
		var invalid *ttp.InvalidError
		if !errors.Is(err, ttp.ErrInvalidScope) || !errors.As(err, &invalid) || len(invalid.Problems) != 1 ||
			invalid.Problems[0].Index != 1 || invalid.Problems[0].Field != strings.TrimSpace(field) {
			t.Errorf("%s: got %v", field, err)
		}
	}
	_, err := s.GetCampaign(ctx, good.UUID)
	if !errors.Is(err, ttp.ErrNotFound) {
		t.Errorf("valid row of an invalid call: got %v", err)
	}
	succeed(t, s.UpsertCampaigns(ctx, []ttp.Campaign{good}))
}

func mergesThatCloseACycleAreConflicts(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	merge := func(from, into string) error {
		return s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id(from), MergedIntoUUID: id(into)}})
	}
	succeed(t, merge("1", "2"))
	succeed(t, merge("2", "3"))
	succeed(t, merge("2", "3")) // repeated
	for _, pair := range [][2]string{{"3", "1"}, {"3", "2"}, {"3", "3"}, {"4", "4"}, {"1", "5"}} {
		err := merge(pair[0], pair[1])
		if !errors.Is(err, ttp.ErrConflict) ||
			!strings.Contains(err.Error(), id(pair[0]).String()) || !strings.Contains(err.Error(), id(pair[1]).String()) {
			t.Errorf("%s into %s: got %v", pair[0], pair[1], err)
		}
	}
	err := s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: id("c"), MergedIntoUUID: id("d")}, {UUID: id("d"), MergedIntoUUID: id("c")}})
	if !errors.Is(err, ttp.ErrConflict) {
		t.Errorf("campaigns in one call: got %v", err)
	}
	// The refused calls have written nothing.
	for _, absent := range []string{"3", "4"} {
		if _, err := s.GetIdentity(ctx, id(absent)); !errors.Is(err, ttp.ErrNotFound) {
			t.Errorf("identity %s: got %v", absent, err)
		}
	}
	if _, err := s.GetCampaign(ctx, id("c")); !errors.Is(err, ttp.ErrNotFound) {
		t.Errorf("campaign: got %v", err)
	}
}

// Of concurrent merges in a ring, exactly one must be refused.
func racingMergesCloseNoCycle(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	for range 10 {
		raceMerges(t, s, func(from, into uuid.UUID) error {
			return s.UpsertIdentities(ctx, []ttp.Identity{{UUID: from, MergedIntoUUID: into}})
		})
		raceMerges(t, s, func(from, into uuid.UUID) error {
			if err := s.UpsertIdentities(ctx, []ttp.Identity{{UUID: from}, {UUID: into}}); err != nil {
				return err
			}
			return s.MergeIdentity(ctx, from, into)
		})
	}
}

func raceMerges(t *testing.T, s *ttp.Store, merge func(from, into uuid.UUID) error) {
	t.Helper()
	const ring = 6
	ctx := context.Background()
	ids := make([]uuid.UUID, ring)
	for i := range ids {
		ids[i] = uuid.New()
	}
	errs := make([]error, ring)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			errs[i] = merge(ids[i], ids[(i+1)%ring])
		})
	}
	wg.Wait()
	conflicts, survivor := 0, -1
	for i, err := range errs {
		switch {
		case errors.Is(err, ttp.ErrConflict):
			conflicts++
			survivor = i
		case err != nil:
			t.Fatal(err)
		}
	}
	if conflicts != 1 {
		t.Fatalf("%d of %d merges were refused, want 1", conflicts, ring)
	}
	for i := range ids {
		if i != survivor {
			equal(t, "survivor", must[ttp.Identity](t)(s.GetIdentity(ctx, ids[i])).SurvivorUUID, ids[survivor])
		}
	}
}
