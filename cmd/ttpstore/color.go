package main

import (
	"os"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
)

// colorMode is a value of --color.
type colorMode string

const (
	colorAuto   colorMode = "auto"
	colorAlways colorMode = "always"
	colorNever  colorMode = "never"
)

// addColor adds the --color flag.
func addColor(root *cobra.Command) {
	mode := colorAuto
	modes := choice[colorMode]{&mode, []colorMode{colorAuto, colorAlways, colorNever}}
	root.PersistentFlags().Var(modes, "color", "when to color tables: `auto|always|never`; auto respects $NO_COLOR")
	must(root.RegisterFlagCompletionFunc("color", modes.complete))
}

// colored reports whether to color tables on standard output.
func colored(cmd *cobra.Command) bool {
	switch colorMode(cmd.Flag("color").Value.String()) {
	case colorAlways:
		text.EnableColors() // which the library turns off for $NO_COLOR
		return true
	case colorNever:
		return false
	}
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(cmd.OutOrStdout())
}

// confidenceColor distinguishes weak tags from strong ones.
func confidenceColor(confidence float64) text.Colors {
	switch {
	case confidence < 0.5:
		return text.Colors{text.FgYellow}
	case confidence >= 0.8:
		return text.Colors{text.FgGreen}
	}
	return nil
}
