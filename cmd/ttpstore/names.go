package main

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/attack/builtin"
)

const enterprise = "enterprise"

// idLike matches ids, and what is closer to an id than to a name. The store checks them.
var idLike = regexp.MustCompile(`^(T|TA)?[0-9][0-9.]*$`)

// resolveNames lets --tactic and --technique of a command take names, before the command runs.
func resolveNames(cmd *cobra.Command, f *filterFlags) {
	args := cmd.Args
	cmd.Args = func(cmd *cobra.Command, values []string) error {
		scope := cmp.Or(fullRelease(f.Release), f.Domain)
		if err := resolveName("tactic", scope, attack.Tactics, &f.Tactic); err != nil {
			return err
		}
		if err := resolveName("technique", scope, attack.Techniques, &f.Technique); err != nil {
			return err
		}
		return args(cmd, values)
	}
}

// resolveName replaces a name by its id.
func resolveName(flag, scope string, kind attack.Kind, text *string) error {
	if *text == "" || idLike.MatchString(*text) {
		return nil
	}
	match, err := search(scope, kind, *text)
	if err != nil {
		return fmt.Errorf("--%s: %w", flag, err)
	}
	*text = match.ID
	return nil
}

// search looks for a name in a release or domain. Without either, the enterprise domain goes first: several domains
// share the names of most tactics.
func search(scope string, kind attack.Kind, name string) (attack.Match, error) {
	catalogue := builtin.Catalogue()
	if scope == "" {
		match, err := catalogue.Search(enterprise, kind, name)
		if !errors.Is(err, attack.ErrUnknownName) {
			return match, err
		}
	}
	return catalogue.Search(scope, kind, name)
}

// fullRelease spells a release such as 18.1 as the catalogue does, with its domain.
func fullRelease(release string) string {
	if release == "" || strings.Contains(release, "-v") {
		return release
	}
	return enterprise + "-v" + strings.TrimPrefix(release, "v")
}
