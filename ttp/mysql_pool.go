package ttp

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	// mysqlConnections limits a store's share of the server's max_connections, 151 by default.
	mysqlConnections = 32
	// mysqlConnectionLife is below the usual idle timeouts of servers and proxies.
	mysqlConnectionLife = 3 * time.Minute
)

// openMySQL opens a pool for transactions that write and one for all else. dsn is as in mysqlConfig.
func openMySQL(ctx context.Context, dsn string) (write, read *sql.DB, err error) {
	config, err := mysqlConfig(dsn)
	if err != nil {
		return nil, nil, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, nil, err
	}
	read = sql.OpenDB(readCommitted{connector})
	if err := read.PingContext(ctx); err != nil {
		return nil, nil, errors.Join(err, read.Close())
	}
	config = config.Clone()
	config.Params["autocommit"] = "0"
	if connector, err = mysql.NewConnector(config); err != nil {
		return nil, nil, errors.Join(err, read.Close())
	}
	write = sql.OpenDB(implicitBegin{readCommitted{connector}})
	write.SetConnMaxLifetime(mysqlConnectionLife)
	read.SetConnMaxLifetime(mysqlConnectionLife)
	setMySQLPoolSize(write, read, mysqlConnections)
	return write, read, nil
}

func setMySQLPoolSize(write, read *sql.DB, connections int) {
	setPoolSize(write, max(1, connections/2))
	setPoolSize(read, connections-connections/2)
}

// readCommitted opens connections whose transactions are READ COMMITTED by default, which saves writes the round trip to
// set it. A variable in the DSN cannot, since its name differs between MySQL and MariaDB 10.11.
type readCommitted struct{ driver.Connector }

func (c readCommitted) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := connectMySQL(ctx, c.Connector)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return boundedConn{conn}, nil
}

// implicitBegin opens connections with autocommit off, on which the first statement of a transaction begins it. This saves
// writes the round trip of START TRANSACTION. A write outside of a transaction would not be committed.
type implicitBegin struct{ driver.Connector }

func (c implicitBegin) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := connectMySQL(ctx, c.Connector)
	if err != nil {
		return nil, err
	}
	return implicitBeginConn{conn}, nil
}

func connectMySQL(ctx context.Context, connector driver.Connector) (mysqlConn, error) {
	opened, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, ok := opened.(mysqlConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("unexpected connection %T", opened), opened.Close())
	}
	return conn, nil
}

// mysqlConn is a connection of go-sql-driver/mysql.
type mysqlConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type implicitBeginConn struct{ mysqlConn }

func (c implicitBeginConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if opts != (driver.TxOptions{}) {
		return c.mysqlConn.BeginTx(ctx, opts)
	}
	return boundedTx{ctx, c.mysqlConn}, nil
}

// boundedConn begins transactions that end soon after their context.
type boundedConn struct{ mysqlConn }

func (c boundedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if _, err := c.mysqlConn.BeginTx(ctx, opts); err != nil {
		return nil, err
	}
	return boundedTx{ctx, c.mysqlConn}, nil
}

type boundedTx struct {
	ctx  context.Context //nolint:containedctx // of BeginTx, since driver.Tx's methods have none
	conn mysqlConn
}

func (tx boundedTx) Commit() error {
	return tx.end(func(ctx context.Context) (driver.Result, error) { return tx.conn.ExecContext(ctx, "COMMIT", nil) })
}

func (tx boundedTx) Rollback() error {
	return tx.end(func(ctx context.Context) (driver.Result, error) { return tx.conn.ExecContext(ctx, "ROLLBACK", nil) })
}

// end executes COMMIT or ROLLBACK. Once the context has ended, it waits only rollbackTimeout for a server that does not
// reply, and returns the error of a lost connection.
func (tx boundedTx) end(execute func(context.Context) (driver.Result, error)) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(tx.ctx))
	defer cancel()
	defer context.AfterFunc(tx.ctx, func() { time.AfterFunc(rollbackTimeout, cancel) })()
	_, err := execute(ctx)
	if errors.Is(err, context.Canceled) {
		return mysql.ErrInvalidConn
	}
	return err
}
