package main

import (
	"bytes"
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/stix"
	"github.com/decnet/ttpstore/ttp"
)

func newSTIXCommand() *cobra.Command {
	var scope [1]scopeArg
	var out string
	var filter *filterFlags
	var release *asOf
	cmd := &cobra.Command{
		Use:   "stix SCOPE",
		Short: "Write the techniques of a scope as STIX 2.1 sightings",
		Long: `Write a STIX 2.1 bundle with a sighting for each technique, tactic and ATT&CK
release of a scope's tags. The sightings refer to the official ATT&CK objects,
which the bundle does not contain. The same tags give the same bytes.

` + scopeHelp,
		Example: `  ttpstore stix fleet --since 7d --out week.json
  ttpstore stix campaign "Copper Heron" | jq '.objects[].type'`,
		Args:              takeScopes(scope[:]),
		ValidArgsFunction: completeScopes(1),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withScope(cmd, scope[0], func(ctx context.Context, store *ttp.Store, scope ttp.Scope) error {
				return writeSTIX(ctx, cmd, store, scope, filter.filter(), *release, out)
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "-", "write to this `file`, or to standard output for -")
	filter, release = addFilter(cmd), addAsOf(cmd)
	return cmd
}

func writeSTIX(ctx context.Context, cmd *cobra.Command, store *ttp.Store, scope ttp.Scope, f ttp.Filter, as asOf, out string) error {
	cells, err := store.Cells(ctx, scope, as.options(ttp.Where(f))...)
	if err != nil {
		return err
	}
	catalogue, err := store.Catalogue(ctx)
	if err != nil {
		return err
	}
	subject := []string{scope.String()}
	for _, filter := range append(describe(f), as.filters()...) {
		subject = append(subject, strings.ToLower(filter.Name)+" "+filter.Value)
	}
	var bundle bytes.Buffer
	left, err := stix.Write(&bundle, cells, catalogue, stix.Options{Subject: strings.Join(subject, ", ")})
	if err == nil && len(left) == len(cells) {
		err = noTags(catalogue, f)
	}
	if err != nil {
		return err
	}
	err = writeTo(cmd, out, func(w io.Writer) error {
		_, err := bundle.WriteTo(w)
		return err
	})
	for _, cell := range left {
		notef(cmd.ErrOrStderr(), "omitted: ATT&CK has no object for %s of %s\n", cell.Technique, cell.Release)
	}
	return err
}
