package main

import (
	"context"
	"database/sql"
	"time"

	"github.com/go-sql-driver/mysql"
)

// observer reads the counters of a MySQL server.
type observer struct{ db *sql.DB }

func observe(server *mysql.Config) (observer, error) {
	db, err := openMySQL(server, true)
	if err != nil {
		return observer{}, err
	}
	db.SetMaxOpenConns(1)
	return observer{db}, nil
}

// serverWork holds the counters of the open connections to one database.
type serverWork struct {
	roundTrips   int64
	busy, locked time.Duration // time of all statements, and the part of it spent waiting for locks
}

func (w serverWork) since(before serverWork) serverWork {
	return serverWork{w.roundTrips - before.roundTrips, w.busy - before.busy, w.locked - before.locked}
}

// work ignores requests without a reply. The server counts in picoseconds.
func (o observer) work(ctx context.Context, p place) (w serverWork, err error) {
	err = o.db.QueryRowContext(ctx, `SELECT CAST(COALESCE(SUM(count_star), 0) AS SIGNED),`+
		` CAST(COALESCE(SUM(sum_timer_wait), 0) DIV 1000 AS SIGNED), CAST(COALESCE(SUM(sum_lock_time), 0) DIV 1000 AS SIGNED)`+
		` FROM performance_schema.events_statements_summary_by_thread_by_event_name JOIN performance_schema.threads USING (thread_id)`+
		` WHERE processlist_db = ? AND event_name <> 'statement/com/Close stmt'`, p.server.DBName).Scan(&w.roundTrips, &w.busy, &w.locked)
	return w, err
}

// redoLog returns the size of the redo log since the last checkpoint, of all databases.
func (o observer) redoLog(ctx context.Context, _ place) (n int64, err error) {
	err = o.db.QueryRowContext(ctx, `SELECT variable_value FROM performance_schema.global_status`+
		` WHERE variable_name = 'Innodb_redo_log_logical_size'`).Scan(&n)
	return n, err
}

// size returns the size of the files of a database's tables.
func (o observer) size(ctx context.Context, p place) (n int64, err error) {
	err = o.db.QueryRowContext(ctx, `SELECT CAST(SUM(file_size) AS SIGNED) FROM information_schema.innodb_tablespaces`+
		` WHERE name LIKE CONCAT(?, '/%')`, p.server.DBName).Scan(&n)
	return n, err
}
