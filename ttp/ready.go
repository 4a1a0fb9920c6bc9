package ttp

import (
	"context"
	"fmt"
)

// Ready reports whether the store can do its work, for a health check: the database answers, its schema is the one that
// this module knows, and on SQLite the queue of this store's writers moves. It changes nothing. Give it a context with a
// timeout.
//
// It returns what [Store.CheckSchema] returns, and [ErrBusy] if the context ends while a writer ahead in the queue has
// not finished.
func (s *Store) Ready(ctx context.Context) error {
	const op = "check readiness"
	if err := s.engine.checkConnection(ctx, s.reader()); err != nil {
		return s.fail(ctx, op, err)
	}
	status, err := s.schemaStatus(ctx)
	if err == nil {
		err = status.Err()
	}
	if err != nil {
		return s.fail(ctx, op, err)
	}
	if s.tx != nil {
		return nil // its turn has come
	}
	leave, err := s.enqueueWriter(ctx)
	if err != nil {
		return s.fail(ctx, op, fmt.Errorf("%w: the queue of writers does not move: %w", ErrBusy, err))
	}
	leave()
	return nil
}
