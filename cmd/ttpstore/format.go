package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
)

// format is an output format for rows.
type format string

const (
	tableFormat format = "table"
	jsonFormat  format = "json"
	csvFormat   format = "csv"
)

// chunk is the number of rows of a stream that are held in memory to align a table.
const chunk = 1000

// column is a named value of each row.
type column[T any] struct {
	name   string
	number bool
	text   func(T) string
}

func textColumn[T any](name string, value func(T) string) column[T] {
	return column[T]{name, false, value}
}

func countColumn[T any](name string, value func(T) int64) column[T] {
	return column[T]{name, true, func(row T) string { return strconv.FormatInt(value(row), 10) }}
}

// timeColumn formats times to the second, for tables.
func timeColumn[T any](name string, value func(T) time.Time) column[T] {
	return column[T]{name, false, func(row T) string { return value(row).Format(time.RFC3339) }}
}

// confidenceColumn formats confidences with two digits, for tables.
func confidenceColumn[T any](name string, value func(T) float64) column[T] {
	return column[T]{name, true, func(row T) string { return strconv.FormatFloat(value(row), 'f', 2, 64) }}
}

// addFormat adds the output format flags to a command and its subcommands.
func addFormat(cmd *cobra.Command) *format {
	chosen := tableFormat
	formats := choice[format]{&chosen, []format{tableFormat, jsonFormat, csvFormat}}
	cmd.PersistentFlags().Var(formats, "format", "print `table|json|csv`")
	must(cmd.RegisterFlagCompletionFunc("format", formats.complete))
	cmd.PersistentFlags().BoolFunc("json", "the same as --format json", func(s string) error {
		asJSON, err := strconv.ParseBool(s)
		if asJSON {
			chosen = jsonFormat
		}
		return err
	})
	return &chosen
}

// addJSON adds the --json flag.
func addJSON(cmd *cobra.Command) *bool {
	return cmd.Flags().Bool("json", false, "print JSON")
}

// printRows prints rows as a JSON array or as a table.
func printRows[T any](cmd *cobra.Command, asJSON bool, columns []column[T], rows []T) error {
	if asJSON {
		return printJSON(cmd, rows)
	}
	return printTable(cmd, columns, rows, "no tags")
}

// printJSON prints indented JSON; if encoding fails, it prints nothing.
func printJSON(cmd *cobra.Command, value any) error {
	encoder := newEncoder(cmd.OutOrStdout())
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

func newEncoder(w io.Writer) *json.Encoder {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder
}

// printTable prints a table or, if there are no rows, the note none to standard error.
func printTable[T any](cmd *cobra.Command, columns []column[T], rows []T, none string) error {
	if len(rows) == 0 {
		notef(cmd.ErrOrStderr(), "%s\n", none)
		return nil
	}
	_, err := io.WriteString(cmd.OutOrStdout(), renderTable(columns, rows))
	return err
}

// streamJSON prints JSON Lines.
func streamJSON[T any](cmd *cobra.Command, rows iter.Seq2[T, error]) error {
	return buffered(cmd.OutOrStdout(), func(w io.Writer) error {
		encoder := newEncoder(w)
		for row, err := range rows {
			if err == nil {
				err = encoder.Encode(row)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// streamCSV prints all columns, including empty ones.
func streamCSV[T any](cmd *cobra.Command, columns []column[T], rows iter.Seq2[T, error]) error {
	lines := csv.NewWriter(cmd.OutOrStdout())
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = c.name
	}
	err := lines.Write(cells)
	for row, failure := range rows {
		if err = errors.Join(err, failure); err != nil {
			return err
		}
		for i, c := range columns {
			cells[i] = c.text(row)
		}
		err = lines.Write(cells)
	}
	lines.Flush()
	return errors.Join(err, lines.Error())
}

// streamTable prints a table in chunks under one header. Empty columns are omitted only if all rows fit in
// one chunk.
func streamTable[T any](cmd *cobra.Command, columns []column[T], rows iter.Seq2[T, error], none string) error {
	var held []T
	widths := make([]int, len(columns))
	printed := false
	for row, err := range rows {
		if err == nil && len(held) == chunk {
			_, err = io.WriteString(cmd.OutOrStdout(), renderChunk(columns, held, widths, !printed))
			held, printed = held[:0], true
		}
		if err != nil {
			return err
		}
		held = append(held, row)
	}
	if !printed {
		return printTable(cmd, columns, held, none)
	}
	_, err := io.WriteString(cmd.OutOrStdout(), renderChunk(columns, held, widths, false))
	return err
}

// printFields prints a line for each non-empty field, with the values aligned.
func printFields(w io.Writer, fields [][2]string) error {
	width := 0
	for _, field := range fields {
		width = max(width, len(field[0])+2)
	}
	var out strings.Builder
	for _, field := range fields {
		if field[1] != "" {
			fmt.Fprintf(&out, "%-*s%s\n", width, field[0], printable(field[1]))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// stream returns an iterator over rows.
func stream[T any](rows []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// renderTable renders a table without its empty columns.
func renderTable[T any](columns []column[T], rows []T) string {
	columns = slices.DeleteFunc(slices.Clone(columns), func(c column[T]) bool {
		return !slices.ContainsFunc(rows, func(row T) bool { return c.text(row) != "" })
	})
	return renderChunk(columns, rows, make([]int, len(columns)), true)
}

// renderChunk renders a part of a table. The columns are at least as wide as widths, which it updates.
func renderChunk[T any](columns []column[T], rows []T, widths []int, header bool) string {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	names := make(table.Row, len(columns))
	for i, c := range columns {
		names[i] = c.name
		widths[i] = max(widths[i], text.StringWidth(c.name))
	}
	if header {
		t.AppendHeader(names)
	}
	for _, row := range rows {
		cells := make(table.Row, len(columns))
		for i, c := range columns {
			cell := printable(c.text(row))
			cells[i] = cell
			widths[i] = max(widths[i], text.StringWidth(cell))
		}
		t.AppendRow(cells)
	}
	configs := make([]table.ColumnConfig, len(columns))
	for i, c := range columns {
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMin: widths[i]}
		if c.number {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	t.SetColumnConfigs(configs)
	return t.Render() + "\n"
}

// count formats a number with its noun, in the plural if needed.
func count[N int | int64](n N, thing string) string {
	if stem, ok := strings.CutSuffix(thing, "y"); ok && n != 1 {
		thing = stem + "ies"
	} else if n != 1 {
		thing += "s"
	}
	return strconv.FormatInt(int64(n), 10) + " " + thing
}
