package main

import (
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/google/uuid"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
)

// chunk is the number of rows of a table that are rendered at a time.
const chunk = 1000

// gap is the number of spaces between columns.
const gap = 2

// display holds the settings of a table.
type display struct {
	width   int  // in columns
	wide    bool // nothing is cut or shortened
	colored bool
	zone    *time.Location
}

func (o *output) display(cmd *cobra.Command) display {
	return display{width: terminalWidth(cmd.OutOrStdout()), wide: o.wide, colored: colored(cmd), zone: timeZone(cmd)}
}

// column is a column of a table.
type column[T any] struct {
	name   string
	text   func(T) string
	number bool // aligned to the right
	uncut  bool // a cut value would mislead
	color  func(T) text.Colors
	extra  bool // printed only if there is room, or with --wide
}

func textColumn[T any](name string, value func(T) string) column[T] {
	return column[T]{name: name, text: value}
}

func countColumn[T any, N int | int64](name string, value func(T) N) column[T] {
	return column[T]{name: name, number: true, uncut: true, text: func(row T) string { return strconv.FormatInt(int64(value(row)), 10) }}
}

// colors returns the colors of a cell, nil for none.
func (c column[T]) colors(row T) text.Colors {
	if c.color == nil {
		return nil
	}
	return c.color(row)
}

// optionalColumn shows counts other than 0.
func optionalColumn[T any, N int | int64](name string, value func(T) N) column[T] {
	c := countColumn(name, value)
	format := c.text
	c.text = func(row T) string {
		if value(row) == 0 {
			return ""
		}
		return format(row)
	}
	return c
}

// confidenceColumn rounds confidences to two digits.
func confidenceColumn[T any](name string, value func(T) float64) column[T] {
	return column[T]{
		name: name, number: true, uncut: true,
		text:  func(row T) string { return strconv.FormatFloat(value(row), 'f', 2, 64) },
		color: func(row T) text.Colors { return confidenceColor(value(row)) },
	}
}

// idColumn shortens ids.
func idColumn[T any](d display, name string, value func(T) uuid.UUID) column[T] {
	return column[T]{name: name, uncut: true, text: func(row T) string { return d.id(value(row)) }}
}

// dayColumn shows days, for rows that summarize tags.
func dayColumn[T any](d display, name string, value func(T) time.Time) column[T] {
	return column[T]{name: name, uncut: true, text: func(row T) string { return d.day(value(row)) }}
}

// timeColumn shows times, for rows of single tags.
func timeColumn[T any](d display, name string, value func(T) time.Time) column[T] {
	return column[T]{name: name, uncut: true, text: func(row T) string { return d.time(value(row)) }}
}

// extra returns the columns as ones that are shown only if there is room for them.
func extra[T any](columns ...column[T]) []column[T] {
	for i := range columns {
		columns[i].extra = true
	}
	return columns
}

// shortID is the number of digits of a shortened id, and the minimum for an argument.
const shortID = 8

// id formats an id, the zero id as "".
func (d display) id(id uuid.UUID) string {
	switch {
	case id == uuid.Nil:
		return ""
	case d.wide:
		return id.String()
	}
	return id.String()[:shortID]
}

func (d display) day(t time.Time) string { return d.format(t, time.DateOnly) }

func (d display) time(t time.Time) string { return d.format(t, time.DateTime) }

func (d display) format(t time.Time, layout string) string {
	switch {
	case t.IsZero():
		return ""
	case d.wide:
		layout = time.RFC3339Nano
	}
	return t.In(d.zone).Format(layout)
}

// writeTable writes a table. The layout depends on all rows; rendering them in chunks limits the memory.
func writeTable[T any](w io.Writer, d display, columns []column[T], rows iter.Seq2[T, error]) error {
	var all []T
	for row, err := range rows {
		if err != nil {
			return err
		}
		all = append(all, row)
	}
	t := layOut(d, columns, all)
	for first := 0; first < len(all); first += chunk {
		if _, err := io.WriteString(w, t.render(all[first:min(first+chunk, len(all))], first == 0)); err != nil {
			return err
		}
	}
	return nil
}

// renderTable renders a table.
func renderTable[T any](d display, columns []column[T], rows []T) string {
	return layOut(d, columns, rows).render(rows, true)
}

