package ttp_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

func TestReceiptsAddUp(t *testing.T) {
	first, second := uuid.MustParse("00000000-0000-0000-0000-000000000001"), uuid.MustParse("00000000-0000-0000-0000-000000000002")
	names := func(name string) ttp.Names { return ttp.Names{TechniqueName: name} }
	var sum ttp.Receipt
	for _, receipt := range []ttp.Receipt{
		{
			Tags: 1, Techniques: map[string]int64{"T1110": 1}, TechniqueNames: map[string]ttp.Names{"T1110": names("first")},
			Attackers: 1, Identities: 2, Campaigns: 3, ReleasedTags: 4, ReleasedAttackers: 5, TombstoneUUID: first,
		},
		{Attackers: 10},
		{
			DryRun: true, Tags: 20, Techniques: map[string]int64{"T1110": 15, "T1078": 5},
			TechniqueNames: map[string]ttp.Names{"T1110": names("later"), "T1078": names("other")},
			Attackers:      10, Identities: 20, Campaigns: 30, ReleasedTags: 40, ReleasedAttackers: 50, TombstoneUUID: second,
		},
		{},
	} {
		sum.Add(receipt)
	}
	want := ttp.Receipt{
		DryRun: true, Tags: 21, Techniques: map[string]int64{"T1110": 16, "T1078": 5},
		TechniqueNames: map[string]ttp.Names{"T1110": names("first"), "T1078": names("other")},
		Attackers:      21, Identities: 22, Campaigns: 33, ReleasedTags: 44, ReleasedAttackers: 55, TombstoneUUID: second,
	}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
