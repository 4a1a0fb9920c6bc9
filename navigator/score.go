package navigator

import (
	"errors"
	"fmt"
	"math"

	"github.com/decnet/ttpstore/matrix"
)

// Errors of [New] and [Diff].
var (
	// ErrUnknownScore means that a score is not one of this package's constants.
	ErrUnknownScore = errors.New("unknown score")
	// ErrNotCounted means that a score needs the distinct counts of cells that were read without them.
	ErrNotCounted = errors.New("distinct sources and actors were not counted")
	// ErrReleasesDiffer means that two matrices of different releases were compared.
	ErrReleasesDiffer = errors.New("matrices of different releases")
)

// Score selects the number that a layer scores techniques by. The zero Score is [Count].
type Score string

// The scores.
const (
	Count      Score = "count"      // tags
	Sources    Score = "sources"    // distinct sources
	Attackers  Score = "attackers"  // distinct attackers
	Identities Score = "identities" // distinct identities
	Confidence Score = "confidence" // the highest, in percent
)

// of returns the score of a cell.
func (s Score) of(c *matrix.Cell) (float64, error) {
	switch s {
	case Count:
		return float64(c.Count), nil
	case Confidence:
		return math.Round(10_000*c.ConfidenceMax) / 100, nil
	case Sources, Attackers, Identities:
	default:
		return 0, fmt.Errorf("navigator: %w: %q must be %s, %s, %s, %s or %s",
			ErrUnknownScore, string(s), Count, Sources, Attackers, Identities, Confidence)
	}
	if c.Distinct == nil {
		return 0, fmt.Errorf("navigator: score %s of %s under %s: %w", s, c.Technique, c.Tactic, ErrNotCounted)
	}
	n := map[Score]int64{Sources: c.Distinct.Sources, Attackers: c.Distinct.Attackers, Identities: c.Distinct.Identities}[s]
	return float64(n), nil
}

// unit returns the unit of the score.
func (s Score) unit() string {
	switch s {
	case Count:
		return "tags"
	case Confidence:
		return "% confidence"
	}
	return string(s)
}

// aggregate returns the Navigator's function for the score of a technique with its sub-techniques. Distinct sources
// and actors do not add up.
func (s Score) aggregate() string {
	if s == Count {
		return "sum"
	}
	return "max"
}
