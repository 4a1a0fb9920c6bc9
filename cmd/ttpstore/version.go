package main

import (
	"runtime/debug"

	"github.com/spf13/cobra"
)

// programVersion is the build information of the program.
type programVersion struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	Commit  string `json:"commit,omitempty"`
}

func newVersionCommand() *cobra.Command {
	var out *output
	cmd := &cobra.Command{
		Use:               "version",
		Short:             "Print the version of ttpstore",
		Args:              arguments(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := readVersion()
			return printObject(cmd, out, v, func(display) [][2]string {
				return [][2]string{{"version", v.Version}, {"go", v.Go}, {"commit", v.Commit}}
			})
		},
	}
	out = addOutput(cmd)
	return cmd
}

func readVersion() programVersion {
	v := programVersion{Version: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v.Go = info.GoVersion
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			v.Commit = setting.Value
		}
	}
	return v
}

// version returns the version on one line.
func version() string {
	v := readVersion()
	return v.Version + " (" + v.Go + ")"
}
