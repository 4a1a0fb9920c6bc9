package conformance

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/decnet/ttpstore/ttp"
)

var propertyCases = []testCase{
	{name: "RollupsEqualAPlainFold", run: rollupsEqualAPlainFold},
	{name: "FilteredReadsEqualAPlainFold", run: filteredReadsEqualAPlainFold},
}

func rollupsEqualAPlainFold(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	rapid.Check(t, func(rt *rapid.T) {
		clearTables(t, db)
		m := drawModel(rt)
		m.write(rt, s)
		rows, campaignRows := must[[]ttp.TechniqueRollupRow](rt), must[[]ttp.CampaignTechniqueRow](rt)
		equal(rt, "fleet", rows(s.ListDistinctTechniques(ctx)), m.fold(func(ttp.Tag) bool { return true }))
		for i := 1; i <= identities; i++ {
			identity := id(fmt.Sprint("i", i))
			equal(rt, fmt.Sprint("identity ", i), rows(s.ListTechniquesByIdentity(ctx, identity)),
				m.fold(func(tag ttp.Tag) bool { return m.identityOf(tag) == m.survivingIdentity(identity) }))
		}
		for i := 1; i <= attackers; i++ {
			attacker := id(fmt.Sprint("a", i))
			equal(rt, fmt.Sprint("attacker ", i), rows(s.ListTechniquesByAttacker(ctx, attacker)),
				m.fold(func(tag ttp.Tag) bool { return tag.AttackerUUID == attacker }))
		}
		for i := 1; i <= sessions; i++ {
			session := fmt.Sprint("s", i)
			equal(rt, session, rows(s.ListTechniquesBySession(ctx, session)),
				m.fold(func(tag ttp.Tag) bool { return tag.SessionID == session }))
		}
		for i := 1; i <= campaigns; i++ {
			campaign := id(fmt.Sprint("c", i))
			equal(rt, fmt.Sprint("campaign ", i), campaignRows(s.ListTechniquesByCampaign(ctx, campaign)),
				m.foldCampaign(func(tag ttp.Tag) bool { return m.has(ttp.OfCampaign(campaign), tag) }))
		}
	})
}
