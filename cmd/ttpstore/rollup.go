package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/matrix"
	"github.com/decnet/ttpstore/ttp"
)

func newRollupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollup",
		Short: "Sum up the tags of a scope by technique",
		Long: `Sum up the tags of an identity, an attacker, a campaign, a session or the whole fleet by technique and
sub-technique, most frequent first. An unknown id has no tags, which is not an error.

"rollup attackers" and "rollup identities" roll up every attacker or identity in one pass; their JSON output
is JSON Lines, one object per scope.`,
		Example: `  ttpstore rollup fleet --since 7d
  ttpstore rollup session 761201169d5f --json
  ttpstore rollup campaign 27b9630e-70f3-513e-b7aa-1f4f8ca1f251 --format csv --distinct
  ttpstore rollup attackers --technique T1110 --sub-techniques`,
	}
	format := addFormat(cmd)
	cmd.AddCommand(
		newScopeRollupCommand(format, "identity ID", "Roll up an identity and the identities merged into it"),
		newScopeRollupCommand(format, "attacker ID", "Roll up an attacker"),
		newScopeRollupCommand(format, "campaign ID", "Roll up a campaign, with the number of identities per technique"),
		newScopeRollupCommand(format, "session ID", "Roll up a login session"),
		newScopeRollupCommand(format, "fleet", "Roll up all tags"),
		newSweepCommand(format, "attackers", "Roll up every attacker", "ATTACKER", (*ttp.Store).AttackerRollups),
		newSweepCommand(format, "identities", "Roll up every identity", "IDENTITY", (*ttp.Store).IdentityRollups),
	)
	for _, sub := range cmd.Commands() {
		exclusive(sub, "format", "json")
	}
	return cmd
}

func newScopeRollupCommand(format *format, use, short string) *cobra.Command {
	var scope [1]ttp.Scope
	var filter *filterFlags
	var release *asOf
	var distinct bool
	cmd := &cobra.Command{
		Use:               use,
		Short:             short,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args: func(cmd *cobra.Command, args []string) error {
			return takeScopes(scope[:])(cmd, append([]string{cmd.Name()}, args...))
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			options := release.options(ttp.Where(filter.filter()))
			if distinct {
				options = append(options, ttp.CountDistinct())
			}
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				rows, err := store.Rollup(ctx, scope[0], options...)
				if err != nil {
					return err
				}
				rollup := newRollup(scope[0].Kind, rows)
				rollup.distinct = distinct
				return rollup.print(cmd, *format, "no tags")
			})
		},
	}
	cmd.Flags().BoolVar(&distinct, "distinct", false, "also count the distinct sources, attackers and identities of each technique; slower")
	filter, release = addFilter(cmd), addAsOf(cmd)
	return cmd
}

// rollup holds the printable rows of one or more scopes.
type rollup struct {
	json               any // the rows as returned by the store
	rows               []rollupRow
	campaign, distinct bool // whether to print the identity count, and all distinct counts
	asOf               bool // whether to print the verdicts
}

type rollupRow struct {
	ttp.TechniqueRollupRow
	scope ttp.Scope // set in a sweep
}

func newRollup(kind ttp.ScopeKind, rows []ttp.TechniqueRollupRow) rollup {
	r := rollup{json: rows, campaign: kind == ttp.CampaignScope}
	for _, row := range rows {
		r.asOf = r.asOf || row.Verdict != ""
		r.rows = append(r.rows, rollupRow{TechniqueRollupRow: row})
	}
	return r
}

// print prints the rows; a table without rows becomes the note none on standard error.
func (r rollup) print(cmd *cobra.Command, f format, none string) error {
	switch f {
	case jsonFormat:
		return printJSON(cmd, r.json)
	case csvFormat:
		return streamCSV(cmd, r.csvColumns(), stream(r.rows))
	}
	return printTable(cmd, r.columns(), r.rows, none)
}

