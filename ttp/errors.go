package ttp

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Sentinel errors for errors.Is. The other errors of this package wrap a context's error or one of the database
// driver, or say which option, setting or file was refused.
var (
	// ErrInvalidTag means that tags have invalid fields; the error is an [*InvalidError].
	ErrInvalidTag = errors.New("invalid tag")
	// ErrInvalidScope means that campaigns, identities or attackers have invalid fields; the error is an
	// [*InvalidError].
	ErrInvalidScope = errors.New("invalid scope")
	// ErrInvalidRecord means that lines of an import are not valid records; the error is an [*InvalidError].
	ErrInvalidRecord = errors.New("invalid record")
	// ErrInvalidQuery means that parameters are invalid or contradict each other, such as a window that ends
	// before it starts or the cursor of another query; the error is an [*InvalidError].
	ErrInvalidQuery = errors.New("invalid query")
	// ErrNotFound means that no row has the given UUID or name.
	ErrNotFound = errors.New("not found")
	// ErrConflict means that a write contradicts stored rows, such as a merge that would close a cycle.
	ErrConflict = errors.New("conflict")
	// ErrBusy means that, despite all retries, other connections held locks that the call needs or changed the rows
	// that it had read. The call's transaction was rolled back; the call may be repeated.
	ErrBusy = errors.New("database busy")
	// ErrUnknownOutcome means that the connection was lost during COMMIT, that the server had not replied to it five
	// seconds after the end of the context, or that the context ended during a transaction shared by several calls: the
	// transaction may or may not be committed. All writes of this package are idempotent, so the call may be repeated.
	// [Store.InsertTags] resolves a lost reply itself and returns it only if it cannot.
	ErrUnknownOutcome = errors.New("unknown outcome")
	// ErrSchemaMissing means that the database has no ttpstore schema.
	ErrSchemaMissing = errors.New("schema missing")
	// ErrSchemaOld means that migrations are pending.
	ErrSchemaOld = errors.New("schema too old")
	// ErrSchemaNew means that a newer version of this module migrated the database.
	ErrSchemaNew = errors.New("schema too new")
	// ErrSchemaDirty means that a migration did not complete; [Store.Migrate] completes it.
	ErrSchemaDirty = errors.New("schema dirty")
	// ErrForeignSchema means that the database holds tables that no migration of this module made. It is
	// refused before anything is written.
	ErrForeignSchema = errors.New("foreign schema")
)

// Place is the unit of [Problem.Index].
type Place string

// The places of a [Problem].
const (
	NoPlace   Place = ""     // a query, without an Index
	RowPlace  Place = "row"  // the call's slice, from 0
	LinePlace Place = "line" // the lines of an import, from 1
)

// Problem is one invalid field of a row, a line of an import or a query. In JSON, Index is the value of a field
// named after Place.
type Problem struct {
	Place  Place
	Index  int
	Field  string // the JSON name; several are separated by ", "; empty for a whole line
	Reason string // the requirement, such as: must be set
}

// InvalidError lists all invalid fields of one call, which wrote nothing. The error of the call wraps it: for JSON, marshal
// the result of errors.AsType[*InvalidError](err).
type InvalidError struct {
	Kind     error // [ErrInvalidTag], [ErrInvalidScope], [ErrInvalidRecord] or [ErrInvalidQuery]
	Problems []Problem
}

// Error describes the first problems; Problems holds all of them.
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

// MarshalJSON returns {"error":"invalid tag","problems":[...]}, with the text of Kind as the error.
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

// MarshalJSON returns {"row":0,"field":"tactic","reason":"must be set"}, with "line" instead of "row" for an
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

// at sets the place and index of the problems.
func at(place Place, index int, problems []Problem) []Problem {
	for i := range problems {
		problems[i].Place, problems[i].Index = place, index
	}
	return problems
}

// Unwrap returns Kind.
func (e *InvalidError) Unwrap() error { return e.Kind }

// opError prefixes an error with the failed operation.
type opError struct {
	op  string
	err error
}

func (e *opError) Error() string { return "ttp: " + textOf(e.op) + ": " + e.err.Error() }
func (e *opError) Unwrap() error { return e.err }

// fail wraps err in an opError of the operation, unless it has one already, and adds the sentinel of a driver's
// error.
func (s *Store) fail(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if part, ok := errors.AsType[*opError](err); ok && part.op == op {
		return err
	}
	sentinel, ended := s.engine.sentinel(err), contextError(ctx)
	_, invalid := errors.AsType[*InvalidError](err)
	switch {
	case err == sql.ErrNoRows: //nolint:errorlint // a wrapped one is of the caller's function, reader or writer
		err = ErrNotFound
	case ended != nil && !invalid: // an invalid call must not be repeated
		err = withSentinel(ended, err) // drivers report a cancelled statement differently
	default:
		err = withSentinel(sentinel, err)
	}
	return &opError{op, err}
}

// withSentinel adds a sentinel, unless it is nil or err has it already.
func withSentinel(sentinel, err error) error {
	if sentinel == nil || errors.Is(err, sentinel) {
		return err
	}
	return fmt.Errorf("%w: %w", sentinel, err)
}

// contextError returns the error of a context that has ended. A dialer keeps the deadline by a timer of its own, which may
// fire before the context's.
func contextError(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}
