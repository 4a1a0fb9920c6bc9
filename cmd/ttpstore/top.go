package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// topDocument is the output of top.
type topDocument struct {
	Attackers  []whoRow                 `json:"attackers"`
	Techniques []ttp.TechniqueRollupRow `json:"techniques"`
	Deckies    []ttp.DeckyCount         `json:"deckies"`
	Newest     []tagRow                 `json:"newest"`

	all [4]int64 // of each list
}

// topRow is a row of one of the lists.
type topRow struct {
	List     string    `json:"list"`
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Count    int64     `json:"count"`
	LastSeen time.Time `json:"last_seen"`
}

func newTopCommand() *cobra.Command {
	var limit number
	var out *output
	var filter *filterFlags
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Show the busiest attackers, techniques and deckies",
		Long: `Show the busiest attackers, the most frequent techniques, the busiest deckies
and the newest tags on one screen. The command reads every matching tag.`,
		Example: `  ttpstore top --since 7d
  ttpstore top -n 10 --json`,
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				top, err := readTop(ctx, store, filter.filter(), limit.value)
				if err != nil {
					return err
				}
				err = printDocument(cmd, out, top, top.rows(), top.draw)
				if err == nil && len(top.Newest) == 0 {
					err = noteEmpty(ctx, cmd, store, ttp.Fleet(), filter.filter())
				}
				return err
			})
		},
	}
	limit = number{5, 1, math.MaxInt16}
	cmd.Flags().VarP(&limit, "limit", "n", "list at most this `number` of each")
	must(cmd.RegisterFlagCompletionFunc("limit", cobra.NoFileCompletions))
	out = addOutput(cmd)
	filter = addFilter(cmd)
	return cmd
}

func readTop(ctx context.Context, store *ttp.Store, f ttp.Filter, limit int) (*topDocument, error) {
	var top topDocument
	attackers, err := readWho(ctx, store, ttp.AttackerScope, f, nil, nil)
	if err != nil {
		return nil, err
	}
	top.all[0], top.Attackers = int64(len(attackers)), attackers[:min(limit, len(attackers))]
	if err := nameRows(ctx, store, ttp.AttackerScope, top.Attackers); err != nil {
		return nil, err
	}
	techniques, err := store.Rollup(ctx, ttp.Fleet(), ttp.Where(f))
	if err != nil {
		return nil, err
	}
	top.all[1], top.Techniques = int64(len(techniques)), techniques[:min(limit, len(techniques))]
	for _, t := range techniques {
		top.all[3] += t.Count
	}
	deckies, err := store.ListDeckies(ctx, f)
	if err != nil {
		return nil, err
	}
	top.all[2], top.Deckies = int64(len(deckies)), deckies[:min(limit, len(deckies))]
	page, err := store.ListTags(ctx, ttp.Fleet(), f, limit, "")
	if err != nil {
		return nil, err
	}
	top.Newest = []tagRow{}
	for tag, err := range namedTags(ctx, store, stream(page.Tags)) {
		if err != nil {
			return nil, err
		}
		top.Newest = append(top.Newest, tag)
	}
	return &top, nil
}

func (t *topDocument) rows() []topRow {
	var rows []topRow
	for _, a := range t.Attackers {
		rows = append(rows, topRow{"attackers", a.ID(), a.IP, a.Count, a.LastSeen})
	}
	for _, r := range t.Techniques {
		rows = append(rows, topRow{"techniques", technique(r.TechniqueID, r.SubTechniqueID, "", ""), rowTechnique(r), r.Count, r.LastSeen})
	}
	for _, d := range t.Deckies {
		rows = append(rows, topRow{"deckies", d.DeckyID, "", d.Count, d.LastSeen})
	}
	for _, tag := range t.Newest {
		rows = append(rows, topRow{"newest", tag.UUID.String(), tagTechnique(tag.Tag), 1, tag.ObservedAt})
	}
	return rows
}

func (t *topDocument) draw(d display) string {
	if len(t.Newest) == 0 {
		return ""
	}
	heading := func(i, shown int, title string) string {
		return fmt.Sprintf("%s: %d of %s\n", title, shown, count(t.all[i], [...]string{"attacker", "technique", "decky", "tag"}[i]))
	}
	deckies := []column[ttp.DeckyCount]{
		textColumn("DECKY", func(c ttp.DeckyCount) string { return c.DeckyID }),
		countColumn("COUNT", func(c ttp.DeckyCount) int64 { return c.Count }),
		dayColumn(d, "FIRST SEEN", func(c ttp.DeckyCount) time.Time { return c.FirstSeen }),
		dayColumn(d, "LAST SEEN", func(c ttp.DeckyCount) time.Time { return c.LastSeen }),
	}
	return heading(0, len(t.Attackers), "busiest") + renderTable(d, whoColumns(d, ttp.AttackerScope), t.Attackers) + "\n" +
		heading(1, len(t.Techniques), "most frequent") + renderTable(d, rollupColumns(d, false), t.Techniques) + "\n" +
		heading(2, len(t.Deckies), "busiest") + renderTable(d, deckies, t.Deckies) + "\n" +
		heading(3, len(t.Newest), "newest") + renderTable(d, tagColumns(d, ttp.Fleet()), t.Newest)
}
