package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/matrix"
	"github.com/decnet/ttpstore/navigator"
	"github.com/decnet/ttpstore/ttp"
)

type navigatorOptions struct {
	args    [2]scopeArg
	scope   ttp.Scope
	against *ttp.Scope // nil unless two scopes are compared
	score   navigator.Score
	out     string
	window  struct{ since, until time.Time } // of against; zero is the filter's
	filter  *filterFlags
	asOf    *asOf
}

func newNavigatorCommand() *cobra.Command {
	opts := navigatorOptions{score: navigator.Count, out: "-"}
	var since, until timeText
	scores := choice[navigator.Score]{&opts.score, []navigator.Score{
		navigator.Count, navigator.Sources, navigator.Attackers, navigator.Identities, navigator.Confidence,
	}}
	cmd := &cobra.Command{
		Use:   "navigator [SCOPE]",
		Short: "Write the techniques of a scope as ATT&CK Navigator layers",
		Long: `Write an ATT&CK Navigator layer, in format 4.5, for each ATT&CK release of a
scope's tags. The default scope is the fleet. With --as-of, all tags of a domain
are in one layer. Several layers are written to one file, as a JSON list.

--against compares two scopes: the layers show the techniques found in only one
of them and those found in both. --against-since and --against-until set another
window for the second scope; without --against, they compare two windows of the
same scope.

` + scopeHelp,
		Example: `  ttpstore navigator fleet --since 7d --out week.json
  ttpstore navigator fleet --as-of 18.1 --score attackers --out fleet.json
  ttpstore navigator session 66ffcc176598 --against fleet --out session.json
  ttpstore navigator fleet --since 7d --against-since 14d --against-until 7d`,
		ValidArgsFunction: completeScopes(1),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{fleet}
			}
			return takeScopes(opts.args[:1])(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			args := opts.args[:1]
			if cmd.Flag("against").Changed {
				args = opts.args[:]
			}
			return withScopes(cmd, args, func(ctx context.Context, store *ttp.Store, scopes []ttp.Scope) error {
				opts.scope = scopes[0]
				if len(scopes) > 1 || opts.hasWindow() {
					opts.against = &scopes[len(scopes)-1]
				}
				return opts.run(ctx, cmd, store)
			})
		},
	}
	cmd.Flags().Func("against", "compare with this `scope`, such as fleet or \"session 66ffcc176598\"", setAnyScope(&opts.args[1]))
	cmd.Flags().Var(&since, "against-since", "compare with tags observed at or after this `time`, in the formats of --since")
	cmd.Flags().Var(&until, "against-until", "compare with tags observed before this `time`, in the formats of --since")
	cmd.Flags().Var(scores, "score", "score techniques by this `measure`: "+alternatives(scores.of))
	cmd.Flags().StringVar(&opts.out, "out", "-", "write to this `file`, or to standard output for -")
	must(cmd.RegisterFlagCompletionFunc("score", scores.complete))
	for _, name := range []string{"against", "against-since", "against-until"} {
		must(cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions))
		exclusive(cmd, name, "score")
	}
	resolveTimes(cmd, bound{&since, &opts.window.since}, bound{&until, &opts.window.until})
	opts.filter, opts.asOf = addFilter(cmd), addAsOf(cmd)
	return cmd
}

func (o *navigatorOptions) run(ctx context.Context, cmd *cobra.Command, store *ttp.Store) error {
	layers, releases, err := o.layers(ctx, store)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := navigator.Write(&file, layers...); err != nil {
		return err
	}
	if err := navigator.Validate(file.Bytes(), releases...); err != nil {
		return err
	}
	return writeTo(cmd, o.out, func(w io.Writer) error {
		_, err := file.WriteTo(w)
		return err
	})
}

