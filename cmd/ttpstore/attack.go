package main

import (
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
)

func newAttackCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "attack",
		Short: "Show, compare and load ATT&CK releases",
		Long: `Show ATT&CK releases and their techniques, and list how a change of release
affects the stored tags. Many releases are built into this program; "ttpstore
attack load" adds others to the database from official STIX bundles.

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
