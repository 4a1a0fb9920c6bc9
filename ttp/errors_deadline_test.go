package ttp

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// lateContext has passed its deadline, but its timer has not fired yet.
type lateContext struct{ context.Context }

func (lateContext) Deadline() (time.Time, bool) { return time.Now().Add(-time.Millisecond), true }

func TestATimeoutOfADialerAtTheDeadlineIsDeadlineExceeded(t *testing.T) {
	mysql.RegisterDialContext("unix", func(context.Context, string) (net.Conn, error) { return nil, os.ErrDeadlineExceeded })
	t.Cleanup(func() { mysql.DeregisterDialContext("unix") })
	ctx := lateContext{t.Context()}
	db, err := sql.Open("mysql", "root@unix(socket)/db")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	s, err := New(db, MySQL, WithRetries(1, time.Second))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.ListDistinctTechniques(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("New: got %v", err)
	}
	if _, err = Open(ctx, "mysql://root@unix(socket)/db"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Open: got %v", err)
	}
}
