package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/ttp"
)

func newAttackLoadCommand() *cobra.Command {
	var release string
	cmd := &cobra.Command{
		Use:   "load FILE|-",
		Short: "Load an official ATT&CK bundle into the database",
		Long: `Load an official STIX bundle of one ATT&CK release, plain or compressed by gzip,
into the database. Its names go before those of the built-in release of the same
name. A bundle of STIX 2.0 does not name its release: give it with --release.`,
		Example: `  ttpstore attack load enterprise-attack-19.1.json
  ttpstore attack load enterprise-attack.json.gz --release enterprise-v8.2`,
		Args:              arguments("FILE"),
		ValidArgsFunction: completeFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				r, err := readBundle(ctx, cmd, args[0], release)
				if err == nil {
					err = store.LoadAttackRelease(ctx, r)
				}
				if err == nil {
					notef(cmd.ErrOrStderr(), "loaded %s\n", r.Name)
				}
				return err
			})
		},
	}
	cmd.Flags().Func("release", "the `release` of a bundle that does not name it, such as enterprise-v8.2", setText(&release))
	must(cmd.RegisterFlagCompletionFunc("release", cobra.NoFileCompletions))
	return cmd
}

// readBundle reads a bundle from a file, or from standard input for "-".
func readBundle(ctx context.Context, cmd *cobra.Command, name, release string) (*attack.Release, error) {
	var from io.ReadCloser
	if name == "-" {
		from = interruptible(ctx, cmd.InOrStdin())
	} else {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		from = file
	}
	defer func() { _ = from.Close() }()
	if release != "" {
		return attack.Read(from, attack.WithRelease(fullRelease(release)))
	}
	r, err := attack.Read(from)
	if errors.Is(err, attack.ErrNoRelease) {
		err = fmt.Errorf("%w: name the release with --release", err)
	}
	return r, err
}

func newAttackRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove RELEASE",
		Short: "Remove a loaded ATT&CK release from the database",
		Long: `Remove an ATT&CK release that "ttpstore attack load" has stored. The built-in
release of the same name, if there is one, then counts again.`,
		Example:           `  ttpstore attack remove enterprise-v19.1`,
		Args:              arguments("RELEASE"),
		ValidArgsFunction: completeRelease,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				return store.RemoveAttackRelease(ctx, fullRelease(args[0]))
			})
		},
	}
}
