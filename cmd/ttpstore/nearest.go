package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/decnet/ttpstore/internal/levenshtein"
)

// didYouMean returns a hint at the known word that is closest to a misspelt one, or "".
func didYouMean(word string, known []string) string {
	if near := levenshtein.Nearest(word, known); near != "" {
		return ", did you mean " + near + "?"
	}
	return ""
}

// suggestFlag adds the closest flag of the command to an error about an unknown one.
func suggestFlag(cmd *cobra.Command, err error) error {
	name, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !ok {
		return err
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	if near := levenshtein.Nearest(name, known); near != "" {
		return fmt.Errorf("%w, did you mean --%s?", err, near)
	}
	return err
}
