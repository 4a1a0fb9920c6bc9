package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newDocsCommand returns the hidden command that writes docs/commands.md and the man pages.
func newDocsCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "docs FILE FOLDER",
		Short:  "Write the reference of all commands to a file, and their man pages to a folder",
		Hidden: true,
		Args:   arguments("FILE", "FOLDER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var reference bytes.Buffer
			if err := writeReference(&reference, cmd.Root()); err != nil {
				return err
			}
			if err := os.WriteFile(args[0], reference.Bytes(), 0o644); err != nil { //nolint:gosec // a public document
				return err
			}
			if err := os.MkdirAll(args[1], 0o755); err != nil { //nolint:gosec // public documents
				return err
			}
			pages := doc.GenManHeader{Title: "TTPSTORE", Section: "1", Source: "ttpstore", Manual: "ttpstore"}
			return doc.GenManTree(undated(cmd.Root()), &pages, args[1])
		},
	}
}

// undated removes the date from the pages, so that they depend only on the commands.
func undated(root *cobra.Command) *cobra.Command {
	root.DisableAutoGenTag = true
	return root
}

// writeReference writes the help of all commands as Markdown.
func writeReference(w io.Writer, root *cobra.Command) error {
	const heading = "# Commands\n\nMade from the commands by `make docs`. `docs/output.md` describes what they print.\n"
	if _, err := io.WriteString(w, heading); err != nil {
		return err
	}
	return eachCommand(undated(root), func(cmd *cobra.Command) error {
		text := cmp.Or(cmd.Long, cmd.Short)
		_, err := fmt.Fprintf(w, "\n## %s\n\n%s\n\n```text\n%s\n", cmd.CommandPath(), text, cmd.UseLine())
		if err == nil && cmd.Example != "" {
			_, err = fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
		}
		if flags := cmd.LocalFlags().FlagUsagesWrapped(helpWidth); err == nil && flags != "" {
			_, err = fmt.Fprintf(w, "\nFlags:\n%s", flags)
		}
		if err == nil {
			_, err = fmt.Fprintln(w, "```")
		}
		return err
	})
}

// eachCommand calls visit for each command that the help lists.
func eachCommand(cmd *cobra.Command, visit func(*cobra.Command) error) error {
	if err := visit(cmd); err != nil {
		return err
	}
	for _, sub := range cmd.Commands() {
		if !sub.IsAvailableCommand() || sub.IsAdditionalHelpTopicCommand() || sub.Name() == "completion" { // cobra's own
			continue
		}
		if err := eachCommand(sub, visit); err != nil {
			return err
		}
	}
	return nil
}