// layers returns a layer for each release, and the releases.
func (o *navigatorOptions) layers(ctx context.Context, store *ttp.Store) ([]navigator.Layer, []*attack.Release, error) {
	catalogue, err := store.Catalogue(ctx)
	if err != nil {
		return nil, nil, err
	}
	here, err := o.cells(ctx, store, o.scope, o.filter.filter())
	if err != nil {
		return nil, nil, err
	}
	var there []matrix.Cell
	if o.against != nil {
		if there, err = o.cells(ctx, store, *o.against, o.other()); err != nil {
			return nil, nil, err
		}
	}
	if len(here)+len(there) == 0 {
		return nil, nil, noTags(catalogue, o.filter.filter())
	}
	both, err := o.asOf.arrange(catalogue, uniqueCells(here, there))
	var layers []navigator.Layer
	var releases []*attack.Release
	for _, m := range both {
		layer, failure := o.layer(m.Release, here, there)
		if err = errors.Join(err, failure); err != nil {
			return nil, nil, err
		}
		layers, releases = append(layers, layer), append(releases, m.Release)
	}
	return layers, releases, err
}

// cells reads the cells of a scope's layers.
func (o *navigatorOptions) cells(ctx context.Context, store *ttp.Store, scope ttp.Scope, f ttp.Filter) ([]matrix.Cell, error) {
	options := o.asOf.options(ttp.Where(f), ttp.WithRules())
	switch o.score {
	case navigator.Sources, navigator.Attackers, navigator.Identities:
		options = append(options, ttp.CountDistinct())
	}
	return store.Cells(ctx, scope, options...)
}

func (o *navigatorOptions) layer(r *attack.Release, here, there []matrix.Cell) (navigator.Layer, error) {
	options := navigator.Options{Name: o.scope.String(), Score: o.score, Metadata: o.metadata()}
	m, err := matrix.Arrange(o.asOf.of(here, r), r)
	if err != nil {
		return navigator.Layer{}, err
	}
	if o.against == nil {
		return navigator.New(m, options)
	}
	other, err := matrix.Arrange(o.asOf.of(there, r), r)
	if err != nil {
		return navigator.Layer{}, err
	}
	hereName, thereName := o.names()
	options.Name = hereName + " against " + thereName
	return navigator.Diff(m, other, navigator.DiffOptions{Options: options, Here: hereName, There: thereName})
}

// hasWindow reports whether the other side of a comparison has a window of its own.
func (o *navigatorOptions) hasWindow() bool {
	return !o.window.since.IsZero() || !o.window.until.IsZero()
}

// other returns the filter of the scope that is compared with.
func (o *navigatorOptions) other() ttp.Filter {
	f := o.filter.filter()
	if o.hasWindow() {
		f.Since, f.Until = o.window.since, o.window.until
	}
	return f
}

// names returns the names of both sides of a comparison: their scopes, with the windows if they differ.
func (o *navigatorOptions) names() (here, there string) {
	here, there = o.scope.String(), o.against.String()
	f, other := o.filter.filter(), o.other()
	if f.Since.Equal(other.Since) && f.Until.Equal(other.Until) {
		return here, there
	}
	return here + windowName(f), there + windowName(other)
}

// windowName describes the window of a filter.
func windowName(f ttp.Filter) string {
	var name string
	if !f.Since.IsZero() {
		name += " since " + f.Since.Format(time.RFC3339)
	}
	if !f.Until.IsZero() {
		name += " until " + f.Until.Format(time.RFC3339)
	}
	return name
}

// uniqueCells returns the cells of both, those of the same release, technique and tactic once.
func uniqueCells(here, there []matrix.Cell) []matrix.Cell {
	type key struct {
		release string
		attack.Pair
	}
	known := map[key]bool{}
	var cells []matrix.Cell
	for _, of := range [][]matrix.Cell{here, there} {
		for _, cell := range of {
			if k := (key{cell.Release, cell.Pair}); !known[k] {
				known[k] = true
				cells = append(cells, cell)
			}
		}
	}
	return cells
}

// metadata lists the window and the filters.
func (o *navigatorOptions) metadata() []navigator.Metadata {
	f := o.filter.filter()
	var metadata []navigator.Metadata
	if !f.Since.IsZero() {
		metadata = append(metadata, navigator.Metadata{Name: "Since", Value: f.Since.Format(time.RFC3339)})
	}
	if !f.Until.IsZero() {
		metadata = append(metadata, navigator.Metadata{Name: "Until", Value: f.Until.Format(time.RFC3339)})
	}
	for _, filter := range append(describe(f), o.asOf.filters()...) {
		metadata = append(metadata, navigator.Metadata{Name: filter.Name, Value: filter.Value})
	}
	return metadata
}
