package conformance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/ttp"
)

var nameCases = []testCase{
	{name: "RowsAreNamedByTheirOwnRelease", run: rowsAreNamedByTheirOwnRelease},
	{name: "RowsOfSeveralDomainsAreNamedByTheRightOne", run: rowsOfSeveralDomainsAreNamedByTheRightOne},
	{name: "NamesAreThoseOfTheDomainThatHasTheIDs", run: namesAreThoseOfTheDomainThatHasTheIDs},
	{name: "NamesOfIDsNeedNoTags", run: namesOfIDsNeedNoTags},
	{name: "LoadedReleasesReplaceThoseOfTheCatalogue", run: loadedReleasesReplaceThoseOfTheCatalogue},
	{name: "LoadedReleasesInATransactionAreTheCallers", run: loadedReleasesInATransactionAreTheCallers},
	{name: "DamagedReleasesAreNamed", run: damagedReleasesAreNamed},
}

// release returns a release with one tactic, one technique and one sub-technique, whose names contain the release's.
func release(t *testing.T, name string) *attack.Release {
	t.Helper()
	tactics := []attack.Tactic{{ID: "TA0006", Name: "Tactic of " + name}}
	return must[*attack.Release](t)(attack.NewRelease(name, tactics, []attack.Technique{
		{ID: "T1110", Name: "Technique of " + name, URL: "https://attack.example/" + name, Tactics: []string{"TA0006"}},
		{ID: "T1110.001", Name: "Sub of " + name, URL: "https://attack.example/" + name + "/001", Tactics: []string{"TA0006"}},
	}))
}

// namesOf returns the names of T1110.001 in a release.
func namesOf(release string) ttp.Names {
	return ttp.Names{
		TacticName: "Tactic of " + release, TechniqueName: "Technique of " + release, SubTechniqueName: "Sub of " + release,
		MitreURL: "https://attack.example/" + release + "/001",
	}
}

func guessing(release string) func(*ttp.Tag) {
	return func(tag *ttp.Tag) {
		tag.SubTechniqueID, tag.AttackRelease, tag.DeckyID, tag.SessionID = "T1110.001", release, "decky", "session"
		tag.IdentityUUID = id("identity")
	}
}

func rowsAreNamedByTheirOwnRelease(t *testing.T, db *database) {
	ctx, c := context.Background(), &attack.Catalogue{}
	c.Add(release(t, "enterprise-v1.0"))
	c.Add(release(t, "enterprise-v2.0"))
	s, filter := db.storeWith(t, c), ttp.Filter{}
	tag := newTag("1", guessing("enterprise-v1.0"))
	insert(t, s, tag)
	own := namesOf("enterprise-v1.0")
	check := func(what string, got ttp.Names) {
		t.Helper()
		equal(t, "names of "+what, got, own)
	}
	page := must[ttp.TagPage](t)(s.ListTags(ctx, ttp.Fleet(), filter, 1, ""))
	check("a listed tag", page.Tags[0].Names)
	check("a tag", must[ttp.Tag](t)(s.GetTag(ctx, tag.ComputeUUID())).Names)
	check("a tag by UUID", must[[]ttp.Tag](t)(s.ListTagsByUUID(ctx, uuid.Nil, 1))[0].Names)
	check("a streamed tag", collect(t, s.TagsSeq(ctx, ttp.Fleet(), filter))[0].Names)
	check("a session's tag", collect(t, s.SessionTags(ctx, "session", filter))[0].Names)
	check("a sweep of attackers", collect(t, s.AttackerRollups(ctx, filter))[0].Techniques[0].Names)
	check("a sweep of identities", collect(t, s.IdentityRollups(ctx, filter))[0].Techniques[0].Names)
	check("a new technique", must[[]ttp.TechniqueRollupRow](t)(s.NewTechniques(ctx, ttp.Fleet(), at(0), filter))[0].Names)
	check("a comparison", must[ttp.Comparison](t)(s.Compare(ctx, ttp.Fleet(), ttp.Fleet(), filter)).Shared[0].B.Names)
	check("a rule", must[[]ttp.RuleStats](t)(s.ListRules(ctx, filter))[0].Cells[0].Names)

	own.TacticName = ""
	timeline := must[ttp.Timeline](t)(s.Timeline(ctx, ttp.Fleet(), filter, ttp.Day, ttp.ByTechnique))
	check("a technique's series", timeline.Series[0].Names)
	receipt := must[ttp.Receipt](t)(s.PurgeSession(ctx, "session", ttp.DryRun()))
	equal(t, "names of a receipt", receipt.TechniqueNames, map[string]ttp.Names{"T1110.001": own})

	own = ttp.Names{TacticName: "Tactic of enterprise-v1.0"}
	timeline = must[ttp.Timeline](t)(s.Timeline(ctx, ttp.Fleet(), filter, ttp.Day, ttp.ByTactic))
	check("a tactic's series", timeline.Series[0].Names)
	check("a phase", must[[]ttp.Phase](t)(s.ListPhases(ctx, id("identity"), filter))[0].Names)

	// A phase takes its name from the newest release of its tags.
	insert(t, s, newTag("2", guessing("enterprise-v2.0")))
	own = ttp.Names{TacticName: "Tactic of enterprise-v2.0"}
	phases := must[[]ttp.Phase](t)(s.ListPhases(ctx, id("identity"), filter))
	equal(t, "phases", phases, []ttp.Phase{{DeckyID: "decky", Tactic: "TA0006", ObservedAt: at(0), Count: 2, Names: own}})

	// If the catalogue lacks the tag's release, the row names the nearest one.
	insert(t, s, newTag("3", guessing("enterprise-v1.5"), func(tag *ttp.Tag) { tag.ObservedAt = at(1) }))
	own = namesOf("enterprise-v1.0")
	own.NamesFrom = "enterprise-v1.0"
	check("the nearest", must[ttp.TagPage](t)(s.ListTags(ctx, ttp.Fleet(), filter, 1, "")).Tags[0].Names)
	equal(t, "names without a catalogue", must[[]ttp.TechniqueRollupRow](t)(db.open(t).Rollup(ctx, ttp.Fleet()))[0].Names, ttp.Names{})
}

