package main

import (
	"context"
	"iter"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// listHelp is a part of the help of all commands that list in the order of ids.
const listHelp = `In JSON it is an array, or JSON Lines with --all. Where there is more, a note on standard error says how
to go on.`

// listFlags is what the flags say of a list in the order of ids.
type listFlags struct {
	limit  number
	after  uuid.UUID
	all    bool
	format *format
}

// addList gives a command the flags of all lists in the order of ids.
func addList(cmd *cobra.Command) *listFlags {
	f := listFlags{limit: number{100, 1, ttp.MaxPage}, format: addFormat(cmd)}
	cmd.Flags().Var(&f.limit, "limit", "list at most this `number`")
	cmd.Flags().Func("after", "list what comes after this `ID`", setID(&f.after))
	cmd.Flags().BoolVar(&f.all, "all", false, "list all, however many")
	for _, name := range []string{"limit", "after"} {
		must(cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions))
	}
	exclusive(cmd, "format", "json")
	exclusive(cmd, "limit", "all")
	return &f
}

// list is what there is to list of one thing.
type list[T any] struct {
	page    func(ctx context.Context, after uuid.UUID, limit int) ([]T, error)
	id      func(T) uuid.UUID
	columns []column[T] // by their keys in JSON
	none    string
}

// print prints as many rows as the flags ask for.
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

// rows are all after an id, read by pages of a size.
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

// first are so many rows. Where there are more, it says after which.
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

// idColumn is empty where there is no id.
func idColumn[T any](name string, value func(T) uuid.UUID) column[T] {
	return textColumn(name, func(row T) string { return optionalID(value(row)) })
}

// headed is columns for reading, by the labels of their keys.
func headed[T any](columns []column[T]) []column[T] {
	var out []column[T]
	for _, c := range columns {
		c.name = strings.ToUpper(label(c.name))
		out = append(out, c)
	}
	return out
}

// label is a key in JSON for reading.
func label(key string) string {
	return strings.ReplaceAll(strings.TrimSuffix(key, "_uuid"), "_", " ")
}
