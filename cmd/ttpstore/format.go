package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/decnet/ttpstore/ttp"
)

// format is the value of a flag: how a rollup is printed.
type format string

const (
	tableFormat format = "table"
	jsonFormat  format = "json"
	csvFormat   format = "csv"
)

func formatNames() []string {
	return []string{string(tableFormat), string(jsonFormat), string(csvFormat)}
}

func (f *format) String() string { return string(*f) }

// Type is what help calls the value.
func (f *format) Type() string { return "format" }

// Set parses the value.
func (f *format) Set(s string) error {
	if !slices.Contains(formatNames(), s) {
		return fmt.Errorf("must be %s, %s or %s", tableFormat, jsonFormat, csvFormat)
	}
	*f = format(s)
	return nil
}

// rollup is the rows of any scope.
type rollup struct {
	json     any // the rows as the store gave them
	rows     []ttp.CampaignTechniqueRow
	campaign bool // the rows count identities
}

func techniqueRollup(rows []ttp.TechniqueRollupRow) rollup {
	r := rollup{json: rows}
	for _, row := range rows {
		r.rows = append(r.rows, ttp.CampaignTechniqueRow{TechniqueRollupRow: row})
	}
	return r
}

func campaignRollup(rows []ttp.CampaignTechniqueRow) rollup {
	return rollup{json: rows, rows: rows, campaign: true}
}

// print writes the rows, and for a person a note that there are none.
func (r rollup) print(stdout, stderr io.Writer, f format) error {
	var out bytes.Buffer
	var err error
	switch {
	case f == jsonFormat:
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(r.json)
	case f == csvFormat:
		err = r.csv(&out)
	case len(r.rows) == 0:
		notef(stderr, "no tags\n")
	default:
		out.WriteString(r.table() + "\n")
	}
	if err != nil {
		return err
	}
	_, err = stdout.Write(out.Bytes())
	return err
}

// column is one value of a rollup's rows.
type column struct {
	name   string
	number bool
	text   func(ttp.CampaignTechniqueRow) string
}

// csv has the keys of the JSON rows as its columns, all of them, whatever the rows hold.
func (r rollup) csv(w io.Writer) error {
	columns := []column{
		{"technique_id", false, func(row ttp.CampaignTechniqueRow) string { return row.TechniqueID }},
		{"technique_name", false, func(row ttp.CampaignTechniqueRow) string { return row.TechniqueName }},
		{"sub_technique_id", false, func(row ttp.CampaignTechniqueRow) string { return row.SubTechniqueID }},
		{"sub_technique_name", false, func(row ttp.CampaignTechniqueRow) string { return row.SubTechniqueName }},
		{"tactic", false, func(row ttp.CampaignTechniqueRow) string { return row.Tactic }},
		{"tactics", false, func(row ttp.CampaignTechniqueRow) string { return joinTactics(row.Tactics, ":", ";") }},
		{"releases", false, func(row ttp.CampaignTechniqueRow) string { return strings.Join(row.Releases, ";") }},
		{"count", true, func(row ttp.CampaignTechniqueRow) string { return strconv.FormatInt(row.Count, 10) }},
		{"first_seen", false, func(row ttp.CampaignTechniqueRow) string { return row.FirstSeen.Format(time.RFC3339Nano) }},
		{"last_seen", false, func(row ttp.CampaignTechniqueRow) string { return row.LastSeen.Format(time.RFC3339Nano) }},
		{"confidence_max", true, func(row ttp.CampaignTechniqueRow) string {
			return strconv.FormatFloat(row.ConfidenceMax, 'f', -1, 64)
		}},
		{"mitre_url", false, func(row ttp.CampaignTechniqueRow) string { return row.MitreURL }},
	}
	if r.campaign {
		columns = append(columns, identitiesColumn("identity_count"))
	}
	lines := csv.NewWriter(w)
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = c.name
	}
	err := lines.Write(cells)
	for _, row := range r.rows {
		for i, c := range columns {
			cells[i] = c.text(row)
		}
		if err == nil {
			err = lines.Write(cells)
		}
	}
	lines.Flush()
	if err == nil {
		err = lines.Error()
	}
	return err
}

// table is for reading: without the columns that would be empty.
func (r rollup) table() string {
	columns := []column{
		{"TECHNIQUE", false, func(row ttp.CampaignTechniqueRow) string { return row.TechniqueID }},
		{"NAME", false, func(row ttp.CampaignTechniqueRow) string { return row.TechniqueName }},
		{"SUB-TECHNIQUE", false, func(row ttp.CampaignTechniqueRow) string { return row.SubTechniqueID }},
		{"SUB-TECHNIQUE NAME", false, func(row ttp.CampaignTechniqueRow) string { return row.SubTechniqueName }},
		{"TACTICS", false, func(row ttp.CampaignTechniqueRow) string { return joinTactics(row.Tactics, " ", ", ") }},
		{"COUNT", true, func(row ttp.CampaignTechniqueRow) string { return strconv.FormatInt(row.Count, 10) }},
		{"FIRST SEEN", false, func(row ttp.CampaignTechniqueRow) string { return row.FirstSeen.Format(time.RFC3339) }},
		{"LAST SEEN", false, func(row ttp.CampaignTechniqueRow) string { return row.LastSeen.Format(time.RFC3339) }},
		{"CONFIDENCE", true, func(row ttp.CampaignTechniqueRow) string {
			return strconv.FormatFloat(row.ConfidenceMax, 'f', 2, 64)
		}},
	}
	if r.campaign {
		columns = append(columns, identitiesColumn("IDENTITIES"))
	}
	columns = slices.DeleteFunc(columns, func(c column) bool {
		isName := strings.HasSuffix(c.name, "NAME")
		return isName && !slices.ContainsFunc(r.rows, func(row ttp.CampaignTechniqueRow) bool { return c.text(row) != "" })
	})
	return renderTable(columns, r.rows)
}

func identitiesColumn(name string) column {
	return column{name, true, func(row ttp.CampaignTechniqueRow) string { return strconv.FormatInt(row.IdentityCount, 10) }}
}

func renderTable(columns []column, rows []ttp.CampaignTechniqueRow) string {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	configs := make([]table.ColumnConfig, len(columns))
	header := make(table.Row, len(columns))
	for i, c := range columns {
		configs[i] = table.ColumnConfig{Number: i + 1}
		if c.number {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
		header[i] = c.name
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	for _, row := range rows {
		cells := make(table.Row, len(columns))
		for i, c := range columns {
			cells[i] = c.text(row)
		}
		t.AppendRow(cells)
	}
	return t.Render()
}

func joinTactics(tactics []ttp.TacticCount, inner, outer string) string {
	parts := make([]string, len(tactics))
	for i, t := range tactics {
		parts[i] = t.Tactic + inner + strconv.FormatInt(t.Count, 10)
	}
	return strings.Join(parts, outer)
}
