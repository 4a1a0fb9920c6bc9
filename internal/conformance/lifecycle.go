package conformance

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/decnet/ttpstore/ttp"
)

var lifecycleCases = []testCase{
	{name: "LifecycleMatchesTheModel", run: lifecycleMatchesTheModel, long: true},
}

// life is a store and the model of its expected content.
type life struct {
	*model
	s          *ttp.Store
	rt         *rapid.T
	feed       []ttp.Tag               // all tags so far, for replays
	batch      map[uuid.UUID]uuid.UUID // stored tags to batches
	tombstoned map[uuid.UUID]uuid.UUID // removed tags to tombstones
}

// lifecycleMatchesTheModel runs random sequences of changes against a model of slices and maps.
func lifecycleMatchesTheModel(t *testing.T, db *database) {
	s := db.store(t)
	rapid.Check(t, func(rt *rapid.T) {
		clearTables(t, db)
		l := &life{drawModel(rt, time.Hour), s, rt, nil, map[uuid.UUID]uuid.UUID{}, map[uuid.UUID]uuid.UUID{}}
		l.write(rt, s)
		l.feed = slices.Clone(l.tags)
		for _, tag := range collect(rt, s.TagsSeq(context.Background(), ttp.Fleet(), ttp.Filter{})) {
			l.batch[tag.UUID] = tag.BatchUUID
		}
		steps := map[string]func(){
			"insert": l.insert, "replay": l.replay, "upsert": l.upsert, "assign attackers": l.assignAttackers,
			"assign campaign": l.assignCampaign, "merge": l.merge, "unmerge": l.unmerge, "purge attacker": l.purgeAttacker,
			"purge session": l.purgeSession, "purge identity": l.purgeIdentity, "roll back rule": l.rollbackRule,
			"roll back batch": l.rollbackBatch, "expire": l.expire, "sweep": l.sweepOrphans, "lift": l.lift, "repair": l.repair,
		}
		names := slices.Sorted(maps.Keys(steps))
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			steps[rapid.SampledFrom(names).Draw(rt, "step")]()
			l.checkEveryRollup(rt, s)
			l.checkScopes()
			l.checkFindings(false)
		}
	})
}

func (l *life) draw(of []string, what string) string {
	return rapid.SampledFrom(of).Draw(l.rt, what)
}

// one draws the UUID of a scope, such as "a3".
func (l *life) one(kind string, n int) uuid.UUID {
	return id(fmt.Sprint(kind, rapid.IntRange(1, n).Draw(l.rt, kind)))
}

func (l *life) stored(tag uuid.UUID) bool {
	return slices.ContainsFunc(l.tags, func(t ttp.Tag) bool { return t.UUID == tag })
}

func (l *life) insert() {
	var tags []ttp.Tag
	for range rapid.IntRange(1, 5).Draw(l.rt, "tags") {
		tags = append(tags, l.drawTag(l.rt, len(l.feed)+len(tags)))
	}
	l.feed = append(l.feed, tags...)
	l.insertTags(tags)
}

func (l *life) replay() {
	if len(l.feed) > 0 {
		l.insertTags(rapid.SliceOfN(rapid.SampledFrom(l.feed), 1, 20).Draw(l.rt, "events"))
	}
}

func (l *life) insertTags(tags []ttp.Tag) {
	got := must[ttp.InsertResult](l.rt)(l.s.InsertTags(context.Background(), tags))
	want := make([]ttp.Outcome, len(tags))
	for i, tag := range tags {
		switch _, tombstoned := l.tombstoned[tag.UUID]; {
		case l.stored(tag.UUID):
			want[i] = ttp.Duplicate
		case tombstoned:
			want[i] = ttp.Tombstoned
		default:
			want[i] = ttp.Inserted
			l.tags, l.batch[tag.UUID] = append(l.tags, tag), got.BatchUUID
		}
	}
	equal(l.rt, "outcomes", got.Outcomes, want)
}

func (l *life) upsert() {
	switch l.draw([]string{"c", "i", "a"}, "kind") {
	case "c":
		c := ttp.Campaign{UUID: l.one("c", campaigns), Name: pick(l.rt, "name", 2)}
		succeed(l.rt, l.s.UpsertCampaigns(context.Background(), []ttp.Campaign{c}))
		before := l.campaigns[c.UUID]
		l.campaigns[c.UUID] = ttp.Campaign{UUID: c.UUID, Name: cmp.Or(c.Name, before.Name), MergedIntoUUID: before.MergedIntoUUID}
	case "i":
		i := ttp.Identity{UUID: l.one("i", identities), CampaignUUID: pickID(l.rt, "c", campaigns)}
		succeed(l.rt, l.s.UpsertIdentities(context.Background(), []ttp.Identity{i}))
		before := l.identities[i.UUID]
		l.identities[i.UUID] = ttp.Identity{
			UUID: i.UUID, CampaignUUID: cmp.Or(i.CampaignUUID, before.CampaignUUID), MergedIntoUUID: before.MergedIntoUUID,
		}
	case "a":
		a := ttp.Attacker{UUID: l.one("a", attackers), IdentityUUID: pickID(l.rt, "i", identities)}
		succeed(l.rt, l.s.UpsertAttackers(context.Background(), []ttp.Attacker{a}))
		if before := l.attackers[a.UUID].IdentityUUID; before != uuid.Nil && a.IdentityUUID != uuid.Nil && before != a.IdentityUUID {
			l.moveTags(a.UUID, a.IdentityUUID)
		}
		a.IdentityUUID = cmp.Or(a.IdentityUUID, l.attackers[a.UUID].IdentityUUID)
		l.attackers[a.UUID] = a
	}
}

