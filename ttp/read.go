package ttp

import (
	"context"
)

// inScope runs a read of one statement of the tags of a scope.
func inScope[T any](ctx context.Context, s *Store, op string, scope Scope, b filterArgs, read func(queries, args) (T, error)) (T, error) {
	a, err := scope.with(b)
	if err != nil {
		var none T
		return none, s.fail(ctx, op, err)
	}
	return query(ctx, s, op, func(q queries) (T, error) { return read(q, a) })
}

// inSnapshot is inScope for a read of several statements, which see one state of the database.
func inSnapshot[T any](ctx context.Context, s *Store, op string, scope Scope, b filterArgs, read func(queries, args) (T, error)) (T, error) {
	a, err := scope.with(b)
	if err != nil {
		var none T
		return none, s.fail(ctx, op, err)
	}
	return snapshot(ctx, s, op, func(q queries) (T, error) { return read(q, a) })
}
