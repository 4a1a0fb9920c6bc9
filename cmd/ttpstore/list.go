package main

import (
	"context"
	"iter"

	"github.com/dustin/go-humanize"
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// listHelp is the help text shared by all lists ordered by id.
const listHelp = `If --limit cuts the list, a note on standard error gives the total number and
the flag for the next page.`

// listFlags holds the values of the flags of a list ordered by id.
type listFlags struct {
	limit number
	after uuid.UUID
	*output
}

// addList adds the flags of a list ordered by id.
func addList(cmd *cobra.Command) *listFlags {
	f := listFlags{output: addOutput(cmd)}
	addLimit(cmd, &f.limit, 100, ttp.MaxPage)
	cmd.Flags().Func("after", "list rows after this `ID`, the last one of the previous page", setID(&f.after))
	must(cmd.RegisterFlagCompletionFunc("after", cobra.NoFileCompletions))
	return &f
}

// addLimit adds --limit, the maximum number of rows, 0 for all.
func addLimit(cmd *cobra.Command, limit *number, value, most int) {
	*limit = number{value, 0, most}
	cmd.Flags().VarP(limit, "limit", "n", "list at most this `number`, 0 for all")
	must(cmd.RegisterFlagCompletionFunc("limit", cobra.NoFileCompletions))
}

// noteCut reports on standard error that a list is incomplete.
func noteCut[N int | int64](cmd *cobra.Command, shown int, all N, next string) {
	if int64(shown) < int64(all) {
		notef(cmd.ErrOrStderr(), "showing %s of %s; use %s--limit 0 for all\n", humanize.Comma(int64(shown)), humanize.Comma(int64(all)), next)
	}
}

// page is a function that reads a page of rows in the order of their ids.
type page[T any] func(ctx context.Context, after uuid.UUID, limit int) ([]T, error)

// list reads and prints the rows of one kind by keyset pagination.
type list[T any] struct {
	page    page[T]
	id      func(T) uuid.UUID
	columns []column[T]
	none    string
}

// print prints the rows selected by the flags.
func (l list[T]) print(ctx context.Context, cmd *cobra.Command, f *listFlags) error {
	shown, all := 0, 0
	var last uuid.UUID
	rows := func(yield func(T, error) bool) {
		for row, err := range pagesAfter(ctx, l.page, l.id, f.after) {
			switch all++; {
			case err == nil && f.limit.value > 0 && all > f.limit.value:
				continue // only counted
			case !yield(row, err):
				return
			}
			shown, last = shown+1, l.id(row)
		}
	}
	err := printList(cmd, f.output, headed(l.columns), rows, l.none)
	if err == nil {
		noteCut(cmd, shown, all, "--after "+last.String()+" for the next page or ")
	}
	return err
}

// allPages returns all rows.
func allPages[T any](ctx context.Context, read page[T], id func(T) uuid.UUID) iter.Seq2[T, error] {
	return pagesAfter(ctx, read, id, uuid.Nil)
}

// pagesAfter returns all rows after an id.
func pagesAfter[T any](ctx context.Context, read page[T], id func(T) uuid.UUID, after uuid.UUID) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			rows, err := read(ctx, after, chunk)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
				after = id(row)
			}
			if len(rows) < chunk {
				return
			}
		}
	}
}

// inPages converts rows a page at a time, so that names are looked up once per page.
func inPages[T, S any](rows iter.Seq2[T, error], convert func([]T) ([]S, error)) iter.Seq2[S, error] {
	const size = 256
	return func(yield func(S, error) bool) {
		var page []T
		flush := func() bool {
			converted, err := convert(page)
			page = page[:0]
			if err != nil {
				var none S
				yield(none, err)
				return false
			}
			for _, row := range converted {
				if !yield(row, nil) {
					return false
				}
			}
			return true
		}
		for row, err := range rows {
			if err != nil {
				if flush() {
					var none S
					yield(none, err)
				}
				return
			}
			if page = append(page, row); len(page) == size && !flush() {
				return
			}
		}
		flush()
	}
}
