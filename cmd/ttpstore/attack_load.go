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
		Short: "Load an ATT&CK release from an official STIX bundle",
		Long: `Load an ATT&CK release into the database from the file of an official STIX
bundle, or from standard input for -. Gzip compression is detected. A loaded
release takes precedence over the built-in release of the same name. STIX 2.0
bundles do not name their release: set it with --release.`,
		Example: `  ttpstore attack load enterprise-attack-19.1.json
  ttpstore attack load enterprise-attack.json.gz --release enterprise-v8.2
  curl -L https://example.org/ics-attack-19.1.json | ttpstore attack load -`,
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
	cmd.Flags().Func("release", "name of the `release` in a STIX 2.0 bundle, such as enterprise-v8.2", setText(&release))
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
		err = fmt.Errorf("%w: set the release with --release", err)
	}
	return r, err
}

func newAttackRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove RELEASE",
		Short: "Remove a loaded ATT&CK release from the database",
		Long: `Remove a release loaded with "ttpstore attack load" from the database. If there
is a built-in release of the same name, it is used again.`,
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