// moveTags re-keys the attacker's tags that have an identity.
func (l *life) moveTags(attacker, identity uuid.UUID) {
	for i := range l.tags {
		if l.tags[i].AttackerUUID == attacker && l.tags[i].IdentityUUID != uuid.Nil {
			l.tags[i].IdentityUUID = identity
		}
	}
}

// refused checks that the error is the sentinel and contains the UUIDs.
func (l *life) refused(err, sentinel error, ids ...uuid.UUID) {
	if !errors.Is(err, sentinel) {
		l.rt.Errorf("got %v, want %v", err, sentinel)
		return
	}
	for _, id := range ids {
		if !strings.Contains(err.Error(), id.String()) {
			l.rt.Errorf("%v does not contain %s", err, id)
		}
	}
}

func (l *life) assignAttackers() {
	identity, chosen := l.one("i", identities), []uuid.UUID{l.one("a", attackers), l.one("a", attackers)}
	err := l.s.AssignAttackers(context.Background(), identity, chosen...)
	if _, ok := l.identities[identity]; !ok {
		l.refused(err, ttp.ErrNotFound, identity)
		return
	}
	for _, attacker := range chosen {
		if _, ok := l.attackers[attacker]; !ok {
			l.refused(err, ttp.ErrNotFound, attacker)
			return
		}
	}
	succeed(l.rt, err)
	for _, attacker := range chosen {
		l.moveTags(attacker, identity)
		l.attackers[attacker] = ttp.Attacker{UUID: attacker, IdentityUUID: identity}
	}
}

func (l *life) assignCampaign() {
	campaign, identity := l.one("c", campaigns), l.one("i", identities)
	err := l.s.AssignCampaign(context.Background(), campaign, identity)
	if _, ok := l.campaigns[campaign]; !ok {
		l.refused(err, ttp.ErrNotFound, campaign)
		return
	}
	i, ok := l.identities[identity]
	if !ok {
		l.refused(err, ttp.ErrNotFound, identity)
		return
	}
	succeed(l.rt, err)
	i.CampaignUUID = campaign
	l.identities[identity] = i
}

// merge merges two random campaigns or identities.
func (l *life) merge() {
	if rapid.Bool().Draw(l.rt, "campaign") {
		from, into := l.one("c", campaigns), l.one("c", campaigns)
		_, fromStored := l.campaigns[from]
		_, intoStored := l.campaigns[into]
		if l.tryMerge(from, into, fromStored && intoStored, l.campaigns[from].MergedIntoUUID, l.survivingCampaign(into), l.s.MergeCampaign) {
			c := l.campaigns[from]
			c.MergedIntoUUID = into
			l.campaigns[from] = c
		}
		return
	}
	from, into := l.one("i", identities), l.one("i", identities)
	_, fromStored := l.identities[from]
	_, intoStored := l.identities[into]
	if l.tryMerge(from, into, fromStored && intoStored, l.identities[from].MergedIntoUUID, l.survivingIdentity(into), l.s.MergeIdentity) {
		i := l.identities[from]
		i.MergedIntoUUID = into
		l.identities[from] = i
	}
}

// tryMerge merges and reports whether the merge is allowed.
func (l *life) tryMerge(from, into uuid.UUID, stored bool, mergedInto, survivor uuid.UUID,
	merge func(context.Context, uuid.UUID, uuid.UUID) error,
) bool {
	err := merge(context.Background(), from, into)
	switch {
	case !stored:
		l.refused(err, ttp.ErrNotFound, from, into)
	case mergedInto == into:
		succeed(l.rt, err)
	case mergedInto != uuid.Nil || survivor == from:
		l.refused(err, ttp.ErrConflict, from, into)
	default:
		succeed(l.rt, err)
		return true
	}
	return false
}

func (l *life) unmerge() {
	if rapid.Bool().Draw(l.rt, "campaign") {
		from := l.one("c", campaigns)
		err := l.s.UnmergeCampaign(context.Background(), from)
		c, ok := l.campaigns[from]
		if !ok {
			l.refused(err, ttp.ErrNotFound, from)
			return
		}
		succeed(l.rt, err)
		c.MergedIntoUUID = uuid.Nil
		l.campaigns[from] = c
		return
	}
	from := l.one("i", identities)
	err := l.s.UnmergeIdentity(context.Background(), from)
	i, ok := l.identities[from]
	if !ok {
		l.refused(err, ttp.ErrNotFound, from)
		return
	}
	succeed(l.rt, err)
	i.MergedIntoUUID = uuid.Nil
	l.identities[from] = i
}