func rowsOfSeveralDomainsAreNamedByTheRightOne(t *testing.T, db *database) {
	c := &attack.Catalogue{}
	c.Add(release(t, "enterprise-v1.0"))
	c.Add(must[*attack.Release](t)(attack.NewRelease("mobile-v2.0", []attack.Tactic{{ID: "TA0027", Name: "Mobile"}}, nil)))
	s := db.storeWith(t, c)
	insert(t, s, newTag("1", guessing("enterprise-v1.0")), newTag("2", guessing("enterprise-v1.0")),
		newTag("3", guessing("mobile-v2.0"), func(tag *ttp.Tag) { tag.Tactic = "TA0027" }))
	row := must[[]ttp.TechniqueRollupRow](t)(s.Rollup(context.Background(), ttp.Fleet()))[0]
	equal(t, "names", row.Names, namesOf("enterprise-v1.0"))
	equal(t, "tactics", row.Tactics, []ttp.TacticCount{
		{Tactic: "TA0006", Name: "Tactic of enterprise-v1.0", Count: 2}, {Tactic: "TA0027", Name: "Mobile", Count: 1},
	})
}

// The tags of a domain without the IDs are older and newer than the others. Within a domain, the newest release counts,
// even if it has the IDs no longer.
func namesAreThoseOfTheDomainThatHasTheIDs(t *testing.T, db *database) {
	ctx, c, filter := context.Background(), &attack.Catalogue{}, ttp.Filter{}
	c.Add(release(t, "enterprise-v1.0"))
	c.Add(must[*attack.Release](t)(attack.NewRelease("enterprise-v2.0", nil, nil)))
	c.Add(must[*attack.Release](t)(attack.NewRelease("mobile-v2.0", []attack.Tactic{{ID: "TA0027", Name: "Mobile"}}, nil)))
	s := db.storeWith(t, c)
	for day, release := range []string{"mobile-v2.0", "enterprise-v1.0", "mobile-v2.0"} {
		insert(t, s, newTag(fmt.Sprint(day), guessing(release), func(tag *ttp.Tag) { tag.ObservedAt = at(0).Add(time.Duration(day) * ttp.Day) }))
	}
	own := namesOf("enterprise-v1.0")
	equal(t, "rule", must[[]ttp.RuleStats](t)(s.ListRules(ctx, filter))[0].Cells[0].Names, own)
	own.TacticName = ""
	series := func(by ttp.SeriesBy) ttp.Names {
		return must[ttp.Timeline](t)(s.Timeline(ctx, ttp.Fleet(), filter, ttp.Day, by)).Series[0].Names
	}
	equal(t, "technique's series", series(ttp.ByTechnique), own)
	equal(t, "tactic's series", series(ttp.ByTactic), ttp.Names{TacticName: "Tactic of enterprise-v1.0"})

	filter.RuleID = "R2"
	for _, release := range []string{"enterprise-v1.0", "enterprise-v2.0"} {
		insert(t, s, newTag("of "+release, guessing(release), func(tag *ttp.Tag) { tag.RuleID = "R2" }))
	}
	equal(t, "newest release", series(ttp.ByTechnique), ttp.Names{})
}

