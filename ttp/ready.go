package ttp

import (
	"context"
	"fmt"
)

// Ready returns nil if the store can do its work, for a health check: the database answers, its schema is the latest
// one that this module knows, and on SQLite the queue of this store's writers moves. It changes nothing. Give it a
// context with a timeout.
//
// It returns the errors of [Store.CheckSchema], and [ErrBusy] if the context ends while another writer is ahead in the
// queue.
func (s *Store) Ready(ctx context.Context) (err error) {
	defer s.begin(ctx, "check readiness", &err)()
	if err := s.refuseInsideTx(ctx); err != nil {
		return err
	}
	if err := s.engine.checkConnection(ctx, s.reader()); err != nil {
		return err
	}
	status, err := s.schemaStatus(ctx)
	if err == nil {
		err = status.Err()
	}
	if err != nil {
		return err
	}
	if s.tx != nil {
		return nil // the caller's transaction waits for no queue
	}
	leave, err := s.enqueueWriter(ctx)
	if err != nil {
		return fmt.Errorf("%w: the queue of writers does not move: %w", ErrBusy, err)
	}
	leave()
	return nil
}
