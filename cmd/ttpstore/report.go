package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/report"
	"github.com/decnet/ttpstore/ttp"
)

// busiest is the number of actors in a report.
const busiest = 10

func newReportCommand() *cobra.Command {
	var scope [1]scopeArg
	var out string
	var filter *filterFlags
	var release *asOf
	cmd := &cobra.Command{
		Use:   "report SCOPE --out FILE",
		Short: "Write the techniques of a scope as an HTML report",
		Long: `Write a self-contained HTML page with the ATT&CK matrix as a heat map, a
timeline by day, the coverage of each tactic and the busiest attackers. With
--since, the report also lists the techniques that are new compared with the
preceding window of the same length.

` + scopeHelp,
		Example: `  ttpstore report fleet --since 7d --out week.html
  ttpstore report campaign "Copper Heron" --as-of 18.1 --out heron.html`,
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     completeScopes(1),
		Args: func(cmd *cobra.Command, args []string) error {
			if err := takeScopes(scope[:])(cmd, args); err != nil {
				return err
			}
			if out == "" {
				return errors.New("missing flag --out")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withScope(cmd, scope[0], func(ctx context.Context, store *ttp.Store, scope ttp.Scope) error {
				page, err := readPage(ctx, store, scope, filter.filter(), *release)
				if err != nil {
					return err
				}
				var file bytes.Buffer
				if err := report.Write(&file, page); err != nil {
					return err
				}
				return writeTo(cmd, out, func(w io.Writer) error {
					_, err := file.WriteTo(w)
					return err
				})
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write to this `file`, or to standard output for -; required")
	filter, release = addFilter(cmd), addAsOf(cmd)
	return cmd
}

func readPage(ctx context.Context, store *ttp.Store, scope ttp.Scope, f ttp.Filter, as asOf) (report.Page, error) {
	page := report.Page{
		Subject: scope.String(), Filters: append(describe(f), as.filters()...), Since: f.Since, Until: f.Until, Made: time.Now(),
	}
	cells, err := store.Cells(ctx, scope, as.options(ttp.Where(f), ttp.WithRules())...)
	if err != nil {
		return page, err
	}
	catalogue, err := store.Catalogue(ctx)
	if err != nil {
		return page, err
	}
	if len(cells) == 0 {
		return page, noTags(catalogue, f)
	}
	if page.Matrices, err = as.arrange(catalogue, cells); err != nil {
		return page, err
	}
	timeline, err := store.Timeline(ctx, scope, f, ttp.Day, ttp.ByTactic)
	if err != nil {
		return page, err
	}
	page.Timeline = report.Timeline{Start: timeline.Start, Bucket: timeline.Bucket, Counts: timeline.Counts}
	if page.Actors, err = readActors(ctx, store, scope, f); err != nil {
		return page, err
	}
	if !f.Since.IsZero() {
		page.Before, err = readBefore(ctx, store, scope, f, as, page.Made)
	}
	return page, err
}

func readActors(ctx context.Context, store *ttp.Store, scope ttp.Scope, f ttp.Filter) ([]report.Actor, error) {
	counts, err := store.WhoIn(ctx, scope, ttp.AttackerScope, f, busiest)
	var actors []report.Actor
	for _, c := range counts {
		actors = append(actors, report.Actor{
			Kind: string(c.Kind), ID: c.ID(), Count: c.Count, FirstSeen: c.FirstSeen, LastSeen: c.LastSeen,
		})
	}
	return actors, err
}

// readBefore reads the preceding window of the same length. A window that begins in the future has no such window.
func readBefore(ctx context.Context, store *ttp.Store, scope ttp.Scope, f ttp.Filter, as asOf, now time.Time) (*report.Before, error) {
	until := f.Until
	if until.IsZero() {
		until = now
	}
	if !until.After(f.Since) {
		return nil, nil
	}
	f.Since, f.Until = f.Since.Add(-until.Sub(f.Since)), f.Since
	cells, err := store.Cells(ctx, scope, as.options(ttp.Where(f))...)
	return &report.Before{Since: f.Since, Until: f.Until, Cells: cells}, err
}
