package matrix

import (
	"time"

	"github.com/decnet/ttpstore/attack"
)

// Cell sums up the tags that show one technique or sub-technique under one tactic, by the ids of one release.
type Cell struct {
	Release string `json:"release"` // such as "enterprise-v18.1"
	attack.Pair
	Count         int64     `json:"count"` // of tags
	FirstSeen     time.Time `json:"first_seen"`
	LastSeen      time.Time `json:"last_seen"`
	ConfidenceMax float64   `json:"confidence_max"`     // from 0 to 1
	Distinct      *Distinct `json:"distinct,omitempty"` // nil unless counted
	Rules         []string  `json:"rules,omitempty"`    // ids, sorted; nil unless read
	// Origins are the tags' own ids, if the cell is the result of a remap to another release.
	Origins []Origin `json:"origins,omitempty"`
}

// Distinct counts the sources and actors of a cell.
type Distinct struct {
	Sources    int64 `json:"sources"`
	Attackers  int64 `json:"attackers"`
	Identities int64 `json:"identities"`
}

// Origin is a part of a cell under the ids of the tags' own release.
type Origin struct {
	Release string `json:"release"`
	attack.Pair
	Count   int64          `json:"count"`
	Verdict attack.Verdict `json:"verdict"` // of the remap
}

// Add adds the tags of another cell to Count, FirstSeen, LastSeen and ConfidenceMax.
func (c *Cell) Add(more Cell) {
	if more.Count == 0 {
		return
	}
	if c.Count == 0 || more.FirstSeen.Before(c.FirstSeen) {
		c.FirstSeen = more.FirstSeen
	}
	if more.LastSeen.After(c.LastSeen) {
		c.LastSeen = more.LastSeen
	}
	c.Count += more.Count
	c.ConfidenceMax = max(c.ConfidenceMax, more.ConfidenceMax)
}
