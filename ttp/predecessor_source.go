package ttp

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// predecessorBatch is the number of the predecessor's rows that are written in one transaction.
const predecessorBatch = 1000

// predecessorSource is a snapshot of the predecessor's database.
type predecessorSource struct {
	tx     *sql.Tx
	pools  []*sql.DB
	file   sqliteEngine // zero for a server
	clean  func()       // removes the side files that reading made
	single bool         // confidence has single precision
}

// openPredecessor opens the database and begins a read-only transaction.
func openPredecessor(ctx context.Context, url string) (source predecessorSource, err error) {
	scheme, rest, _ := strings.Cut(url, "://")
	var write, read *sql.DB
	switch Dialect(scheme) {
	case SQLite:
		if rest == "" || rest == sqliteMemory || strings.ContainsAny(rest, "?#") {
			return source, errors.New("source: want sqlite://PATH, without parameters")
		}
		path, _ := sqlitePath(rest) // openSQLite returns the error
		inUse := sqliteEngine{path: path}.has("-wal")
		if source.file, write, read, err = openSQLite(ctx, rest); err == nil {
			source.pools, source.clean = []*sql.DB{read, write}, func() {}
			if !inUse {
				source.clean = func() { source.file.afterReads(write) }
			}
		}
		if err == nil && source.file.absent() {
			err = errors.New("there is no such file")
		}
	case MySQL:
		if write, read, err = openMySQL(ctx, rest); err == nil {
			source.pools, source.clean, source.single = []*sql.DB{read, write}, func() {}, true
		}
	default:
		err = errors.New("want a URL that begins with sqlite:// or mysql://")
	}
	if err == nil {
		source.tx, err = read.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	}
	if err == nil {
		err = source.check(ctx)
		err = cmp.Or(source.file.checkRead(), err)
	}
	if err != nil {
		return source, errors.Join(fmt.Errorf("source: %w", err), source.close())
	}
	return source, nil
}

// check refuses a database that is not the predecessor's.
func (source predecessorSource) check(ctx context.Context) error {
	for _, columns := range []string{
		"merged_into_uuid FROM campaigns", "campaign_id, merged_into_uuid FROM attacker_identities", "ip, identity_id FROM attackers",
		"mitre_url, created_at FROM ttp_tag",
	} {
		err := source.tx.QueryRowContext(ctx, "SELECT uuid, "+columns+" WHERE 1 = 0").Scan()
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case ctx.Err() != nil:
			return err
		default:
			return fmt.Errorf("the database is not the predecessor's: %v", err) //nolint:errorlint // not an error of this store's schema
		}
	}
	return nil
}

func (source predecessorSource) close() error {
	var errs []error
	if source.tx != nil {
		_ = source.tx.Rollback() // nothing was written
	}
	for i, pool := range source.pools {
		errs = append(errs, pool.Close())
		if i == 0 {
			source.clean()
		}
	}
	return errors.Join(errs...)
}

// checked returns the error of a read, or ErrBusy if the file is read without locks and has changed.
func (source predecessorSource) checked(err error) error {
	if err = cmp.Or(source.file.checkRead(), err); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	return nil
}

// rowsFrom streams the rows of a query as text, with NULL as "".
func (source predecessorSource) rowsFrom(ctx context.Context, query string, columns int) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		rows, err := source.tx.QueryContext(ctx, query)
		if err != nil {
			yield(nil, source.checked(err))
			return
		}
		defer func() { _ = rows.Close() }()
		values, targets := make([]sql.NullString, columns), make([]any, columns)
		for i := range values {
			targets[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(targets...); err != nil {
				yield(nil, source.checked(err))
				return
			}
			texts := make([]string, columns)
			for i, value := range values {
				texts[i] = value.String
			}
			if !yield(texts, nil) {
				return
			}
		}
		if err := source.checked(rows.Err()); err != nil {
			yield(nil, err)
		}
	}
}

// batchesFrom streams the rows of a query in batches, each checked before it is used.
func (source predecessorSource) batchesFrom(ctx context.Context, query string, columns int) iter.Seq2[[][]string, error] {
	return func(yield func([][]string, error) bool) {
		var batch [][]string
		for row, err := range source.rowsFrom(ctx, query, columns) {
			if err == nil {
				if batch = append(batch, row); len(batch) < predecessorBatch {
					continue
				}
				err = source.checked(nil)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(batch, nil) {
				return
			}
			batch = nil
		}
		if len(batch) > 0 {
			yield(batch, nil)
		}
	}
}
