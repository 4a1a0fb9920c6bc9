package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
)

func newAttackLicenseCommand() *cobra.Command {
	var asJSON *bool
	cmd := &cobra.Command{
		Use:               "license",
		Short:             "Print MITRE's terms of use of ATT&CK",
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if *asJSON {
				return printJSON(cmd, map[string]string{"copyright": attack.Copyright, "license": attack.License})
			}
			_, err := io.WriteString(cmd.OutOrStdout(), attack.License)
			return err
		},
	}
	asJSON = addJSON(cmd)
	return cmd
}
