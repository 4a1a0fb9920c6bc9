package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/attack/builtin"
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
	filter  *filterFlags
}

func newNavigatorCommand() *cobra.Command {
	opts := navigatorOptions{score: navigator.Count, out: "-"}
	scores := choice[navigator.Score]{&opts.score, []navigator.Score{
		navigator.Count, navigator.Sources, navigator.Attackers, navigator.Identities, navigator.Confidence,
	}}
	cmd := &cobra.Command{
		Use:   "navigator [SCOPE]",
		Short: "Write a layer for the ATT&CK Navigator",
		Long: `Write a layer for the ATT&CK Navigator, in format 4.5, for each release that the
tags of a scope name, by default of the fleet. Several layers go into one file,
as a list. With --against, the layers show what only one of two scopes has, and
what both have.
` + scopeHelp,
		Example: `  ttpstore navigator fleet --since 7d --out week.json
  ttpstore navigator session 66ffcc176598 --against fleet --out session.json`,
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
				if opts.scope = scopes[0]; len(scopes) > 1 {
					opts.against = &scopes[1]
				}
				return opts.run(ctx, cmd, store)
			})
		},
	}
	cmd.Flags().Func("against", "compare with this `scope`, such as fleet or \"session 66ffcc176598\"", setAnyScope(&opts.args[1]))
	cmd.Flags().Var(scores, "score", "score by `"+alternatives(scores.of)+"`")
	cmd.Flags().StringVar(&opts.out, "out", "-", "write this `file`, or standard output for -")
	must(cmd.RegisterFlagCompletionFunc("score", scores.complete))
	must(cmd.RegisterFlagCompletionFunc("against", cobra.NoFileCompletions))
	opts.filter = addFilter(cmd)
	exclusive(cmd, "against", "score")
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
	var reads []ttp.RollupOption
	switch o.score {
	case navigator.Sources, navigator.Attackers, navigator.Identities:
		reads = append(reads, ttp.CountDistinct())
	}
	here, err := readCells(ctx, store, o.scope, o.filter.filter(), reads...)
	if err != nil {
		return nil, nil, err
	}
	var there []matrix.Cell
	if o.against != nil {
		if there, err = readCells(ctx, store, *o.against, o.filter.filter()); err != nil {
			return nil, nil, err
		}
	}
	both, err := matrix.ByRelease(uniqueCells(here, there), builtin.Catalogue())
	if err == nil && len(both) == 0 {
		err = errNoTags
	}
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

func (o *navigatorOptions) layer(r *attack.Release, here, there []matrix.Cell) (navigator.Layer, error) {
	options := navigator.Options{Name: o.scope.String(), Score: o.score, Metadata: layerMetadata(o.filter.filter())}
	m, err := matrix.Arrange(ofRelease(here, r), r)
	if err != nil {
		return navigator.Layer{}, err
	}
	if o.against == nil {
		return navigator.New(m, options)
	}
	other, err := matrix.Arrange(ofRelease(there, r), r)
	if err != nil {
		return navigator.Layer{}, err
	}
	options.Name += " against " + o.against.String()
	return navigator.Diff(m, other, navigator.DiffOptions{Options: options, Here: o.scope.String(), There: o.against.String()})
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

// ofRelease returns the cells of a release.
func ofRelease(cells []matrix.Cell, r *attack.Release) []matrix.Cell {
	var of []matrix.Cell
	for _, cell := range cells {
		if cell.Release == r.Name {
			of = append(of, cell)
		}
	}
	return of
}

// layerMetadata lists the window and the filters.
func layerMetadata(f ttp.Filter) []navigator.Metadata {
	var metadata []navigator.Metadata
	if !f.Since.IsZero() {
		metadata = append(metadata, navigator.Metadata{Name: "Since", Value: f.Since.Format(time.RFC3339)})
	}
	if !f.Until.IsZero() {
		metadata = append(metadata, navigator.Metadata{Name: "Until", Value: f.Until.Format(time.RFC3339)})
	}
	for _, filter := range describe(f) {
		metadata = append(metadata, navigator.Metadata{Name: filter.Name, Value: filter.Value})
	}
	return metadata
}
