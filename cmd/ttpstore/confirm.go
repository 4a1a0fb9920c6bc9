package main

import (
	"bufio"
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"
)

// addYes gives a command that asks first, when it needs to, the flag that answers. Where nobody can be
// asked, the command is refused without it.
func addYes(cmd *cobra.Command, why string, needed func() bool) *bool {
	yes := cmd.Flags().BoolP("yes", "y", false, "do not ask")
	args := cmd.Args
	cmd.Args = func(cmd *cobra.Command, values []string) error {
		err := args(cmd, values)
		if err == nil && needed() && !*yes && !isTerminal(cmd.InOrStdin()) {
			err = errors.New(why + ": confirm it with --yes, since nobody can be asked here")
		}
		return err
	}
	return yes
}

// confirm asks whoever sits at the terminal.
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
	return errors.New("not confirmed, nothing was changed")
}
