package conformance

import (
	"context"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

// References to scopes without a row are counted, and Verify finds them until the rows are stored.
func predecessorsMissingRowsAreCounted(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	gone := func(name string) string { return id("gone " + name).String() }
	source := newPredecessorFile(t, oldCampaign("c1", gone("campaign")),
		oldIdentity(id("i1").String(), gone("campaign"), ""), oldIdentity(id("i2").String(), "", gone("identity")),
		oldAttacker("a1", "192.0.2.1", gone("identity")),
		plainOldTag("1", gone("attacker"), "").row(), plainOldTag("2", gone("attacker"), gone("identity")).row(),
		plainOldTag("3", id("a2").String(), id("i1").String()).row(), oldAttacker("a2", "192.0.2.2", ""))
	want := emptyReport()
	want.DryRun = true
	want.Campaigns = ttp.PredecessorRows{Read: 1, Inserted: 1}
	want.Identities = ttp.PredecessorRows{Read: 2, Inserted: 2}
	want.Attackers = ttp.PredecessorRows{Read: 2, Inserted: 2}
	want.Tags = ttp.PredecessorTags{Read: 3, Inserted: 3}
	want.Odd = map[string]int{
		"campaigns.merged_into_uuid: no row in campaigns": 1, "attacker_identities.campaign_id: no row in campaigns": 1,
		"attacker_identities.merged_into_uuid: no row in attacker_identities": 1,
		"attackers.identity_id: no row in attacker_identities":                1,
		"ttp_tag.attacker_uuid: no row in attackers":                          2,
		"ttp_tag.identity_uuid: no row in attacker_identities":                1,
	}
	equalReport(t, "dry run", importReport(t, s, source, true), want)
	want.DryRun, want.ComparedBy = false, compared(2, 0, 2)
	equalReport(t, "report", importReport(t, s, source, false), want)
	equal(t, "findings", len(findings(t, s)), 7)

	succeed(t, s.UpsertCampaigns(ctx, []ttp.Campaign{{UUID: id("gone campaign")}}))
	succeed(t, s.UpsertIdentities(ctx, []ttp.Identity{{UUID: id("gone identity")}}))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("gone attacker")}}))
	equal(t, "findings with the rows", findings(t, s), nil)
}

// The predecessor counts the tags of a merged identity for that identity's campaign, this store for its survivor's. Merged
// campaigns count as one.
func predecessorsCampaignsOfMergedIdentitiesAreCounted(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	c1, c2 := id("c1").String(), id("c2").String()
	i1, i2, i3, i4, i5 := id("i1").String(), id("i2").String(), id("i3").String(), id("i4").String(), id("i5").String()
	source := newPredecessorFile(t, oldCampaign("c1", ""), oldCampaign("c2", c1),
		oldIdentity(i1, "", ""), oldIdentity(i2, c1, i1), oldIdentity(i3, c2, ""), oldIdentity(i4, c1, i3), oldIdentity(i5, "", i3),
		plainOldTag("lost", "", i2).row(), plainOldTag("4", "", i4).row(), plainOldTag("5", "", i5).row())
	report := importReport(t, s, source, false)
	equal(t, "odd", report.Odd, map[string]int{"attacker_identities.campaign_id: not the campaign of its survivor": 1})
	equal(t, "campaign's tags", must[int64](t)(s.CountTags(ctx, ttp.OfCampaign(id("c1")), ttp.Filter{})), 2)
}
