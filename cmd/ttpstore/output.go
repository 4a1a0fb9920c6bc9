package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// format is an output format.
type format string

const (
	tableFormat     format = "table"
	jsonFormat      format = "json"
	jsonLinesFormat format = "jsonl"
	csvFormat       format = "csv"
	tabFormat       format = "tab" // of pipes and files; not a value of --output
)

// output holds the values of the output flags.
type output struct {
	chosen format // empty for a table on a terminal, and tab-separated values elsewhere
	wide   bool
}

// addOutput adds the output flags, which are the same for all commands that print rows.
func addOutput(cmd *cobra.Command) *output {
	var o output
	formats := choice[format]{&o.chosen, []format{tableFormat, jsonFormat, jsonLinesFormat, csvFormat}}
	cmd.Flags().VarP(formats, "output", "o", "output format: `table|json|jsonl|csv`")
	cmd.Flags().BoolFunc("json", "short for --output json", func(s string) error {
		asJSON, err := strconv.ParseBool(s)
		if asJSON {
			o.chosen = jsonFormat
		}
		return err
	})
	cmd.Flags().BoolVar(&o.wide, "wide", false, "print tables with all columns, untruncated, with full ids and times")
	must(cmd.RegisterFlagCompletionFunc("output", formats.complete))
	exclusive(cmd, "output", "json")
	return &o
}

// format returns the chosen format or the default one.
func (o *output) format(cmd *cobra.Command) format {
	switch {
	case o.chosen != "":
		return o.chosen
	case isTerminal(cmd.OutOrStdout()):
		return tableFormat
	}
	return tabFormat
}

// printRows prints rows and returns their number. JSON and CSV contain all fields of T under their JSON keys, tables
// the given columns. A table without rows is empty.
func printRows[T any](cmd *cobra.Command, o *output, columns []column[T], rows iter.Seq2[T, error]) (int, error) {
	n := 0
	counted := func(yield func(T, error) bool) {
		for row, err := range rows {
			if err == nil {
				n++
			}
			if !yield(row, err) {
				return
			}
		}
	}
	err := buffered(cmd.OutOrStdout(), func(w io.Writer) error { return writeRows(cmd, o, w, columns, counted) })
	return n, err
}

func writeRows[T any](cmd *cobra.Command, o *output, w io.Writer, columns []column[T], rows iter.Seq2[T, error]) error {
	switch o.format(cmd) {
	case jsonFormat:
		if err := writeArray(w, rows); err != nil {
			return err
		}
		_, err := io.WriteString(w, "\n")
		return err
	case tableFormat:
		return writeTable(w, o.display(cmd), columns, rows)
	}
	return o.writeLines(cmd, w, anyRows(rows), headings[T]())
}

// printList prints rows or, if there are none, a note on standard error.
func printList[T any](cmd *cobra.Command, o *output, columns []column[T], rows iter.Seq2[T, error], none string) error {
	n, err := printRows(cmd, o, columns, rows)
	if err == nil && n == 0 {
		notef(cmd.ErrOrStderr(), "%s\n", none)
	}
	return err
}

// printDocument prints a document: JSON as a whole, the line formats its rows, and tables the result of draw.
func printDocument[T any](cmd *cobra.Command, o *output, document any, rows []T, draw func(display) string) error {
	return buffered(cmd.OutOrStdout(), func(w io.Writer) error {
		switch o.format(cmd) {
		case jsonFormat:
			return writeJSON(w, document)
		case tableFormat:
			_, err := io.WriteString(w, draw(o.display(cmd)))
			return err
		}
		return o.writeLines(cmd, w, anyRows(stream(rows)), headings[T]())
	})
}

// printObject prints one object; its table has a line for each of the fields.
func printObject[T any](cmd *cobra.Command, o *output, object T, fields func(display) [][2]string) error {
	return buffered(cmd.OutOrStdout(), func(w io.Writer) error {
		switch o.format(cmd) {
		case jsonFormat:
			return writeJSON(w, object)
		case tableFormat:
			return writeFields(w, o.display(cmd), fields(o.display(cmd)))
		case tabFormat:
			return writeTabbedFields(w, fields(display{wide: true, zone: time.UTC}))
		}
		return o.writeLines(cmd, w, anyRows(stream([]T{object})), headings[T]())
	})
}

// writeLines writes a line for each row: JSON, CSV or tab-separated cells.
func (o *output) writeLines(cmd *cobra.Command, w io.Writer, rows iter.Seq2[any, error], names []string) error {
	switch o.format(cmd) {
	case jsonLinesFormat:
		return writeJSONLines(w, rows)
	case csvFormat:
		lines := csv.NewWriter(w)
		if err := writeCells(rows, names, lines.Write); err != nil {
			return err
		}
		lines.Flush()
		return lines.Error()
	}
	heading := tabbed(names) // printed with the first row
	return writeCells(rows, nil, func(cells []string) error {
		if len(cells) == 0 {
			return nil
		}
		_, err := io.WriteString(w, heading+tabbed(cells))
		heading = ""
		return err
	})
}

// writeCells calls write with the names and then with the cells of each row.
func writeCells(rows iter.Seq2[any, error], names []string, write func([]string) error) error {
	err := write(names)
	for row, failure := range rows {
		if err = errors.Join(err, failure); err != nil {
			return err
		}
		err = write(cells(row))
	}
	return err
}

// tabbed returns a line of tab-separated cells. A tab or line break in a cell is escaped.
func tabbed(cells []string) string {
	line := make([]string, len(cells))
	for i, cell := range cells {
		line[i] = oneLine(cell)
	}
	return strings.Join(line, "\t") + "\n"
}

// writeTabbedFields writes the name and value of each non-empty field.
func writeTabbedFields(w io.Writer, fields [][2]string) error {
	for _, field := range fields {
		if field[1] == "" {
			continue
		}
		if _, err := io.WriteString(w, tabbed([]string{strings.TrimSpace(field[0]), field[1]})); err != nil {
			return err
		}
	}
	return nil
}

func newEncoder(w io.Writer) *json.Encoder {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder
}

// writeJSON writes indented JSON.
func writeJSON(w io.Writer, value any) error {
	encoder := newEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

func writeJSONLines(w io.Writer, rows iter.Seq2[any, error]) error {
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
}

// writeArray writes an indented JSON array without a line break after it, with one row in memory at a time.
func writeArray[T any](w io.Writer, rows iter.Seq2[T, error]) error {
	before := "["
	for row, err := range rows {
		var text strings.Builder
		if err == nil {
			encoder := newEncoder(&text)
			encoder.SetIndent("  ", "  ")
			err = encoder.Encode(row)
		}
		if err == nil {
			_, err = io.WriteString(w, before+"\n  "+strings.TrimSuffix(text.String(), "\n"))
		}
		if err != nil {
			return err
		}
		before = ","
	}
	after := "\n]"
	if before == "[" {
		after = "[]"
	}
	_, err := io.WriteString(w, after)
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

func anyRows[T any](rows iter.Seq2[T, error]) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for row, err := range rows {
			if !yield(row, err) {
				return
			}
		}
	}
}
