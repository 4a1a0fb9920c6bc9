package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
)

func newAttackLicenseCommand() *cobra.Command {
	var out *output
	cmd := &cobra.Command{
		Use:               "license",
		Short:             "Print MITRE's terms of use for ATT&CK",
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out.chosen == "" {
				_, err := io.WriteString(cmd.OutOrStdout(), attack.License)
				return err
			}
			terms := struct {
				Copyright string `json:"copyright"`
				License   string `json:"license"`
			}{attack.Copyright, attack.License}
			return printObject(cmd, out, terms, func(display) [][2]string { return [][2]string{{"", terms.License}} })
		},
	}
	out = addOutput(cmd)
	return cmd
}
