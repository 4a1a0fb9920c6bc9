package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// ipKind groups attackers by IP.
const ipKind ttp.ScopeKind = "ip"

// whoKinds returns the kinds that who lists.
func whoKinds() []ttp.ScopeKind { return append(scopeKinds(), ipKind) }

// whoRow is a scope with the number of its tags.
type whoRow struct {
	ttp.ScopeCount
	scopeName
	Techniques []ttp.TechniqueRollupRow `json:"techniques,omitempty"` // with --techniques
}

func newWhoCommand() *cobra.Command {
	var kind ttp.ScopeKind
	var limit number
	var allOf, anyOf techniqueList
	var techniques bool
	var out *output
	var filter *filterFlags
	cmd := &cobra.Command{
		Use:   "who identity|attacker|campaign|session|ip",
		Short: "List the scopes with the most tags",
		Long: `List identities, attackers, campaigns, sessions or IPs by their number of
matching tags, highest first. With --all-of or --any-of, list only those with
tags of all or any of several techniques, and count only these tags.`,
		Example: `  ttpstore who identity --technique T1110 --sub-techniques
  ttpstore who identity --all-of T1110.001,T1105
  ttpstore who attacker --techniques -n 5
  ttpstore who session --since 24h --tactic TA0010 --limit 5`,
		Args: func(_ *cobra.Command, args []string) error {
			rest, err := takeKind(&kind, whoKinds(), args)
			switch {
			case err == nil && len(rest) > 0:
				err = fmt.Errorf("unexpected argument %q", rest[0])
			case err == nil && techniques && kind == ipKind:
				err = errors.New("--techniques cannot be used with ip: use \"who attacker\"")
			}
			return err
		},
		ValidArgsFunction: completeScopeOf(whoKinds(), 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				counts, err := readWho(ctx, store, kind, filter.filter(), allOf, anyOf)
				if err != nil {
					return err
				}
				all := len(counts)
				if limit.value > 0 {
					counts = counts[:min(limit.value, all)]
				}
				if kind != ipKind {
					err = nameRows(ctx, store, kind, counts)
				}
				if err == nil && techniques {
					err = addTechniques(ctx, store, counts, filter.filter())
				}
				if err == nil {
					err = printFound(ctx, cmd, store, out, whoColumns(out.display(cmd), kind), stream(counts), ttp.Fleet(), filter.filter())
				}
				if err == nil {
					noteCut(cmd, len(counts), all, "")
				}
				return err
			})
		},
	}
	addLimit(cmd, &limit, 20, ttp.MaxPage)
	cmd.Flags().Var(&allOf, "all-of", "only rows with tags of all of these `techniques`, separated by commas")
	cmd.Flags().Var(&anyOf, "any-of", "only rows with tags of any of these `techniques`, separated by commas")
	cmd.Flags().BoolVar(&techniques, "techniques", false, "also list the techniques of each row")
	completeFlag(cmd, "all-of", seenTechniques)
	completeFlag(cmd, "any-of", seenTechniques)
	out = addOutput(cmd)
	filter = addFilter(cmd)
	resolveTechniques(cmd, filter, "all-of", &allOf)
	resolveTechniques(cmd, filter, "any-of", &anyOf)
	exclusive(cmd, "all-of", "any-of", "technique")
	return cmd
}

// readWho counts the tags of the scopes of a kind.
func readWho(ctx context.Context, store *ttp.Store, kind ttp.ScopeKind, f ttp.Filter, allOf, anyOf techniqueList) ([]whoRow, error) {
	of := kind
	if kind == ipKind {
		of = ttp.AttackerScope
	}
	var counts []ttp.ScopeCount
	var err error
	switch {
	case len(allOf) > 0:
		counts, err = store.WhoAllOf(ctx, of, f, allOf, 0)
	case len(anyOf) > 0:
		counts, err = store.WhoAnyOf(ctx, of, f, anyOf, 0)
	default:
		counts, err = store.Who(ctx, of, f, 0)
	}
	rows := make([]whoRow, len(counts))
	for i, c := range counts {
		rows[i].ScopeCount = c
	}
	if err != nil || kind != ipKind {
		return rows, err
	}
	return byIP(ctx, store, rows)
}

