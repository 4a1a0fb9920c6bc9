package main

import (
	"context"
	"encoding/json"
	"io"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// subject is one of what is compared.
type subject struct {
	name   string
	schema schema
	open   func(ctx context.Context, p place) (store, error)
}

// schema makes the tables in an empty database. The indexes may come later: after a store is filled, so
// that its indexes are packed as well as can be.
type schema struct {
	name   string
	tables func(ctx context.Context, p place) error
	index  func(ctx context.Context, p place) error
}

// store is what every subject can do with its database.
type store interface {
	// insert writes the tags that are not stored yet, in one transaction, and returns how many were new.
	insert(ctx context.Context, tags []ttp.Tag) (int, error)
	// link stores campaigns, identities and attackers.
	link(ctx context.Context, g graph) error
	rollup(ctx context.Context, s scope) (answer, error)
	// page prepares the reading of 100 tags behind the first n of the fleet's list; the preparing is not
	// measured.
	page(ctx context.Context, n int) (func(ctx context.Context) (int, error), error)
	// export writes all tags as JSON Lines and returns how many.
	export(ctx context.Context, w io.Writer) (int, error)
	close() error
}

const pageTags = 100

// scope is whose tags are rolled up.
type scope struct {
	kind string // identity, attacker, campaign, session or fleet
	id   uuid.UUID
	text string // a session's id
}

// answer is what all subjects must say alike of a rollup.
type answer struct {
	rows int
	tags int64
}

// techniqueRow is a row of a rollup, as all but ttpstore read it. ttpstore's has the tactics and the
// ATT&CK releases besides, which the others leave out: so theirs is the cheaper question.
type techniqueRow struct {
	TechniqueID    string
	SubTechniqueID *string
	Count          int64
	FirstSeen      string
	LastSeen       string
	ConfidenceMax  float64
}

func answerOf(rows []techniqueRow) answer {
	a := answer{rows: len(rows)}
	for _, row := range rows {
		a.tags += row.Count
	}
	return a
}

// encodeLines encodes each value that next is given as one line.
func encodeLines(w io.Writer) (next func(v any) error) {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode
}
