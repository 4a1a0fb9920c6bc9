// Command ttpstore stores MITRE ATT&CK technique tags in a database and reports on them.
//
// Each command is in the file of its name. root.go builds the command tree; database.go opens the database;
// secret.go hides its password; flags.go, filter.go, times.go and scope.go parse flags and arguments; resolve.go and
// names.go look up the scopes and techniques that they name; list.go and removal.go are shared by several commands;
// output.go, members.go, table.go and receipt.go print results, and empty.go the reason for an empty one; terminal.go,
// color.go, progress.go and confirm.go interact with the terminal; complete.go completes words from the database.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// The exit statuses.
const (
	exitSuccess = iota
	exitFailure
	exitUsage
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run runs one command line and returns its exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRootCommand(stdin, stdout, stderr)
	if !slices.Contains(args, cobra.ShellCompRequestCmd) && !slices.Contains(args, cobra.ShellCompNoDescRequestCmd) {
		refuseRepeatedFlags(root) // to complete a command line, cobra parses it several times
	}
	understood := false // set once cobra has validated flags and arguments
	root.PersistentPreRun = func(*cobra.Command, []string) { understood = true }
	root.SetArgs(append([]string{}, args...)) // not nil: cobra would use os.Args
	cmd, err := root, refuseMisplacedURL(args)
	if err == nil {
		cmd, err = root.ExecuteContextC(ctx)
	}
	if err == nil {
		return exitSuccess
	}
	if ambiguous, ok := errors.AsType[*ambiguousError](err); ok {
		notef(stderr, "ttpstore: %s\n", ambiguous)
		return exitUsage
	}
	notef(stderr, "ttpstore: %s\n", advise(cmd, message(err)))
	// These errors can only come from flags and arguments: invalid lines of an import have their own type.
	wrong := errors.Is(err, ttp.ErrInvalidQuery) || errors.Is(err, ttp.ErrInvalidScope)
	if understood && !wrong {
		return exitFailure
	}
	notef(stderr, "Run '%s --help' for usage.\n", cmd.CommandPath())
	return exitUsage
}

// message formats an error on one line, without passwords.
func message(err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	text := strings.TrimPrefix(err.Error(), "ttp: ")
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
	return withoutPassword(text)
}
