package ttp

import "context"

// inScope runs a read of a scope's tags. Identities and campaigns take several statements, which share a snapshot; so do
// other scopes if several is set.
func inScope[T any](ctx context.Context, s *Store, op string, scope Scope, several bool, filter filterArgs,
	read func(context.Context, queries, members, args) (T, error),
) (T, error) {
	run := query[T]
	if several || scope.Kind == IdentityScope || scope.Kind == CampaignScope {
		run = snapshot[T]
	}
	return run(ctx, s, op, readMembers(ctx, scope, filter, read))
}

// readMembers returns a read that resolves the scope and reads its tags.
func readMembers[T any](ctx context.Context, scope Scope, filter filterArgs,
	read func(context.Context, queries, members, args) (T, error),
) func(queries) (T, error) {
	return func(q queries) (T, error) {
		m, err := membersOf(ctx, q, scope)
		if err != nil {
			var none T
			return none, err
		}
		return read(ctx, q, m, args{filterArgs: filter})
	}
}