// checkEveryRollup compares the rollups of all scopes with the model.
func (m *model) checkEveryRollup(rt *rapid.T, s *ttp.Store) {
	for _, scope := range everyScope() {
		equal(rt, scope.String(), rollupOf(rt, s, scope), m.foldScope(scope, func(ttp.Tag) bool { return true }))
	}
}

// checkScopes compares all campaigns, identities and attackers with the model.
func (l *life) checkScopes() {
	ctx := context.Background()
	wantCampaigns := sortedByUUID(l.campaigns, func(c ttp.Campaign) ttp.Campaign {
		c.SurvivorUUID = l.survivingCampaign(c.UUID)
		return c
	})
	equal(l.rt, "campaigns", must[[]ttp.Campaign](l.rt)(l.s.ListCampaigns(ctx, ttp.Fleet(), uuid.Nil, 100)), wantCampaigns)
	wantIdentities := sortedByUUID(l.identities, func(i ttp.Identity) ttp.Identity {
		i.SurvivorUUID = l.survivingIdentity(i.UUID)
		return i
	})
	equal(l.rt, "identities", must[[]ttp.Identity](l.rt)(l.s.ListIdentities(ctx, ttp.Fleet(), uuid.Nil, 100)), wantIdentities)
	got := map[uuid.UUID]uuid.UUID{}
	for _, a := range must[[]ttp.Attacker](l.rt)(l.s.ListAttackers(ctx, ttp.Fleet(), uuid.Nil, 100)) {
		got[a.UUID] = a.IdentityUUID
	}
	want := map[uuid.UUID]uuid.UUID{}
	for _, a := range l.attackers {
		want[a.UUID] = a.IdentityUUID
	}
	equal(l.rt, "attackers", got, want)
}

func sortedByUUID[T any](rows map[uuid.UUID]T, complete func(T) T) []T {
	out := []T{}
	for _, key := range slices.SortedFunc(maps.Keys(rows), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }) {
		out = append(out, complete(rows[key]))
	}
	return out
}

// repair repairs the tags whose identity differs from that of their attackers.
func (l *life) repair() {
	l.checkFindings(true)
	for i, tag := range l.tags {
		if l.mismatched(tag) && l.repairable(tag) {
			l.tags[i].IdentityUUID = l.attackers[tag.AttackerUUID].IdentityUUID
		}
	}
}

func (l *life) mismatched(tag ttp.Tag) bool {
	ofAttacker := l.attackers[tag.AttackerUUID].IdentityUUID
	return tag.IdentityUUID != uuid.Nil && ofAttacker != uuid.Nil && l.survivingIdentity(tag.IdentityUUID) != l.survivingIdentity(ofAttacker)
}

// repairable reports whether the surviving identity of the tag's attacker is stored.
func (l *life) repairable(tag ttp.Tag) bool {
	_, ok := l.identities[l.survivingIdentity(l.attackers[tag.AttackerUUID].IdentityUUID)]
	return ok
}

// checkFindings checks that Verify finds the dangling references and mismatches of the model, and nothing else.
func (l *life) checkFindings(repair bool) {
	want := map[ttp.Finding]int{}
	find := func(kind ttp.FindingKind, of string, id uuid.UUID) { want[ttp.Finding{Kind: kind, Of: of, UUID: id}]++ }
	for _, c := range l.campaigns {
		if _, ok := l.campaigns[c.MergedIntoUUID]; !ok && c.MergedIntoUUID != uuid.Nil {
			find(ttp.DanglingMerge, "campaign", c.UUID)
		}
	}
	for _, i := range l.identities {
		if _, ok := l.campaigns[i.CampaignUUID]; !ok && i.CampaignUUID != uuid.Nil {
			find(ttp.Dangling, "identity", i.UUID)
		}
		if _, ok := l.identities[i.MergedIntoUUID]; !ok && i.MergedIntoUUID != uuid.Nil {
			find(ttp.DanglingMerge, "identity", i.UUID)
		}
	}
	for _, a := range l.attackers {
		if _, ok := l.identities[a.IdentityUUID]; !ok && a.IdentityUUID != uuid.Nil {
			find(ttp.Dangling, "attacker", a.UUID)
		}
	}
	for _, tag := range l.tags {
		if _, ok := l.attackers[tag.AttackerUUID]; !ok && tag.AttackerUUID != uuid.Nil {
			find(ttp.Dangling, "tag", tag.UUID)
		}
		if _, ok := l.identities[tag.IdentityUUID]; !ok && tag.IdentityUUID != uuid.Nil {
			find(ttp.Dangling, "tag", tag.UUID)
		}
		if l.mismatched(tag) {
			want[ttp.Finding{Kind: ttp.IdentityMismatch, Of: "tag", UUID: tag.UUID, Repaired: repair && l.repairable(tag)}]++
		}
	}
	got := map[ttp.Finding]int{}
	for _, finding := range collect(l.rt, l.s.Verify(context.Background(), ttp.VerifyOptions{Repair: repair})) {
		finding.Detail = ""
		got[finding]++
	}
	equal(l.rt, "findings", got, want)
}
