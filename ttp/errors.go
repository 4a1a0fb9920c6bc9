package ttp

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// What can go wrong, for errors.Is. Every error of this package wraps one of these, a context's
// error, or an error of the database driver.
var (
	// ErrInvalidTag means that tags break a rule of their fields; the error is an [*InvalidError].
	ErrInvalidTag = errors.New("invalid tag")
	// ErrInvalidScope means that campaigns, identities or attackers break a rule of their fields;
	// the error is an [*InvalidError].
	ErrInvalidScope = errors.New("invalid scope")
	// ErrInvalidRecord means that lines of an import are no records; the error is an [*InvalidError].
	ErrInvalidRecord = errors.New("invalid record")
	// ErrInvalidQuery means that what a read asks for breaks a rule, such as a window that ends before it
	// starts or the cursor of another query; the error is an [*InvalidError].
	ErrInvalidQuery = errors.New("invalid query")
	// ErrNotFound means that what was asked for by its key is not stored.
	ErrNotFound = errors.New("not found")
	// ErrConflict means that a write contradicts what is stored, such as a merge that closes a cycle.
	ErrConflict = errors.New("conflict")
	// ErrBusy means that through all retries an uncommitted transaction of another connection held rows of the
	// call, or the whole of a SQLite file. Of the transaction nothing was written; the call may be repeated.
	ErrBusy = errors.New("database busy")
	// ErrSchemaMissing means that the database holds no ttpstore schema yet.
	ErrSchemaMissing = errors.New("schema missing")
	// ErrSchemaOld means that migrations are pending.
	ErrSchemaOld = errors.New("schema too old")
	// ErrSchemaNew means that a newer version of this module has migrated the database.
	ErrSchemaNew = errors.New("schema too new")
	// ErrSchemaDirty means that a migration stopped half way; [Store.Migrate] completes it.
	ErrSchemaDirty = errors.New("schema dirty")
	// ErrForeignSchema means that the database holds tables that no migration of this module made. It is
	// refused before anything is written.
	ErrForeignSchema = errors.New("foreign schema")
)

// Place says what the Index of a [Problem] counts.
type Place string

// The places of a [Problem].
const (
	NoPlace   Place = ""     // a query, which has no Index
	RowPlace  Place = "row"  // the call's slice, from 0
	LinePlace Place = "line" // the lines of an import, from 1
)

// Problem is one thing that is wrong with a row of a call, a line of an import or a query. In JSON its index
// is the field that Place names.
type Problem struct {
	Place  Place
	Index  int
	Field  string // the field's name as in JSON; of several, separated by ", "; empty for a whole line
	Reason string // what the field must be
}

// InvalidError lists all that is wrong with the rows of one call. Nothing of the call was written.
type InvalidError struct {
	Kind     error // [ErrInvalidTag], [ErrInvalidScope], [ErrInvalidRecord] or [ErrInvalidQuery]
	Problems []Problem
}

// Error names the first problems; Problems holds them all.
func (e *InvalidError) Error() string {
	const shown = 5
	var b strings.Builder
	b.WriteString(e.Kind.Error())
	for i, p := range e.Problems {
		if i == shown {
			fmt.Fprintf(&b, "; and %d more", len(e.Problems)-shown)
			break
		}
		separator := ";"
		if i == 0 {
			separator = ":"
		}
		fmt.Fprintf(&b, "%s %s", separator, p)
	}
	return b.String()
}

// MarshalJSON writes the sentinel's text as "error" and the problems.
func (e *InvalidError) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Error    string    `json:"error"`
		Problems []Problem `json:"problems"`
	}{e.Kind.Error(), e.Problems})
}

// String returns the place, the field and the reason, such as "row 3: tactic: must be set".
func (p Problem) String() string {
	text := p.Reason
	if p.Field != "" {
		text = p.Field + ": " + text
	}
	if p.Place != NoPlace {
		text = fmt.Sprintf("%s %d: %s", p.Place, p.Index, text)
	}
	return text
}

// MarshalJSON writes {"row":0,"field":"tactic","reason":"must be set"}, with "line" in place of "row" for an
// import, and neither for a query.
func (p Problem) MarshalJSON() ([]byte, error) {
	out := struct {
		Row    *int   `json:"row,omitempty"`
		Line   *int   `json:"line,omitempty"`
		Field  string `json:"field,omitempty"`
		Reason string `json:"reason"`
	}{Field: p.Field, Reason: p.Reason}
	switch p.Place {
	case RowPlace:
		out.Row = &p.Index
	case LinePlace:
		out.Line = &p.Index
	}
	return json.Marshal(out)
}

// at sets where the problems are.
func at(place Place, index int, problems []Problem) []Problem {
	for i := range problems {
		problems[i].Place, problems[i].Index = place, index
	}
	return problems
}

// Unwrap returns the sentinel.
func (e *InvalidError) Unwrap() error { return e.Kind }

// opError says which operation failed.
type opError struct {
	op  string
	err error
}

func (e *opError) Error() string { return "ttp: " + e.op + ": " + e.err.Error() }
func (e *opError) Unwrap() error { return e.err }

// fail says which operation failed, once, and lets errors.Is find the sentinel behind a driver's error.
func (s *Store) fail(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if part, ok := errors.AsType[*opError](err); ok && part.op == op {
		return err
	}
	sentinel := s.engine.sentinel(err)
	switch {
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		err = fmt.Errorf("%w: %w", ctx.Err(), err) // drivers report a cancelled statement in their own words
	case errors.Is(err, sql.ErrNoRows):
		err = ErrNotFound
	case sentinel != nil && !errors.Is(err, sentinel):
		err = fmt.Errorf("%w: %w", sentinel, err)
	}
	return &opError{op, err}
}
