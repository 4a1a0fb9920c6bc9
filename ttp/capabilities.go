package ttp

import "context"

// Capabilities are guarantees that not every server gives. SQLite, MySQL and MariaDB give all of them; a Vitess cluster
// gives none, since its tags may be on several shards.
type Capabilities struct {
	// Snapshots: a read of several statements sees one state of the database.
	Snapshots bool `json:"snapshots"`
	// AtomicCommits: a call is stored completely or not at all, even if a server fails during the commit.
	AtomicCommits bool `json:"atomic_commits"`
	// DeadlockDetection: a deadlock ends at once, instead of by a lock wait timeout.
	DeadlockDetection bool `json:"deadlock_detection"`
}

// Capabilities returns the guarantees of the store's server, which it queries once.
func (s *Store) Capabilities(ctx context.Context) (c Capabilities, err error) {
	defer s.begin(ctx, "get capabilities", &err)()
	if err := s.identify(ctx); err != nil {
		return Capabilities{}, err
	}
	single := !s.engine.sharded()
	return Capabilities{Snapshots: single, AtomicCommits: single, DeadlockDetection: single}, nil
}

// identify detects the server's properties, once per store.
func (s *Store) identify(ctx context.Context) error {
	if s.tx != nil {
		return s.engine.identify(ctx, s.tx)
	}
	return s.engine.identify(ctx, s.read)
}
