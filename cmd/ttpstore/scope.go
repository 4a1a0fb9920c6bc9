package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

const fleet = "fleet"

// scopeHelp is the help text shared by all commands with a SCOPE argument.
const scopeHelp = `SCOPE is "fleet", or "identity", "attacker", "campaign" or "session" followed
by an id. The first 8 digits of an id are enough. Attackers and identities can
also be given by IP, and campaigns by name.`

// idHelp is the help text shared by commands with the ID of an attacker or identity as argument.
const idHelp = `ID is an id, at least the first 8 digits of one, or an IP.`

// scopeKinds returns the kinds of scopes that have an id.
func scopeKinds() []ttp.ScopeKind {
	return []ttp.ScopeKind{ttp.IdentityScope, ttp.AttackerScope, ttp.CampaignScope, ttp.SessionScope}
}

func newScopeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scope",
		Short: "Show, list, assign and merge campaigns, identities and attackers",
		Example: `  ttpstore scope show attacker 192.0.2.17
  ttpstore scope list attackers --identity e1292c78
  ttpstore scope merge identity 189b3fbb e1292c78`,
	}
	cmd.AddCommand(newScopeShowCommand(), newScopeListCommand(), newScopeAssignCommand(), newScopeUnassignCommand(), newScopeMergeCommand(),
		newScopeUnmergeCommand())
	return cmd
}

// scopeArg is a scope as named by an argument. It is looked up in the database.
type scopeArg struct {
	kind ttp.ScopeKind
	name string
}

func (a scopeArg) String() string {
	if a.kind == ttp.FleetScope {
		return fleet
	}
	return string(a.kind) + " " + a.name
}

// withScopes opens the database and calls use with the scopes named by the arguments.
func withScopes(cmd *cobra.Command, args []scopeArg, use func(context.Context, *ttp.Store, []ttp.Scope) error) error {
	return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
		scopes := make([]ttp.Scope, len(args))
		for i, arg := range args {
			var err error
			if scopes[i], err = findScope(ctx, store, arg); err != nil {
				return err
			}
		}
		return use(ctx, store, scopes)
	})
}

// withScope opens the database and calls use with the scope named by the argument.
func withScope(cmd *cobra.Command, arg scopeArg, use func(context.Context, *ttp.Store, ttp.Scope) error) error {
	return withScopes(cmd, []scopeArg{arg}, func(ctx context.Context, store *ttp.Store, scopes []ttp.Scope) error {
		return use(ctx, store, scopes[0])
	})
}

// takeScopes returns a validator that parses the arguments into exactly len(scopes) scopes.
func takeScopes(scopes []scopeArg) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) (err error) {
		for i := range scopes {
			if scopes[i], args, err = takeScope(args); err != nil {
				return err
			}
		}
		if len(args) > 0 {
			return fmt.Errorf("unexpected argument %q", args[0])
		}
		return nil
	}
}

// takeScope parses the first arguments as a scope and returns the rest.
func takeScope(args []string) (scopeArg, []string, error) {
	known := append([]ttp.ScopeKind{fleet}, scopeKinds()...)
	switch {
	case len(args) == 0:
		return scopeArg{}, nil, errors.New("missing argument SCOPE: " + alternatives(known))
	case args[0] == fleet:
		return scopeArg{}, args[1:], nil
	case !slices.Contains(known, ttp.ScopeKind(args[0])):
		return scopeArg{}, nil, fmt.Errorf("unknown scope %q, must be %s%s", args[0], alternatives(known), didYouMean(args[0], words(known)))
	case len(args) == 1:
		return scopeArg{}, nil, errors.New("missing argument ID")
	}
	arg := scopeArg{ttp.ScopeKind(args[0]), args[1]}
	return arg, args[2:], arg.check("ID")
}

// idBeginning matches the beginnings of ids that are long enough to name a scope.
var idBeginning = regexp.MustCompile(`^[0-9a-fA-F]{8}[0-9a-fA-F-]*$`)

// check returns an error if the name cannot be that of a scope of its kind, before the database is opened.
func (a scopeArg) check(argument string) error {
	_, notID := uuid.Parse(a.name)
	_, notIP := netip.ParseAddr(a.name)
	switch {
	case a.name == "":
		return fmt.Errorf("the argument %s must not be empty", argument)
	case a.kind == ttp.SessionScope || a.kind == ttp.CampaignScope:
		return nil
	case notID != nil && notIP != nil && !idBeginning.MatchString(a.name):
		return fmt.Errorf("the argument %s must be an IP, an id or at least the first %d digits of one, not %q", argument, shortID, a.name)
	}
	return nil
}

// takeKind parses the first argument as one of the kinds and returns the rest.
func takeKind(kind *ttp.ScopeKind, kinds []ttp.ScopeKind, args []string) ([]string, error) {
	switch {
	case len(args) == 0:
		return nil, errors.New("missing argument: " + alternatives(kinds))
	case !slices.Contains(kinds, ttp.ScopeKind(args[0])):
		return nil, fmt.Errorf("unknown kind %q, must be %s%s", args[0], alternatives(kinds), didYouMean(args[0], words(kinds)))
	}
	*kind = ttp.ScopeKind(args[0])
	return args[1:], nil
}

// takeNamed returns a validator that parses one argument for each name as a scope of a kind.
func takeNamed(kind ttp.ScopeKind, scopes []scopeArg, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		err := arguments(names...)(cmd, args)
		for i := 0; err == nil && i < len(names); i++ {
			scopes[i] = scopeArg{kind, args[i]}
			err = scopes[i].check(names[i])
		}
		return err
	}
}

// takeNamedOfKind returns a validator that parses a kind followed by a scope of it for each name.
func takeNamedOfKind(kinds []ttp.ScopeKind, scopes []scopeArg, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		var kind ttp.ScopeKind
		args, err := takeKind(&kind, kinds, args)
		if err != nil {
			return err
		}
		return takeNamed(kind, scopes, names...)(cmd, args)
	}
}

// setScope returns a setter of a flag that names a scope of a kind.
func setScope(kind ttp.ScopeKind, scope *scopeArg) func(string) error {
	return func(s string) error {
		*scope = scopeArg{kind, s}
		return scope.check("ID")
	}
}

// setAnyScope returns a setter of a flag whose value is a kind and a name, such as "session s1".
func setAnyScope(scope *scopeArg) func(string) error {
	return func(s string) (err error) {
		kind, name, named := strings.Cut(s, " ")
		args := []string{kind}
		if named {
			args = append(args, name)
		}
		var rest []string
		if *scope, rest, err = takeScope(args); err == nil && len(rest) > 0 {
			err = fmt.Errorf("unexpected %q", rest[0])
		}
		return err
	}
}
