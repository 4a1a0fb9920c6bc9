package main

import (
	"context"
	"encoding/json"
	"io"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// subject is a library or program under comparison.
type subject struct {
	name   string
	schema schema
	open   func(ctx context.Context, p place) (store, error)
}

// schema creates the tables in an empty database. Indexes may be created after a store is filled, so that they are compact.
type schema struct {
	name   string
	tables func(ctx context.Context, p place) error
	index  func(ctx context.Context, p place) error
}

// store holds the operations of a subject on its database.
type store interface {
	// insert inserts the tags that are not stored yet in one transaction, and returns their number.
	insert(ctx context.Context, tags []ttp.Tag) (int, error)
	// link stores campaigns, identities and attackers.
	link(ctx context.Context, g graph) error
	rollup(ctx context.Context, s scope) (rollupTotals, error)
	// page returns a function that reads 100 tags after the first n of the fleet's list. Only that function is measured.
	page(ctx context.Context, n int) (func(ctx context.Context) (int, error), error)
	// export writes all tags as JSON Lines and returns their number.
	export(ctx context.Context, w io.Writer) (int, error)
	close() error
}

const pageTags = 100

// scope is the scope of a rollup.
type scope struct {
	kind string // identity, attacker, campaign, session or fleet
	id   uuid.UUID
	text string // a session's id
}

// rollupTotals holds the parts of a rollup that must be the same for all subjects.
type rollupTotals struct {
	rows       int
	tags       int64
	identities int64 // sum of a campaign's identities with each technique, or -1 if the subject does not count them
}

// same reports whether the totals are those of the same rollup.
func (a rollupTotals) same(b rollupTotals) bool {
	if a.identities < 0 || b.identities < 0 {
		a.identities, b.identities = 0, 0
	}
	return a == b
}

// techniqueRow is a row of GORM's and bun's rollups. They are cheaper than ttpstore's, which also have tactics, ATT&CK
// releases and the number of a campaign's identities.
type techniqueRow struct {
	TechniqueID    string
	SubTechniqueID *string
	Count          int64
	FirstSeen      string
	LastSeen       string
	ConfidenceMax  float64
}

func totalsOf(rows []techniqueRow) rollupTotals {
	a := rollupTotals{rows: len(rows), identities: -1}
	for _, row := range rows {
		a.tags += row.Count
	}
	return a
}

// encodeLines returns a function that encodes each value as a line.
func encodeLines(w io.Writer) (next func(v any) error) {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode
}
