package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/attack/builtin"
	"github.com/decnet/ttpstore/ttp"
)

const enterprise = "enterprise"

// idLike matches ids and words that resemble ids more than names. The store validates them.
var idLike = regexp.MustCompile(`^(T|TA)?[0-9][0-9.]*$`)

// resolveNames makes --tactic and --technique of a command accept names, which it resolves before the command runs.
func resolveNames(cmd *cobra.Command, f *filterFlags) {
	args := cmd.Args
	cmd.Args = func(cmd *cobra.Command, values []string) error {
		scope := f.searchScope()
		if err := resolveName(cmd, "tactic", scope, attack.Tactics, &f.Tactic); err != nil {
			return err
		}
		if err := resolveName(cmd, "technique", scope, attack.Techniques, &f.Technique); err != nil {
			return err
		}
		return args(cmd, values)
	}
}

// searchScope returns the release or domain that names are looked up in.
func (f *filterFlags) searchScope() string { return cmp.Or(fullRelease(f.Release), f.Domain) }

// resolveName replaces a name with its id.
func resolveName(cmd *cobra.Command, flag, scope string, kind attack.Kind, text *string) error {
	if *text == "" || idLike.MatchString(*text) {
		return nil
	}
	match, err := search(catalogue(cmd), scope, kind, *text)
	if err != nil {
		return fmt.Errorf("--%s: %w", flag, err)
	}
	*text = match.ID
	return nil
}

// catalogue returns the built-in releases and, if the database can be read, the loaded ones. Errors are ignored: a
// command that needs the database reports them itself.
func catalogue(cmd *cobra.Command) *attack.Catalogue {
	all := builtin.Catalogue()
	_ = withOptionalStore(cmd, func(ctx context.Context, store *ttp.Store) error {
		c, err := store.Catalogue(ctx)
		if err == nil {
			all = c
		}
		return err
	})
	return all
}

// findRelease returns a release of the catalogue, or an error that lists the known releases.
func findRelease(cmd *cobra.Command, name string) (*attack.Release, error) {
	c := catalogue(cmd)
	if _, err := c.Remap(name, name); err != nil {
		return nil, err
	}
	release, _ := c.Release(name)
	return release, nil
}

// completeRelease completes with all releases.
func completeRelease(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return catalogue(cmd).Releases(), cobra.ShellCompDirectiveNoFileComp
}

// search looks for a name in a release or domain. Without either, it prefers the enterprise domain, since domains share
// the names of most tactics.
func search(c *attack.Catalogue, scope string, kind attack.Kind, name string) (attack.Match, error) {
	if scope == "" {
		match, err := c.Search(enterprise, kind, name)
		if !errors.Is(err, attack.ErrUnknownName) {
			return match, err
		}
	}
	return c.Search(scope, kind, name)
}

// fullRelease returns the name of a release such as 18.1 in the catalogue, with its domain.
func fullRelease(release string) string {
	if release == "" || strings.Contains(release, "-v") {
		return release
	}
	return enterprise + "-v" + strings.TrimPrefix(release, "v")
}