// csvColumns returns the columns for CSV, named like the JSON keys.
func (r rollup) csvColumns() []column[rollupRow] {
	columns := []column[rollupRow]{
		textColumn("technique_id", func(row rollupRow) string { return row.TechniqueID }),
		textColumn("technique_name", func(row rollupRow) string { return row.TechniqueName }),
		textColumn("sub_technique_id", func(row rollupRow) string { return row.SubTechniqueID }),
		textColumn("sub_technique_name", func(row rollupRow) string { return row.SubTechniqueName }),
		textColumn("tactic", func(row rollupRow) string { return row.Tactic }),
		textColumn("tactics", func(row rollupRow) string { return joinTactics(row.Tactics, ":", ";") }),
		textColumn("releases", func(row rollupRow) string { return strings.Join(row.Releases, ";") }),
		countColumn("count", func(row rollupRow) int64 { return row.Count }),
		textColumn("first_seen", func(row rollupRow) string { return row.FirstSeen.Format(time.RFC3339Nano) }),
		textColumn("last_seen", func(row rollupRow) string { return row.LastSeen.Format(time.RFC3339Nano) }),
		textColumn("confidence_max", func(row rollupRow) string { return strconv.FormatFloat(row.ConfidenceMax, 'f', -1, 64) }),
		textColumn("mitre_url", func(row rollupRow) string { return row.MitreURL }),
		textColumn("names_from", func(row rollupRow) string { return row.NamesFrom }),
	}
	if r.campaign {
		columns = append(columns, countColumn("identity_count", func(row rollupRow) int64 { return row.IdentityCount }))
	}
	if r.asOf {
		columns = append(columns,
			textColumn("verdict", func(row rollupRow) string { return string(row.Verdict) }),
			textColumn("origins", func(row rollupRow) string { return joinOrigins(row.Origins, ":", ";") }))
	}
	if r.distinct {
		columns = append(columns,
			countColumn("sources", func(row rollupRow) int64 { return row.distinct().Sources }),
			countColumn("attackers", func(row rollupRow) int64 { return row.distinct().Attackers }),
			countColumn("identities", func(row rollupRow) int64 { return row.distinct().Identities }))
	}
	return columns
}

func (r rollup) columns() []column[rollupRow] {
	columns := []column[rollupRow]{
		textColumn("TECHNIQUE", func(row rollupRow) string { return row.TechniqueID }),
		textColumn("NAME", func(row rollupRow) string { return row.TechniqueName }),
		textColumn("SUB-TECHNIQUE", func(row rollupRow) string { return row.SubTechniqueID }),
		textColumn("SUB-TECHNIQUE NAME", func(row rollupRow) string { return row.SubTechniqueName }),
		textColumn("TACTICS", func(row rollupRow) string { return joinTactics(row.Tactics, " ", ", ") }),
		countColumn("COUNT", func(row rollupRow) int64 { return row.Count }),
		timeColumn("FIRST SEEN", func(row rollupRow) time.Time { return row.FirstSeen }),
		timeColumn("LAST SEEN", func(row rollupRow) time.Time { return row.LastSeen }),
		confidenceColumn("CONFIDENCE", func(row rollupRow) float64 { return row.ConfidenceMax }),
		textColumn("NAMES FROM", func(row rollupRow) string { return row.NamesFrom }),
	}
	if r.asOf {
		columns = append(columns,
			textColumn("VERDICT", func(row rollupRow) string { return string(row.Verdict) }),
			textColumn("TAGGED AS", func(row rollupRow) string { return joinOrigins(changed(row.Origins), " ", ", ") }))
	}
	if r.distinct {
		columns = append(columns,
			countColumn("SOURCES", func(row rollupRow) int64 { return row.distinct().Sources }),
			countColumn("ATTACKERS", func(row rollupRow) int64 { return row.distinct().Attackers }))
	}
	switch { // both counts are equal for a campaign
	case r.campaign:
		columns = append(columns, countColumn("IDENTITIES", func(row rollupRow) int64 { return row.IdentityCount }))
	case r.distinct:
		columns = append(columns, countColumn("IDENTITIES", func(row rollupRow) int64 { return row.distinct().Identities }))
	}
	return columns
}

// distinct returns the distinct counts, zero if they were not requested.
func (row rollupRow) distinct() ttp.DistinctCounts {
	if row.Distinct == nil {
		return ttp.DistinctCounts{}
	}
	return *row.Distinct
}

// changed returns the origins that the release of --as-of changes.
func changed(origins []matrix.Origin) []matrix.Origin {
	return slices.DeleteFunc(slices.Clone(origins), func(o matrix.Origin) bool { return o.Verdict == attack.Unchanged })
}

// joinOrigins formats the techniques, tactics and releases of a row's tags.
func joinOrigins(origins []matrix.Origin, inner, outer string) string {
	parts := make([]string, len(origins))
	for i, o := range origins {
		parts[i] = strings.Join([]string{o.Technique, o.Tactic, o.Release, strconv.FormatInt(o.Count, 10)}, inner)
	}
	return strings.Join(parts, outer)
}

func joinTactics(tactics []ttp.TacticCount, inner, outer string) string {
	parts := make([]string, len(tactics))
	for i, t := range tactics {
		parts[i] = t.Tactic + inner + strconv.FormatInt(t.Count, 10)
	}
	return strings.Join(parts, outer)
}
