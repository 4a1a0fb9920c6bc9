package main

import (
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
)

func newAttackCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "attack",
		Short: "Show ATT&CK's releases and techniques, and what a release changes",
		Long: `Show the ATT&CK releases that are built in or loaded into the database, their
techniques and tactics, and what a release changes for the tags stored here.
Load further releases from official bundles.

` + text.WrapSoft(attack.Copyright, helpWidth),
		Example: `  ttpstore attack show T1110.001 --release 15.1
  ttpstore attack show "Brute Force"
  ttpstore attack diff 15.1 18.1
  ttpstore attack load enterprise-attack-19.1.json`,
	}
	cmd.AddCommand(newAttackReleasesCommand(), newAttackShowCommand(), newAttackDiffCommand(),
		newAttackLoadCommand(), newAttackRemoveCommand(), newAttackLicenseCommand())
	return cmd
}
