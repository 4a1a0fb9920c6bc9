package main

import (
	"cmp"
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/ttp"
)

// change describes how an update changes the stored tags of a technique, tactic and release.
type change struct {
	Release string `json:"release"` // of the tags
	Count   int64  `json:"count"`
	attack.Mapping
}

func newAttackDiffCommand() *cobra.Command {
	var remapping *attack.Remapping
	var out *output
	cmd := &cobra.Command{
		Use:   "diff FROM TO",
		Short: "List how a change of release affects the stored tags",
		Long: `List the techniques and tactics of stored tags that differ between the releases
FROM and TO. Each row has the number of tags and a verdict:

    renamed       same ids, but the technique or tactic has another name
    moved         the technique has another tactic
    replaced      another technique takes its place
    deprecated    the technique is deprecated and has no successor
    gone          TO does not have the technique, and it has no successor
    unknown       no release from FROM to TO has the technique and tactic

The command reads the tags of all releases of the domain and does not change
them.`,
		Example: `  ttpstore attack diff 15.1 18.1
  ttpstore attack diff mobile-v15.1 mobile-v18.1 --json`,
		ValidArgsFunction: completeRelease,
		Args: func(cmd *cobra.Command, args []string) (err error) {
			if err = arguments("FROM", "TO")(cmd, args); err == nil {
				remapping, err = catalogue(cmd).Remap(fullRelease(args[0]), fullRelease(args[1]))
			}
			return err
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				changes, err := readChanges(ctx, store, remapping)
				if err != nil {
					return err
				}
				return printList(cmd, out, changeColumns(remapping), stream(changes), "no stored tags are affected")
			})
		},
	}
	out = addOutput(cmd)
	return cmd
}

// readChanges maps all cells of the domain.
func readChanges(ctx context.Context, store *ttp.Store, r *attack.Remapping) ([]change, error) {
	cells, err := store.Cells(ctx, ttp.Fleet(), ttp.Where(ttp.Filter{Domain: r.Source().Domain}))
	changes := []change{}
	for _, cell := range cells {
		if mapping := r.Map(cell.Pair); mapping.Verdict != attack.Unchanged {
			changes = append(changes, change{cell.Release, cell.Count, mapping})
		}
	}
	return changes, err
}

func changeColumns(r *attack.Remapping) []column[change] {
	name := func(release *attack.Release, p attack.Pair) string {
		technique, _ := release.Technique(p.Technique)
		return technique.Name
	}
	pair := func(release *attack.Release, p attack.Pair) string {
		return technique(p.Technique, "", name(release, p), "")
	}
	return []column[change]{
		textColumn("TECHNIQUE", func(c change) string { return pair(r.Source(), c.From) }),
		textColumn("TACTIC", func(c change) string { return c.From.Tactic }),
		countColumn("COUNT", func(c change) int64 { return c.Count }),
		textColumn("VERDICT", func(c change) string { return string(c.Verdict) }),
		textColumn("TO", func(c change) string { return cmp.Or(pair(r.Target(), c.To), strings.Join(c.Via, ", ")) }),
		textColumn("TO TACTIC", func(c change) string { return c.To.Tactic }),
		textColumn("RELEASE", func(c change) string { return c.Release }),
	}
}
