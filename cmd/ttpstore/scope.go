package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

const fleet = "fleet"

// scopeHelp is the help text shared by all commands with a SCOPE argument.
const scopeHelp = `SCOPE is "fleet", or "identity", "attacker", "campaign" or "session" followed by an id.`

// scopeKinds returns the kinds of scopes that have an id.
func scopeKinds() []ttp.ScopeKind {
	return []ttp.ScopeKind{ttp.IdentityScope, ttp.AttackerScope, ttp.CampaignScope, ttp.SessionScope}
}

func newScopeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scope",
		Short: "Show, list, assign and merge campaigns, identities and attackers",
		Example: `  ttpstore scope show attacker 542eed02-5e33-5182-94c3-b95ea9af1b84
  ttpstore scope list attackers --identity e1292c78-2e52-5857-ae79-bbc6fe89e0c2
  ttpstore scope merge identity 189b3fbb-9556-55f5-a524-57d8bd6526b3 e1292c78-2e52-5857-ae79-bbc6fe89e0c2`,
	}
	cmd.AddCommand(newScopeShowCommand(), newScopeListCommand(), newScopeAssignCommand(), newScopeUnassignCommand(), newScopeMergeCommand(),
		newScopeUnmergeCommand())
	return cmd
}

// takeScopes returns a validator that parses the arguments into scopes, of which exactly len(scopes) must be given.
func takeScopes(scopes []ttp.Scope) cobra.PositionalArgs {
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
func takeScope(args []string) (ttp.Scope, []string, error) {
	known := alternatives(append([]ttp.ScopeKind{fleet}, scopeKinds()...))
	if len(args) == 0 {
		return ttp.Scope{}, nil, errors.New("missing argument SCOPE: " + known)
	}
	kind := ttp.ScopeKind(args[0])
	switch {
	case kind == fleet:
		return ttp.Fleet(), args[1:], nil
	case !slices.Contains(scopeKinds(), kind):
		return ttp.Scope{}, nil, fmt.Errorf("unknown scope %q, must be %s", kind, known)
	case len(args) == 1:
		return ttp.Scope{}, nil, errors.New("missing argument ID")
	case kind != ttp.SessionScope:
		id, err := parseID("ID", args[1])
		return ttp.Scope{Kind: kind, UUID: id}, args[2:], err
	case args[1] == "":
		return ttp.Scope{}, nil, errors.New("the argument ID must not be empty")
	}
	return ttp.OfSession(args[1]), args[2:], nil
}

// takeKind parses the first argument as one of the kinds and returns the rest.
func takeKind(kind *ttp.ScopeKind, kinds []ttp.ScopeKind, args []string) ([]string, error) {
	switch {
	case len(args) == 0:
		return nil, errors.New("missing argument: " + alternatives(kinds))
	case !slices.Contains(kinds, ttp.ScopeKind(args[0])):
		return nil, fmt.Errorf("unknown kind %q, must be %s", args[0], alternatives(kinds))
	}
	*kind = ttp.ScopeKind(args[0])
	return args[1:], nil
}

// takeIDsOfKind returns a validator that parses a kind followed by a UUID for each name.
func takeIDsOfKind(kind *ttp.ScopeKind, kinds []ttp.ScopeKind, ids []uuid.UUID, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		args, err := takeKind(kind, kinds, args)
		if err == nil {
			err = arguments(names...)(cmd, args)
		}
		for i := 0; err == nil && i < len(names); i++ {
			ids[i], err = parseID(names[i], args[i])
		}
		return err
	}
}

// completeKind completes the first argument with the kinds.
func completeKind(kinds []ttp.ScopeKind) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return words(kinds), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeScopes completes the kind of each scope, but no ids.
func completeScopes(scopes int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		for range scopes {
			if len(args) == 0 {
				return append([]cobra.Completion{fleet}, words(scopeKinds())...), cobra.ShellCompDirectiveNoFileComp
			}
			length := 2
			if args[0] == fleet {
				length = 1
			}
			if len(args) < length {
				break // the next argument is an id
			}
			args = args[length:]
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}