func namesOfIDsNeedNoTags(t *testing.T, db *database) {
	ctx, c := context.Background(), &attack.Catalogue{}
	c.Add(release(t, "enterprise-v1.0"))
	s := db.storeWith(t, c)
	names := func(s *ttp.Store) ttp.Names { return s.Names("enterprise-v2.0", "TA0006", "T1110", "T1110.001") }
	want := namesOf("enterprise-v1.0")
	want.NamesFrom = "enterprise-v1.0"
	equal(t, "without a catalogue", names(db.open(t)), ttp.Names{})
	equal(t, "before a read", names(s), want)
	succeed(t, s.LoadAttackRelease(ctx, release(t, "enterprise-v2.0")))
	must[[]ttp.TechniqueRollupRow](t)(s.Rollup(ctx, ttp.Fleet()))
	equal(t, "after a read", names(s), namesOf("enterprise-v2.0"))
}

func loadedReleasesReplaceThoseOfTheCatalogue(t *testing.T, db *database) {
	ctx, c := context.Background(), &attack.Catalogue{}
	c.Add(release(t, "enterprise-v1.0"))
	s := db.storeWith(t, c)
	insert(t, s, newTag("1", guessing("enterprise-v1.0")))
	nameIn := func(s *ttp.Store) string {
		return must[[]ttp.TechniqueRollupRow](t)(s.Rollup(ctx, ttp.Fleet()))[0].TechniqueName
	}
	own := must[*attack.Release](t)(attack.NewRelease("enterprise-v1.0", nil, []attack.Technique{{ID: "T1110", Name: "Mine"}}))
	equal(t, "before", nameIn(s), "Technique of enterprise-v1.0")
	succeed(t, s.LoadAttackRelease(ctx, release(t, "enterprise-v9.0")))
	succeed(t, s.LoadAttackRelease(ctx, release(t, "enterprise-v1.0")))
	succeed(t, s.LoadAttackRelease(ctx, own))
	equal(t, "loaded", must[*attack.Catalogue](t)(s.LoadedAttackReleases(ctx)).Releases(), []string{"enterprise-v1.0", "enterprise-v9.0"})
	equal(t, "after", nameIn(s), "Mine")
	equal(t, "another store", nameIn(db.open(t, ttp.WithCatalogue(c))), "Mine")
	equal(t, "all", must[*attack.Catalogue](t)(s.Catalogue(ctx)).Releases(), []string{"enterprise-v1.0", "enterprise-v9.0"})
	succeed(t, s.RemoveAttackRelease(ctx, "enterprise-v1.0"))
	equal(t, "removed", nameIn(s), "Technique of enterprise-v1.0")
	if err := s.RemoveAttackRelease(ctx, "enterprise-v1.0"); !errors.Is(err, ttp.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
}

func loadedReleasesInATransactionAreTheCallers(t *testing.T, db *database) {
	ctx, c := context.Background(), &attack.Catalogue{}
	c.Add(release(t, "enterprise-v1.0"))
	s := db.storeWith(t, c)
	tx := must[*sql.Tx](t)(db.pool.BeginTx(ctx, nil))
	inner := s.WithTx(tx)
	succeed(t, inner.LoadAttackRelease(ctx, release(t, "enterprise-v9.0")))
	equal(t, "in the transaction", must[*attack.Catalogue](t)(inner.Catalogue(ctx)).Releases(), []string{"enterprise-v1.0", "enterprise-v9.0"})
	succeed(t, tx.Rollback())
	equal(t, "rolled back", must[*attack.Catalogue](t)(s.Catalogue(ctx)).Releases(), []string{"enterprise-v1.0"})
}

func damagedReleasesAreNamed(t *testing.T, db *database) {
	ctx, c := context.Background(), &attack.Catalogue{}
	s := db.storeWith(t, c)
	succeed(t, s.LoadAttackRelease(ctx, release(t, "enterprise-v1.0")))
	exec(t, db, "UPDATE ttp_attack_release SET content = X'00'")
	_, err := s.Rollup(ctx, ttp.Fleet())
	if want := "ttp: rollup fleet: ATT&CK release enterprise-v1.0: read releases: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v", err)
	}
	succeed(t, s.LoadAttackRelease(ctx, release(t, "enterprise-v1.0"))) // as the error says
	equal(t, "rows", must[[]ttp.TechniqueRollupRow](t)(s.Rollup(ctx, ttp.Fleet())), []ttp.TechniqueRollupRow{})
}
