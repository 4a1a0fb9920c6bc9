package integration

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

// A server that may prepare no more statements executes them unprepared.
func TestPreparedStatementsRunOut(t *testing.T) {
	s := openStore(t, "mysql://"+newDatabase(t))
	var limit int
	succeed(t, withServer(server, pingTimeout, func(ctx context.Context, db *sql.DB) error {
		return db.QueryRowContext(ctx, "SELECT @@max_prepared_stmt_count").Scan(&limit)
	}))
	setLimit := func(n int) { succeed(t, execute(server, fmt.Sprint("SET GLOBAL max_prepared_stmt_count = ", n))) }
	_, err := s.ListRules(t.Context(), ttp.Filter{})
	succeed(t, err)
	setLimit(0)
	defer setLimit(limit)
	for i := range 3 {
		got, err := s.InsertTags(t.Context(), []ttp.Tag{retryTag(fmt.Sprint(i))})
		succeed(t, err)
		if got.Inserted != 1 {
			t.Errorf("inserted %d tags, want 1", got.Inserted)
		}
		rows, err := s.Rollup(t.Context(), ttp.OfAttacker(retryTag("").AttackerUUID))
		succeed(t, err)
		if len(rows) != 1 || rows[0].Count != int64(i+1) {
			t.Errorf("got %+v, want one technique with %d tags", rows, i+1)
		}
		cells, err := s.Cells(t.Context(), ttp.Fleet()) // in a transaction
		succeed(t, err)
		if len(cells) != 1 {
			t.Errorf("got %+v, want one cell", cells)
		}
	}
	var wg sync.WaitGroup
	for range 16 { // connections, of which one has prepared the statement
		wg.Go(func() {
			if rules, err := s.ListRules(t.Context(), ttp.Filter{}); err != nil || len(rules) != 1 {
				t.Errorf("got %+v, %v, want one rule", rules, err)
			}
		})
	}
	wg.Wait()
}
