package ttp

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"time"
)

// DefaultSlowThreshold is the duration from which an operation is slow. See [WithSlowThreshold].
const DefaultSlowThreshold = time.Second

// Observation describes an operation of a store. It holds no values of tags, scopes or queries, so that it may be
// logged and exported as it is.
type Observation struct {
	// Operation is a fixed text such as "insert tags" or "rollup".
	Operation string
	Dialect   Dialect
	Start     time.Time
	Duration  time.Duration
	// Rows is the number of rows that were read, or of the tags that a write was given or removed; 0 for operations
	// that do not return rows.
	Rows int
	// Outcomes counts the outcomes of the tags of an insert or import. It is nil for other operations.
	Outcomes map[Outcome]int
	// Attempts is the number of times that the transaction ran.
	Attempts int
	// Slow reports whether Duration reaches the threshold.
	Slow bool
	// Failure is the kind of the error in snake_case, such as "busy", "not_found" or "canceled", "error" for any other
	// one, and empty on success.
	Failure string
}

// Observer is called after each operation with the caller's context: once for a call of the store, also if the call is
// refused, but once per page for streams, and once per transaction for imports, removals and verification. The read of the
// ATT&CK releases before the first call with names is observed too. An observer must be safe for concurrent use, and the
// call waits for it. Within [Store.WithTx] and [Store.Tx], the caller may still roll back the observed writes.
type Observer func(context.Context, Observation)

// WithObserver adds an observer.
func WithObserver(o Observer) Option {
	return func(s *Store) error {
		if o == nil {
			return errors.New("the observer must not be nil")
		}
		s.observers = append(s.observers, o)
		return nil
	}
}

// WithSlowThreshold sets the duration from which an operation is slow, instead of [DefaultSlowThreshold].
func WithSlowThreshold(d time.Duration) Option {
	return func(s *Store) error {
		if d <= 0 {
			return errors.New("the threshold of slow operations must be positive")
		}
		s.slow = d
		return nil
	}
}

// WithLogger logs each operation: at [slog.LevelWarn] if it failed or was slow, otherwise at [slog.LevelDebug].
func WithLogger(logger *slog.Logger) Option {
	return func(s *Store) error {
		if logger == nil {
			return errors.New("the logger must not be nil")
		}
		return WithObserver(func(ctx context.Context, o Observation) { o.log(ctx, logger) })(s)
	}
}

func (o Observation) log(ctx context.Context, logger *slog.Logger) {
	level := slog.LevelDebug
	if o.Slow || o.Failure != "" {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{
		slog.String("operation", o.Operation), slog.String("engine", string(o.Dialect)), slog.Int("rows", o.Rows),
		slog.Int("attempts", o.Attempts), slog.Duration("duration", o.Duration), slog.Bool("slow", o.Slow),
	}
	for outcome := Inserted; outcome <= Tombstoned; outcome++ {
		if n := o.Outcomes[outcome]; n > 0 {
			attrs = append(attrs, slog.Int(outcome.String(), n))
		}
	}
	if o.Failure != "" {
		attrs = append(attrs, slog.String("failure", o.Failure))
	}
	logger.LogAttrs(ctx, level, "ttp operation", attrs...)
}

// observe begins an observation and returns a function that ends it.
func (s *Store) observe(ctx context.Context, op string) func(Observation, error) {
	if len(s.observers) == 0 {
		return func(Observation, error) {}
	}
	start := time.Now()
	return func(o Observation, err error) {
		o.Operation, _, _ = strings.Cut(op, subjectMark)
		o.Dialect, o.Start, o.Duration, o.Failure = s.engine.dialect(), start, time.Since(start), failureOf(err)
		o.Slow = o.Duration >= s.slow
		for _, observer := range s.observers {
			observer(ctx, o)
		}
	}
}

// begin begins an operation that neither reads rows nor writes tags. The returned function ends it with the error of the
// call, which it passes to fail.
func (s *Store) begin(ctx context.Context, op string, err *error) (end func()) {
	observed := s.observe(ctx, op)
	return func() {
		*err = s.fail(ctx, op, *err)
		observed(Observation{}, *err)
	}
}

// refuse is fail for an operation that ends before its first statement. It observes the operation.
func (s *Store) refuse(ctx context.Context, op string, err error) error {
	s.begin(ctx, op, &err)()
	return err
}

// subjectMark separates an operation's name from its subject, which errors contain and observers do not receive.
const subjectMark = "\x00"

// about returns an operation with its subject.
func about(operation, subject string) string { return operation + subjectMark + subject }

// textOf returns the text of an operation with its subject for errors.
func textOf(op string) string { return strings.Replace(op, subjectMark, " ", 1) }

// failures are the kinds of errors, the specific ones first.
var failures = []struct {
	err  error
	word string
}{
	{ErrUnknownOutcome, "unknown_outcome"},
	{context.Canceled, "canceled"},
	{context.DeadlineExceeded, "deadline_exceeded"},
	{ErrInvalidTag, "invalid_tag"},
	{ErrInvalidScope, "invalid_scope"},
	{ErrInvalidRecord, "invalid_record"},
	{ErrInvalidQuery, "invalid_query"},
	{ErrNotFound, "not_found"},
	{ErrConflict, "conflict"},
	{ErrBusy, "busy"},
	{ErrSchemaMissing, "schema_missing"},
	{ErrSchemaOld, "schema_old"},
	{ErrSchemaNew, "schema_new"},
	{ErrSchemaDirty, "schema_dirty"},
	{ErrForeignSchema, "foreign_schema"},
}

func failureOf(err error) string {
	for _, f := range failures {
		if errors.Is(err, f.err) {
			return f.word
		}
	}
	if err != nil {
		return "error"
	}
	return ""
}

// outcomesOf counts outcomes.
func outcomesOf(outcomes []Outcome) map[Outcome]int {
	counts := map[Outcome]int{}
	for _, outcome := range outcomes {
		counts[outcome]++
	}
	return counts
}

// resultRows returns the number of rows in the result of an operation.
func resultRows(result any) int {
	if receipt, ok := result.(Receipt); ok {
		return int(receipt.Tags + receipt.ReleasedTags)
	}
	if rows := reflect.ValueOf(result); rows.Kind() == reflect.Slice {
		return rows.Len()
	}
	return 0
}
