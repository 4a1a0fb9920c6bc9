package main

import (
	"context"
	"iter"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// listHelp is the help text shared by all lists ordered by id.
const listHelp = `The JSON output is an array, or JSON Lines with --all. If there are more rows, a note on standard error
gives the flag for the next page.`

// listFlags holds the values of the flags of a list ordered by id.
type listFlags struct {
	limit  number
	after  uuid.UUID
	all    bool
	format *format
}

// addList adds the flags of a list ordered by id.
func addList(cmd *cobra.Command) *listFlags {
	f := listFlags{limit: number{100, 1, ttp.MaxPage}, format: addFormat(cmd)}
	cmd.Flags().Var(&f.limit, "limit", "list at most this `number`")
	cmd.Flags().Func("after", "start after this `ID`", setID(&f.after))
	cmd.Flags().BoolVar(&f.all, "all", false, "list all rows")
	for _, name := range []string{"limit", "after"} {
		must(cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions))
	}
	exclusive(cmd, "format", "json")
	exclusive(cmd, "limit", "all")
	return &f
}

// list reads and prints the rows of one kind by keyset pagination.
type list[T any] struct {
	page    func(ctx context.Context, after uuid.UUID, limit int) ([]T, error)
	id      func(T) uuid.UUID
	columns []column[T] // named by JSON key
	none    string
}

// print prints the rows selected by the flags.
func (l list[T]) print(ctx context.Context, cmd *cobra.Command, f *listFlags) error {
	var more uuid.UUID
	rows := l.rows(ctx, f.after, chunk)
	if !f.all {
		rows = l.first(l.rows(ctx, f.after, min(f.limit.value+1, chunk)), f.limit.value, &more)
	}
	if err := l.printRows(cmd, f, rows); err != nil {
		return err
	}
	if more != uuid.Nil {
		notef(cmd.ErrOrStderr(), "more: --after %s\n", more)
	}
	return nil
}

func (l list[T]) printRows(cmd *cobra.Command, f *listFlags, rows iter.Seq2[T, error]) error {
	switch {
	case *f.format == csvFormat:
		return streamCSV(cmd, l.columns, rows)
	case *f.format == tableFormat:
		return streamTable(cmd, headed(l.columns), rows, l.none)
	case f.all:
		return streamJSON(cmd, rows)
	}
	page := []T{}
	for row, err := range rows {
		if err != nil {
			return err
		}
		page = append(page, row)
	}
	return printJSON(cmd, page)
}

// rows returns all rows after an id, read in pages of the given size.
func (l list[T]) rows(ctx context.Context, after uuid.UUID, size int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			page, err := l.page(ctx, after, size)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, row := range page {
				if !yield(row, nil) {
					return
				}
				after = l.id(row)
			}
			if len(page) < size {
				return
			}
		}
	}
}

// first returns the first limit rows. If there are more, it sets *more to the id of the last one returned.
func (l list[T]) first(rows iter.Seq2[T, error], limit int, more *uuid.UUID) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		n := 0
		var last uuid.UUID
		for row, err := range rows {
			if err == nil && n == limit {
				*more = last
				return
			}
			if !yield(row, err) || err != nil {
				return
			}
			n, last = n+1, l.id(row)
		}
	}
}

// idColumn formats ids, the zero id as an empty cell.
func idColumn[T any](name string, value func(T) uuid.UUID) column[T] {
	return textColumn(name, func(row T) string { return optionalID(value(row)) })
}

// headed returns the columns with table headings instead of JSON keys.
func headed[T any](columns []column[T]) []column[T] {
	var out []column[T]
	for _, c := range columns {
		c.name = strings.ToUpper(label(c.name))
		out = append(out, c)
	}
	return out
}

// label returns a readable label for a JSON key.
func label(key string) string {
	return strings.ReplaceAll(strings.TrimSuffix(key, "_uuid"), "_", " ")
}
