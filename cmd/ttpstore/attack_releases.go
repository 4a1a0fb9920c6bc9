package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/attack/builtin"
	"github.com/decnet/ttpstore/ttp"
)

// releaseSize counts the active tactics and techniques of a release.
type releaseSize struct {
	Release       string `json:"release"`
	Loaded        bool   `json:"loaded"` // into the database; otherwise built in
	Tactics       int64  `json:"tactics"`
	Techniques    int64  `json:"techniques"`
	SubTechniques int64  `json:"sub_techniques"`
}

func newAttackReleasesCommand() *cobra.Command {
	var out *output
	cmd := &cobra.Command{
		Use:   "releases",
		Short: "List the built-in and loaded ATT&CK releases",
		Long: `List the built-in and loaded ATT&CK releases with their numbers of tactics,
techniques and sub-techniques, without revoked and deprecated ones.`,
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded := &attack.Catalogue{}
			err := withOptionalStore(cmd, func(ctx context.Context, store *ttp.Store) (err error) {
				loaded, err = store.LoadedAttackReleases(ctx)
				return err
			})
			if err != nil {
				return err
			}
			return printList(cmd, out, []column[releaseSize]{
				textColumn("RELEASE", func(s releaseSize) string { return s.Release }),
				countColumn("TACTICS", func(s releaseSize) int64 { return s.Tactics }),
				countColumn("TECHNIQUES", func(s releaseSize) int64 { return s.Techniques }),
				countColumn("SUB-TECHNIQUES", func(s releaseSize) int64 { return s.SubTechniques }),
				textColumn("SOURCE", func(s releaseSize) string {
					if s.Loaded {
						return "loaded"
					}
					return "built in"
				}),
			}, stream(releaseSizes(loaded)), "no releases")
		},
	}
	out = addOutput(cmd)
	return cmd
}

// releaseSizes returns all releases, the loaded ones before those built in of the same name.
func releaseSizes(loaded *attack.Catalogue) []releaseSize {
	c := builtin.Catalogue()
	c.Merge(loaded)
	var sizes []releaseSize
	for _, name := range c.Releases() {
		release, _ := c.Release(name)
		_, isLoaded := loaded.Release(name)
		size := releaseSize{Release: name, Loaded: isLoaded}
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