// nameRows adds the names of the scopes.
func nameRows(ctx context.Context, store *ttp.Store, kind ttp.ScopeKind, rows []whoRow) error {
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.UUID
	}
	names, err := nameScopes(ctx, store, kind, ids)
	for i := range rows {
		rows[i].scopeName = names[rows[i].UUID]
	}
	return err
}

// addTechniques adds the techniques of each scope's tags that match f.
func addTechniques(ctx context.Context, store *ttp.Store, rows []whoRow, f ttp.Filter) (err error) {
	for i := range rows {
		if rows[i].Techniques, err = store.Rollup(ctx, rows[i].Scope, ttp.Where(f)); err != nil {
			return err
		}
	}
	return nil
}

// counted formats techniques with counts.
func counted(techniques []ttp.TechniqueRollupRow) string {
	parts := make([]string, len(techniques))
	for i, t := range techniques {
		parts[i] = fmt.Sprintf("%s %d", cmp.Or(t.SubTechniqueID, t.TechniqueID), t.Count)
	}
	return strings.Join(parts, ", ")
}

// byIP sums the rows of attackers by IP. Attackers without an IP are omitted.
func byIP(ctx context.Context, store *ttp.Store, rows []whoRow) ([]whoRow, error) {
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.UUID
	}
	attackers, err := store.GetAttackers(ctx, ids...)
	sums := map[netip.Addr]*whoRow{}
	for _, row := range rows {
		ip := attackers[row.UUID].IP
		if !ip.IsValid() {
			continue
		}
		sum := sums[ip]
		if sum == nil {
			of := ttp.ScopeCount{Scope: ttp.Scope{Kind: ipKind}, FirstSeen: row.FirstSeen, LastSeen: row.LastSeen}
			sum = &whoRow{ScopeCount: of, scopeName: scopeName{IP: ip.String()}}
			sums[ip] = sum
		}
		sum.Attackers++
		sum.Count += row.Count
		if row.FirstSeen.Before(sum.FirstSeen) {
			sum.FirstSeen = row.FirstSeen
		}
		if row.LastSeen.After(sum.LastSeen) {
			sum.LastSeen = row.LastSeen
		}
	}
	out := []whoRow{}
	for _, sum := range sums {
		out = append(out, *sum)
	}
	slices.SortFunc(out, func(a, b whoRow) int {
		if a.Count != b.Count {
			return int(b.Count - a.Count)
		}
		return strings.Compare(a.IP, b.IP)
	})
	return out, err
}

func whoColumns(d display, kind ttp.ScopeKind) []column[whoRow] {
	var columns []column[whoRow]
	switch kind {
	case ttp.SessionScope:
		columns = append(columns, column[whoRow]{name: "SESSION", uncut: true, text: func(r whoRow) string { return r.SessionID }})
	default:
		columns = append(columns, idColumn(d, strings.ToUpper(string(kind)), func(r whoRow) uuid.UUID { return r.UUID }))
	}
	return append(columns,
		textColumn("NAME", func(r whoRow) string { return r.Name }),
		textColumn("IP", func(r whoRow) string { return r.ip() }),
		optionalColumn("ATTACKERS", func(r whoRow) int { return r.Attackers }),
		countColumn("COUNT", func(r whoRow) int64 { return r.Count }),
		dayColumn(d, "FIRST SEEN", func(r whoRow) time.Time { return r.FirstSeen }),
		dayColumn(d, "LAST SEEN", func(r whoRow) time.Time { return r.LastSeen }),
		textColumn("TECHNIQUES", func(r whoRow) string { return counted(r.Techniques) }))
}
