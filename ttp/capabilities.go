package ttp

import "context"

// Capabilities are promises that not every server keeps: SQLite, MySQL and MariaDB keep all, a Vitess cluster
// none, since its tags may lie on several shards.
type Capabilities struct {
	// Snapshots: a read of several statements sees one state of the database.
	Snapshots bool `json:"snapshots"`
	// AtomicCommits: a call is stored whole or not at all, also if a server fails while it commits.
	AtomicCommits bool `json:"atomic_commits"`
	// DeadlockDetection: of transactions that wait for each other, one ends at once, and not when its lock times
	// out.
	DeadlockDetection bool `json:"deadlock_detection"`
}

// Capabilities returns what the store's server keeps. The first call of a store asks the server.
func (s *Store) Capabilities(ctx context.Context) (Capabilities, error) {
	if err := s.identify(ctx); err != nil {
		return Capabilities{}, s.fail(ctx, "ask for capabilities", err)
	}
	whole := !s.engine.sharded()
	return Capabilities{Snapshots: whole, AtomicCommits: whole, DeadlockDetection: whole}, nil
}

// identify finds out what the server is, once in a store's life.
func (s *Store) identify(ctx context.Context) error {
	if s.tx != nil {
		return s.engine.identify(ctx, s.tx)
	}
	return s.engine.identify(ctx, s.read)
}
