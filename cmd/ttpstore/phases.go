package main

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newPhasesCommand() *cobra.Command {
	var identity [1]scopeArg
	var out *output
	var filter *filterFlags
	cmd := &cobra.Command{
		Use:   "phases ID",
		Short: "List the tactics of an identity on each decky",
		Long: `List the number of tags of an identity, and the times of the first and last one,
for each decky and tactic, in the order of the first tag. Tags of the identities
merged into it are included; tags without a decky are not.

` + idHelp,
		Example: `  ttpstore phases e1292c78
  ttpstore phases 192.0.2.17 --decky decky-ssh-01 --json`,
		Args:              takeNamed(ttp.IdentityScope, identity[:], "ID"),
		ValidArgsFunction: completeNames(ttp.IdentityScope),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withScope(cmd, identity[0], func(ctx context.Context, store *ttp.Store, scope ttp.Scope) error {
				seen, err := store.ListPhases(ctx, scope.UUID, filter.filter())
				if err != nil {
					return err
				}
				columns := phaseColumns(out.display(cmd))
				return printFound(ctx, cmd, store, out, columns, stream(phases(seen)), scope, filter.filter())
			})
		},
	}
	out = addOutput(cmd)
	filter = addFilter(cmd)
	return cmd
}

// phase summarizes the tags of a decky and a tactic.
type phase struct {
	DeckyID    string    `json:"decky_id"`
	Tactic     string    `json:"tactic"`
	TacticName string    `json:"tactic_name,omitempty"` // in the newest release of its last tags
	FirstSeen  time.Time `json:"first_seen"`
	LastSeen   time.Time `json:"last_seen"`
	Count      int64     `json:"count"` // of tags
}

// phases combines phases that are in order of time.
func phases(seen []ttp.Phase) []phase {
	type key struct{ decky, tactic string }
	sums := map[key]*phase{}
	for _, p := range seen {
		k := key{p.DeckyID, p.Tactic}
		if sums[k] == nil {
			sums[k] = &phase{DeckyID: p.DeckyID, Tactic: p.Tactic, FirstSeen: p.ObservedAt}
		}
		sums[k].LastSeen, sums[k].TacticName = p.ObservedAt, p.TacticName
		sums[k].Count += p.Count
	}
	out := []phase{}
	for _, p := range sums {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b phase) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), strings.Compare(a.DeckyID, b.DeckyID), strings.Compare(a.Tactic, b.Tactic))
	})
	return out
}

func phaseColumns(d display) []column[phase] {
	return []column[phase]{
		textColumn("DECKY", func(p phase) string { return p.DeckyID }),
		textColumn("TACTIC", func(p phase) string { return strings.TrimSpace(p.Tactic + " " + p.TacticName) }),
		timeColumn(d, "FIRST SEEN", func(p phase) time.Time { return p.FirstSeen }),
		timeColumn(d, "LAST SEEN", func(p phase) time.Time { return p.LastSeen }),
		countColumn("COUNT", func(p phase) int64 { return p.Count }),
	}
}
