package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
)

// techniqueList is a flag value: techniques, by id or name, separated by commas.
type techniqueList []string

func (l *techniqueList) String() string { return strings.Join(*l, ",") }

// Type implements [pflag.Value].
func (l *techniqueList) Type() string { return "techniques" }

// Set implements [pflag.Value].
func (l *techniqueList) Set(s string) error {
	for name := range strings.SplitSeq(s, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			return errors.New("must be techniques separated by commas")
		}
		*l = append(*l, name)
	}
	return nil
}

// resolveTechniques replaces the names in a list with ids, before the command runs.
func resolveTechniques(cmd *cobra.Command, f *filterFlags, flag string, list *techniqueList) {
	args := cmd.Args
	cmd.Args = func(cmd *cobra.Command, values []string) error {
		for i := range *list {
			if err := resolveName(cmd, flag, f.searchScope(), attack.Techniques, &(*list)[i]); err != nil {
				return err
			}
		}
		return args(cmd, values)
	}
}
