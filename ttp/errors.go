package ttp

import (
	"context"
	"database/sql"
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
	// ErrSchemaDirty means that a migration stopped half way.
	ErrSchemaDirty = errors.New("schema dirty")
)

// Problem is one thing that is wrong with one row of a call.
type Problem struct {
	Index  int    // the row's index in the call's slice; for an import, the line's number, from 1; 0 for a query
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
	place := "row"
	if errors.Is(e.Kind, ErrInvalidRecord) {
		place = "line"
	}
	ofQuery := errors.Is(e.Kind, ErrInvalidQuery)
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
		if ofQuery {
			fmt.Fprintf(&b, "%s %s", separator, p)
		} else {
			fmt.Fprintf(&b, "%s %s %d: %s", separator, place, p.Index, p)
		}
	}
	return b.String()
}

// String is the field and the reason.
func (p Problem) String() string {
	if p.Field == "" {
		return p.Reason
	}
	return p.Field + ": " + p.Reason
}

// at says which row the problems are of.
func at(index int, problems []Problem) []Problem {
	for i := range problems {
		problems[i].Index = index
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