// tableLayout holds the visible columns of a table.
type tableLayout[T any] struct {
	columns      []column[T]
	widths       []int
	cut, colored bool
}

// layOut omits empty columns and fits the others to the display.
func layOut[T any](d display, columns []column[T], rows []T) *tableLayout[T] {
	t := tableLayout[T]{cut: !d.wide, colored: d.colored}
	widths := make([]int, len(columns))
	total := -gap
	for i, c := range columns {
		for _, row := range rows {
			widths[i] = max(widths[i], text.StringWidth(oneLine(c.text(row))))
		}
		if widths[i] == 0 {
			continue
		}
		if widths[i] = max(widths[i], text.StringWidth(c.name)); !c.extra {
			total += gap + widths[i]
		}
	}
	for i, c := range columns {
		if c.extra && widths[i] > 0 {
			if !d.wide && total+gap+widths[i] > d.width {
				continue
			}
			total += gap + widths[i]
		}
		if widths[i] > 0 {
			t.columns, t.widths = append(t.columns, c), append(t.widths, widths[i])
		}
	}
	if t.cut {
		t.fit(total - d.width)
	}
	return &t
}

// narrowest is the minimum width of a cut column.
const narrowest = 8

// fit narrows the widest columns by the excess.
func (t *tableLayout[T]) fit(excess int) {
	for ; excess > 0; excess-- {
		widest := -1
		for i, w := range t.widths {
			if !t.columns[i].uncut && w > narrowest && (widest < 0 || w > t.widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		t.widths[widest]--
	}
}

func (t *tableLayout[T]) render(rows []T, header bool) string {
	w := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", strings.Repeat(" ", gap)
	w.SetStyle(style)
	w.SuppressTrailingSpaces()
	line := func(cell func(column[T]) string, color func(column[T]) text.Colors) table.Row {
		cells := make(table.Row, len(t.columns))
		for i, c := range t.columns {
			cells[i] = color(c).Sprint(t.fitted(cell(c), i))
		}
		return cells
	}
	plain := func(column[T]) text.Colors { return nil }
	if header {
		w.AppendHeader(line(func(c column[T]) string { return c.name }, plain))
	}
	for _, row := range rows {
		color := plain
		if t.colored {
			color = func(c column[T]) text.Colors { return c.colors(row) }
		}
		w.AppendRow(line(func(c column[T]) string { return oneLine(c.text(row)) }, color))
	}
	configs := make([]table.ColumnConfig, len(t.columns))
	for i, c := range t.columns {
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMin: t.widths[i]}
		if c.number {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	w.SetColumnConfigs(configs)
	return w.Render() + "\n"
}

// fitted returns a cell cut to the width of its column.
func (t *tableLayout[T]) fitted(cell string, i int) string {
	if t.cut && !t.columns[i].uncut {
		return text.Snip(cell, t.widths[i], "…")
	}
	return cell
}

// writeFields writes a line for each non-empty field, with the values aligned. A long line is wrapped.
func writeFields(w io.Writer, d display, fields [][2]string) error {
	width := 0
	for _, field := range fields {
		width = max(width, len(field[0])+gap)
	}
	var out strings.Builder
	for _, field := range fields {
		value := printable(field[1])
		if value == "" {
			continue
		}
		if !d.wide && !strings.Contains(value, "\n") {
			value = text.WrapSoft(value, max(d.width-width, narrowest))
			value = trailing.ReplaceAllString(value, "\n"+strings.Repeat(" ", width))
		}
		fmt.Fprintf(&out, "%-*s%s\n", width, field[0], value)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// trailing matches the end of a wrapped line, which is padded.
var trailing = regexp.MustCompile(` *\n`)

// headed returns the columns of fields with upper-case names, as in tables.
func headed[T any](columns []column[T]) []column[T] {
	columns = slices.Clone(columns)
	for i := range columns {
		columns[i].name = strings.ToUpper(columns[i].name)
	}
	return columns
}

// fieldsOf returns the columns of one row as fields.
func fieldsOf[T any](columns []column[T], row T) [][2]string {
	fields := make([][2]string, len(columns))
	for i, c := range columns {
		fields[i] = [2]string{c.name, c.text(row)}
	}
	return fields
}

// count formats a number with its noun, in the plural if needed.
func count[N int | int64](n N, thing string) string {
	return humanize.Comma(int64(n)) + " " + english.PluralWord(int(n), thing, "")
}
