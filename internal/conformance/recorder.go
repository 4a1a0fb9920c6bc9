package conformance

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"sync"
)

// Recorder records the last execution of each generated query, which contains its name in a comment.
type Recorder struct {
	mu        sync.Mutex
	last      map[string]statement
	most      map[string]int // maximum number of arguments by query
	countdown int
	then      func()
	before    map[string]func() // by query
}

// statement is an executed query.
type statement struct {
	query string
	args  []driver.NamedValue
}

var queryName = regexp.MustCompile(`^-- name: (\w+) `)

// queryOf returns the name of a generated query, or "" for other SQL.
func queryOf(query string) string {
	if name := queryName.FindStringSubmatch(query); name != nil {
		return name[1]
	}
	return ""
}

func (r *Recorder) record(query string, args []driver.NamedValue) {
	name := queryOf(query)
	if name == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last == nil {
		r.last, r.most = map[string]statement{}, map[string]int{}
	}
	r.last[name] = statement{query, args}
	r.most[name] = max(r.most[name], len(args))
	if r.countdown--; r.countdown == 0 {
		r.then()
	}
	if then := r.before[name]; then != nil {
		then()
	}
}

// beforeEach calls then before each later execution of one of the queries.
func (r *Recorder) beforeEach(then func(), queries ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before = map[string]func(){}
	for _, query := range queries {
		r.before[query] = then
	}
}

// after calls then before the nth later execution.
func (r *Recorder) after(n int, then func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.countdown, r.then = n, then
}

// statement returns the last execution of a query.
func (r *Recorder) statement(name string) (statement, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.last[name]
	return s, ok
}

// merge adds the executions that other has recorded.
func (r *Recorder) merge(other *Recorder) {
	other.mu.Lock()
	defer other.mu.Unlock()
	for _, s := range other.last {
		r.record(s.query, s.args)
	}
}

// Connector returns a connector whose connections are recorded. The driver's connections must implement fullConn.
func (r *Recorder) Connector(c driver.Connector) driver.Connector {
	return recordedConnector{c, r}
}

type recordedConnector struct {
	driver.Connector
	recorder *Recorder
}

func (c recordedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := conn.(fullConn)
	if !ok {
		err := fmt.Errorf("connections of type %T lack interfaces of database/sql/driver that the suite needs", conn)
		return nil, errors.Join(err, conn.Close())
	}
	return recordedConn{full, c.recorder}, nil
}

// fullConn holds the optional interfaces of connections.
type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

type recordedConn struct {
	fullConn
	recorder *Recorder
}

func (c recordedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.recorder.record(query, args)
	return c.fullConn.ExecContext(ctx, query, args)
}

func (c recordedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.recorder.record(query, args)
	return c.fullConn.QueryContext(ctx, query, args)
}

func (c recordedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.fullConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return recordedStmt{stmt.(fullStmt), c.recorder, query}, nil
}

// fullStmt holds the optional interfaces of statements.
type fullStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type recordedStmt struct {
	fullStmt
	recorder *Recorder
	query    string
}

func (s recordedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.recorder.record(s.query, args)
	return s.fullStmt.ExecContext(ctx, args)
}

func (s recordedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.recorder.record(s.query, args)
	return s.fullStmt.QueryContext(ctx, args)
}

// CheckNamedValue calls the method of the driver, if any.
func (s recordedStmt) CheckNamedValue(v *driver.NamedValue) error {
	return checkNamedValue(s.fullStmt, v)
}

// CheckNamedValue calls the method of the driver, if any.
func (c recordedConn) CheckNamedValue(v *driver.NamedValue) error {
	return checkNamedValue(c.fullConn, v)
}

func checkNamedValue(wrapped any, v *driver.NamedValue) error {
	if checker, ok := wrapped.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}
