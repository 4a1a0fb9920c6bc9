package main

import (
	"errors"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
)

func newAttackCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "attack",
		Short: "Show ATT&CK's releases and techniques, and what a release changes",
		Long: `Show the ATT&CK releases that are built in, their techniques and tactics, and
what a release changes for the tags stored here.

` + text.WrapSoft(attack.Copyright, helpWidth),
		Example: `  ttpstore attack show T1110.001 --release 15.1
  ttpstore attack show "Brute Force"
  ttpstore attack diff 15.1 18.1`,
	}
	cmd.AddCommand(newAttackReleasesCommand(), newAttackShowCommand(), newAttackDiffCommand(), newAttackLicenseCommand())
	return cmd
}

// setRelease sets a release that the catalogue has.
func setRelease(c *attack.Catalogue, release **attack.Release) func(string) error {
	return func(s string) error {
		r, ok := c.Release(fullRelease(s))
		if !ok {
			return errors.New(`must be a release that "ttpstore attack releases" lists, such as enterprise-v18.1 or 18.1`)
		}
		*release = r
		return nil
	}
}

// completeRelease offers all releases.
func completeRelease(c *attack.Catalogue) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return c.Releases(), cobra.ShellCompDirectiveNoFileComp
	}
}
