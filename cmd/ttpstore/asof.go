package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/matrix"
	"github.com/decnet/ttpstore/report"
	"github.com/decnet/ttpstore/ttp"
)

// asOf is the value of --as-of: the full name of a release, or "".
type asOf string

// addAsOf adds --as-of and checks, before the command runs, that the release exists.
func addAsOf(cmd *cobra.Command) *asOf {
	var release asOf
	cmd.Flags().Func("as-of", "map techniques of all tags to this ATT&CK `release`, such as enterprise-v18.1", func(s string) error {
		release = asOf(fullRelease(s))
		return setText(&s)(s)
	})
	must(cmd.RegisterFlagCompletionFunc("as-of", completeRelease))
	args := cmd.Args
	cmd.Args = func(cmd *cobra.Command, values []string) error {
		if release != "" {
			if _, err := findRelease(cmd, string(release)); err != nil {
				return err
			}
		}
		return args(cmd, values)
	}
	return &release
}

// options returns the rollup option of the flag, if it is given.
func (a asOf) options(more ...ttp.RollupOption) []ttp.RollupOption {
	if a == "" {
		return more
	}
	return append(more, ttp.AsOf(string(a)))
}

// columns returns the columns that the flag adds to a rollup.
func (a asOf) columns() []column[ttp.TechniqueRollupRow] {
	if a == "" {
		return nil
	}
	return []column[ttp.TechniqueRollupRow]{
		textColumn("VERDICT", func(r ttp.TechniqueRollupRow) string { return string(r.Verdict) }),
		textColumn("TAGGED AS", func(r ttp.TechniqueRollupRow) string { return changed(r.Origins) }),
	}
}

// changed formats the origins that the release of --as-of changes.
func changed(origins []matrix.Origin) string {
	var parts []string
	for _, o := range origins {
		if o.Verdict != attack.Unchanged {
			parts = append(parts, fmt.Sprintf("%s %s %s %d", o.Technique, o.Tactic, o.Release, o.Count))
		}
	}
	return strings.Join(parts, ", ")
}

// noTags returns the error of an export without tags. It lists the known releases if the filter's release is unknown.
func noTags(c *attack.Catalogue, f ttp.Filter) error {
	if release := fullRelease(f.Release); release != "" {
		if _, err := c.Remap(release, release); err != nil {
			return fmt.Errorf("no tags match: %w", err)
		}
	}
	return errNoTags
}

// filters returns the description of the flag, if it is given.
func (a asOf) filters() []report.Filter {
	if a == "" {
		return nil
	}
	return []report.Filter{{Name: "As of", Value: string(a)}}
}

// arrange returns a matrix for each release of the cells, or only that of the flag for its domain.
func (a asOf) arrange(c *attack.Catalogue, cells []matrix.Cell) ([]matrix.Matrix, error) {
	var first []matrix.Matrix
	if release, ok := c.Release(string(a)); ok {
		of := a.of(cells, release)
		m, err := matrix.Arrange(of, release)
		if err != nil || len(of) == len(cells) {
			return []matrix.Matrix{m}, err
		}
		if len(of) > 0 {
			first = append(first, m)
		}
		cells = slices.DeleteFunc(slices.Clone(cells), func(cell matrix.Cell) bool { return a.has(cell, release) })
	}
	others, err := matrix.ByRelease(cells, c)
	if errors.Is(err, attack.ErrUnknownRelease) {
		err = fmt.Errorf("%w: load its bundle with `ttpstore attack load`, or give another release with --as-of", err)
	}
	return append(first, others...), err
}

// of returns the cells of a release and, for that of the flag, the other cells of its domain, which have no place in it.
func (a asOf) of(cells []matrix.Cell, r *attack.Release) []matrix.Cell {
	return slices.DeleteFunc(slices.Clone(cells), func(cell matrix.Cell) bool { return !a.has(cell, r) })
}

func (a asOf) has(cell matrix.Cell, r *attack.Release) bool {
	return cell.Release == r.Name || string(a) == r.Name && strings.HasPrefix(cell.Release, r.Domain+"-v")
}
