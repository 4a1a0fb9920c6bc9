package main

import (
	"bufio"
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"
)

// addYes adds the --yes flag, which skips the confirmation. Without a terminal, commands that need confirmation fail
// unless the flag is given.
func addYes(cmd *cobra.Command, why string, needed func() bool) *bool {
	yes := cmd.Flags().BoolP("yes", "y", false, "do not ask for confirmation")
	args := cmd.Args
	cmd.Args = func(cmd *cobra.Command, values []string) error {
		err := args(cmd, values)
		if err == nil && needed() && !*yes && !isTerminal(cmd.InOrStdin()) {
			err = errors.New(why + ": standard input is not a terminal, confirm with --yes")
		}
		return err
	}
	return yes
}

// confirm asks the question on the terminal and returns an error unless the answer is yes.
func confirm(ctx context.Context, cmd *cobra.Command, question string) error {
	notef(cmd.ErrOrStderr(), "%s [y/N] ", question)
	in := interruptible(ctx, cmd.InOrStdin())
	defer func() { _ = in.Close() }()
	answer, err := bufio.NewReader(in).ReadString('\n')
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return err
	}
	return errors.New("not confirmed: nothing was changed")
}
