package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newRollupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollup",
		Short: "Sum up the tags of a scope by technique",
		Long: `Sum up the tags of an identity, an attacker, a campaign, a session or the whole fleet by technique and
sub-technique, the most frequent first. An id that nothing is stored for has no tags, which is no error.

"rollup attackers" and "rollup identities" do so for each of them in one pass; their JSON is JSON Lines,
one object each.`,
		Example: `  ttpstore rollup fleet --since 7d
  ttpstore rollup session 761201169d5f --json
  ttpstore rollup campaign 27b9630e-70f3-513e-b7aa-1f4f8ca1f251 --format csv --distinct
  ttpstore rollup attackers --technique T1110 --sub-techniques`,
	}
	format := addFormat(cmd)
	cmd.AddCommand(
		newScopeRollupCommand(format, "identity ID", "The tags of an identity and of those merged into it"),
		newScopeRollupCommand(format, "attacker ID", "The tags that name an attacker"),
		newScopeRollupCommand(format, "campaign ID", "The tags of all identities of a campaign, and how many show each"),
		newScopeRollupCommand(format, "session ID", "The tags of one login session"),
		newScopeRollupCommand(format, "fleet", "All tags"),
		newSweepCommand(format, "attackers", "The tags of every attacker, one after another", "ATTACKER", (*ttp.Store).AttackerRollups),
		newSweepCommand(format, "identities", "The tags of every identity, one after another", "IDENTITY", (*ttp.Store).IdentityRollups),
	)
	for _, sub := range cmd.Commands() {
		exclusive(sub, "format", "json")
	}
	return cmd
}

func newScopeRollupCommand(format *format, use, short string) *cobra.Command {
	var scope [1]ttp.Scope
	var filter *filterFlags
	var distinct bool
	cmd := &cobra.Command{
		Use:               use,
		Short:             short,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args: func(cmd *cobra.Command, args []string) error {
			return takeScopes(scope[:])(cmd, append([]string{cmd.Name()}, args...))
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			options := []ttp.RollupOption{ttp.Where(filter.filter())}
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
	cmd.Flags().BoolVar(&distinct, "distinct", false, "also count the sources, attackers and identities of each technique; reads more")
	filter = addFilter(cmd)
	return cmd
}

// rollup is the rows of any scope.
type rollup struct {
	json               any // the rows as the store gave them
	rows               []rollupRow
	campaign, distinct bool // the rows count identities, or all that is distinct
}

type rollupRow struct {
	ttp.TechniqueRollupRow
	scope ttp.Scope // of a sweep's row
}

func newRollup(kind ttp.ScopeKind, rows []ttp.TechniqueRollupRow) rollup {
	r := rollup{json: rows, campaign: kind == ttp.CampaignScope}
	for _, row := range rows {
		r.rows = append(r.rows, rollupRow{TechniqueRollupRow: row})
	}
	return r
}

// print writes the rows, and for a person a note that there are none.
func (r rollup) print(cmd *cobra.Command, f format, none string) error {
	switch f {
	case jsonFormat:
		return printJSON(cmd, r.json)
	case csvFormat:
		return streamCSV(cmd, r.csvColumns(), stream(r.rows))
	}
	return printTable(cmd, r.columns(), r.rows, none)
}

// csvColumns have the keys of the JSON rows as their names.
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
	}
	if r.campaign {
		columns = append(columns, countColumn("identity_count", func(row rollupRow) int64 { return row.IdentityCount }))
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
	}
	if r.distinct {
		columns = append(columns,
			countColumn("SOURCES", func(row rollupRow) int64 { return row.distinct().Sources }),
			countColumn("ATTACKERS", func(row rollupRow) int64 { return row.distinct().Attackers }))
	}
	switch { // of a campaign, both are the same
	case r.campaign:
		columns = append(columns, countColumn("IDENTITIES", func(row rollupRow) int64 { return row.IdentityCount }))
	case r.distinct:
		columns = append(columns, countColumn("IDENTITIES", func(row rollupRow) int64 { return row.distinct().Identities }))
	}
	return columns
}

// distinct is zero where it was not asked for.
func (row rollupRow) distinct() ttp.DistinctCounts {
	if row.Distinct == nil {
		return ttp.DistinctCounts{}
	}
	return *row.Distinct
}

func joinTactics(tactics []ttp.TacticCount, inner, outer string) string {
	parts := make([]string, len(tactics))
	for i, t := range tactics {
		parts[i] = t.Tactic + inner + strconv.FormatInt(t.Count, 10)
	}
	return strings.Join(parts, outer)
}
