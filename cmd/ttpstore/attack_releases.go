package main

import (
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/attack/builtin"
)

// releaseSize counts what is active in a release.
type releaseSize struct {
	Release       string `json:"release"`
	Tactics       int64  `json:"tactics"`
	Techniques    int64  `json:"techniques"`
	SubTechniques int64  `json:"sub_techniques"`
}

func newAttackReleasesCommand() *cobra.Command {
	var out *output
	cmd := &cobra.Command{
		Use:               "releases",
		Short:             "List the releases that are built in, with the size of their matrix",
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printList(cmd, out, []column[releaseSize]{
				textColumn("RELEASE", func(s releaseSize) string { return s.Release }),
				countColumn("TACTICS", func(s releaseSize) int64 { return s.Tactics }),
				countColumn("TECHNIQUES", func(s releaseSize) int64 { return s.Techniques }),
				countColumn("SUB-TECHNIQUES", func(s releaseSize) int64 { return s.SubTechniques }),
			}, stream(releaseSizes(builtin.Catalogue())), "no releases")
		},
	}
	out = addOutput(cmd)
	return cmd
}

func releaseSizes(c *attack.Catalogue) []releaseSize {
	var sizes []releaseSize
	for _, name := range c.Releases() {
		release, _ := c.Release(name)
		size := releaseSize{Release: name}
		for _, tactic := range release.Tactics {
			if !tactic.Deprecated {
				size.Tactics++
			}
		}
		for technique := range release.Techniques() {
			switch {
			case !technique.Active():
			case technique.Parent() == "":
				size.Techniques++
			default:
				size.SubTechniques++
			}
		}
		sizes = append(sizes, size)
	}
	return sizes
}
