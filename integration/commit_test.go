package integration

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// cutOnce cuts the first COMMIT once armed.
type cutOnce struct {
	at    cut
	armed atomic.Bool
}

func (c *cutOnce) choose(packet []byte) cut {
	if isCommit(packet) && c.armed.CompareAndSwap(true, false) {
		return c.at
	}
	return noCut
}

func TestALostReplyToCommitIsResolved(t *testing.T) {
	for at, name := range cutNames {
		t.Run(name, func(t *testing.T) {
			dsn := newDatabase(t)
			direct := openStore(t, "mysql://"+dsn)
			c := &cutOnce{at: at}
			p, cutDSN := startProxy(t, dsn, c.choose)
			s := openStore(t, "mysql://"+cutDSN)
			stored, fresh := retryTag("stored"), retryTag("fresh")
			_, err := s.InsertTags(t.Context(), []ttp.Tag{stored})
			succeed(t, err)

			c.armed.Store(true)
			got, err := s.InsertTags(t.Context(), []ttp.Tag{fresh, stored})
			succeed(t, err)
			if p.cuts.Load() != 1 {
				t.Errorf("%d connections were cut, want 1", p.cuts.Load())
			}
			if want := []ttp.Outcome{ttp.Inserted, ttp.Duplicate}; !slices.Equal(got.Outcomes, want) || got.Inserted != 1 {
				t.Errorf("got %+v, want the outcomes %v", got, want)
			}
			requireTags(t, direct, map[uuid.UUID]uuid.UUID{fresh.ComputeUUID(): got.BatchUUID}, 2)
		})
	}
}

// requireTags checks the batches of tags, their number and the fleet's counts.
func requireTags(t *testing.T, s *ttp.Store, batches map[uuid.UUID]uuid.UUID, want int64) {
	t.Helper()
	for tag, batch := range batches {
		got, err := s.GetTag(t.Context(), tag)
		succeed(t, err)
		if got.BatchUUID != batch {
			t.Errorf("tag %s has the batch %s, want %s", tag, got.BatchUUID, batch)
		}
	}
	var stored int64
	options := ttp.VerifyOptions{Progress: func(r ttp.VerifyReport) { stored = r.Tags }}
	for finding, err := range s.Verify(t.Context(), options) {
		succeed(t, err)
		if finding.Kind != ttp.Dangling {
			t.Errorf("verify found %+v", finding)
		}
	}
	if stored != want {
		t.Errorf("%d tags are stored, want %d", stored, want)
	}
	rows, err := s.ListDistinctTechniques(t.Context())
	succeed(t, err)
	var counted int64
	for _, row := range rows {
		counted += row.Count
	}
	if counted != want {
		t.Errorf("the fleet's rollup counts %d tags, want %d", counted, want)
	}
}

func TestAnUnresolvedCommitIsReported(t *testing.T) {
	dsn := newDatabase(t)
	direct := openStore(t, "mysql://"+dsn)
	var armed atomic.Bool
	var cuts atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, cutDSN := startProxy(t, dsn, func(packet []byte) cut {
		if !isCommit(packet) || !armed.Load() {
			return noCut
		}
		if cuts.Add(1) == 3 { // the call has run again
			cancel()
		}
		return inCommit
	})
	s := openStore(t, "mysql://"+cutDSN)
	succeed(t, s.UpsertAttackers(t.Context(), []ttp.Attacker{{UUID: retryTag("").AttackerUUID}}))
	armed.Store(true)

	_, err := s.InsertTags(ctx, []ttp.Tag{retryTag("1")})
	if !errors.Is(err, ttp.ErrUnknownOutcome) || !errors.Is(err, context.Canceled) {
		t.Errorf("insert returned %v, want ErrUnknownOutcome and the context's error", err)
	}
	if _, err = s.PurgeAttacker(t.Context(), retryTag("").AttackerUUID); !errors.Is(err, ttp.ErrUnknownOutcome) {
		t.Errorf("a purge returned %v, want ErrUnknownOutcome", err)
	}
	if errors.Is(err, ttp.ErrBusy) {
		t.Errorf("a purge returned %v, which is ErrBusy too", err)
	}
	armed.Store(false)
	_, err = s.PurgeAttacker(t.Context(), retryTag("").AttackerUUID)
	succeed(t, err)
	requireTags(t, direct, nil, 0)
}

// TestCutConnectionsLoseNothing cuts a hundred connections under eight writers of the same tags: for each tag, exactly
// one call returns Inserted, and the tag has that call's batch.
func TestCutConnectionsLoseNothing(t *testing.T) {
	const writers, cuts = 8, 100
	dsn := newDatabase(t)
	direct := openStore(t, "mysql://"+dsn)
	var armed atomic.Bool
	var left atomic.Int64
	left.Store(cuts)
	_, cutDSN := startProxy(t, dsn, func(packet []byte) cut {
		at := []cut{midStatement, beforeCommit, inCommit, afterCommit}[rand.IntN(4)]
		if !armed.Load() || isCommit(packet) == (at == midStatement) || rand.IntN(8) > 0 || left.Add(-1) < 0 {
			return noCut
		}
		return at
	})
	pooled := openStore(t, "mysql://"+cutDSN)
	armed.Store(true)

	ledger := newLedger()
	var wg sync.WaitGroup
	for range writers {
		n := -1
		wg.Go(func() {
			ledger.write(t.Context(), pooled, func() (int, bool) { n++; return n, left.Load() > 0 })
		})
	}
	wg.Wait()
	armed.Store(false)
	ledger.check(t, direct, "connections cut in mid-statement and around COMMIT", cuts)
	if ledger.unknown > 0 {
		t.Errorf("%d calls returned ErrUnknownOutcome instead of resolving it", ledger.unknown)
	}
}

// A transaction of Open begins with its first statement instead of a START TRANSACTION, and rolls back like any other.
func TestTransactionsBeginImplicitly(t *testing.T) {
	s := openStore(t, "mysql://"+newDatabase(t))
	undone := errors.New("undone")
	err := s.Tx(t.Context(), func(ctx context.Context, tx *sql.Tx, s *ttp.Store) error {
		succeed(t, second(s.InsertTags(ctx, []ttp.Tag{retryTag("1")})))
		var name, begins string
		succeed(t, tx.QueryRowContext(ctx, "SHOW SESSION STATUS LIKE 'Com_begin'").Scan(&name, &begins))
		if begins != "0" {
			t.Errorf("the connection began %s transactions explicitly", begins)
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Errorf("got %v", err)
	}
	requireTags(t, s, nil, 0)
}
