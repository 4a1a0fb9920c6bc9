package ttp

import (
	"github.com/decnet/ttpstore/internal/strictjson"
)

// A record is a line of JSON Lines. Its field "type" selects a campaign, an identity, an attacker or a tag, and its other
// fields are those of the Go type. UUIDs are canonical, and times are RFC 3339.
const (
	campaignType = "campaign"
	identityType = "identity"
	attackerType = "attacker"
	tagType      = "tag"
)

// records holds decoded lines, by type, in input order.
type records struct {
	scopes
	tags []Tag
}

// decode adds the record of a line, or returns its problems.
func (r *records) decode(line []byte) []Problem {
	var c checker
	o, ok := strictjson.Read(line, c.refuse)
	if !ok {
		return []Problem{{Reason: "must be a JSON object"}}
	}
	// finish checks the values if all fields are valid, and reports whether the record is valid.
	finish := func(check func() []Problem) bool {
		if o.RefuseRest(); len(c.problems) == 0 {
			c.problems = check()
		}
		return len(c.problems) == 0
	}
	var kind string
	o.Require("type", &kind)
	switch kind {
	case campaignType:
		var campaign Campaign
		o.Require("uuid", &campaign.UUID)
		o.Take("name", &campaign.Name)
		o.Take("merged_into_uuid", &campaign.MergedIntoUUID)
		if finish(campaign.problems) {
			r.campaigns = append(r.campaigns, campaign)
		}
	case identityType:
		var i Identity
		o.Require("uuid", &i.UUID)
		o.Take("campaign_uuid", &i.CampaignUUID)
		o.Take("merged_into_uuid", &i.MergedIntoUUID)
		if finish(i.problems) {
			r.identities = append(r.identities, i)
		}
	case attackerType:
		var a Attacker
		o.Require("uuid", &a.UUID)
		o.Take("ip", &a.IP)
		o.Take("identity_uuid", &a.IdentityUUID)
		if finish(a.problems) {
			r.attackers = append(r.attackers, a)
		}
	case tagType:
		t := takeTag(o, &c)
		if finish(t.canonicalize) {
			r.tags = append(r.tags, t)
		}
	default:
		c.refuse("type", `must be "campaign", "identity", "attacker" or "tag"`)
	}
	return c.problems
}

func takeTag(o strictjson.Object, c *checker) Tag {
	var t Tag
	o.Take("uuid", &t.UUID)
	o.Require("source_kind", &t.SourceKind)
	o.Require("source_id", &t.SourceID)
	o.Take("attacker_uuid", &t.AttackerUUID)
	o.Take("identity_uuid", &t.IdentityUUID)
	o.Take("session_id", &t.SessionID)
	o.Take("decky_id", &t.DeckyID)
	o.Require("tactic", &t.Tactic)
	o.Require("technique_id", &t.TechniqueID)
	o.Take("sub_technique_id", &t.SubTechniqueID)
	o.Require("confidence", &t.Confidence)
	o.Require("rule_id", &t.RuleID)
	o.Require("rule_version", &t.RuleVersion)
	o.Require("attack_release", &t.AttackRelease)
	o.Require("observed_at", &t.ObservedAt)
	if o.Take("ingested_at", &t.IngestedAt) && len(c.problems) == 0 {
		t.IngestedAt = c.time("ingested_at", t.IngestedAt)
	}
	o.Take("batch_uuid", &t.BatchUUID)
	o.Require("evidence", &t.Evidence)
	return t
}
