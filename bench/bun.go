package main

import (
	"context"
	"database/sql"
	"io"
	"slices"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/mysqldialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"
	bunschema "github.com/uptrace/bun/schema"

	"github.com/decnet/ttpstore/ttp"
)

const bunName = "bun"

// bunSubject is bun with the drivers of its documentation. For SQLite on this platform it is ttpstore's driver.
func bunSubject() subject {
	return subject{name: bunName, schema: formerSchema(), open: openBun}
}

type bunStore struct{ db *bun.DB }

func openBun(ctx context.Context, p place) (store, error) {
	pool, err := openFormer(ctx, sqliteshim.DriverName(), p)
	if err != nil {
		return nil, err
	}
	var dialect bunschema.Dialect = sqlitedialect.New()
	if p.server != nil {
		dialect = mysqldialect.New()
	}
	return bunStore{bun.NewDB(pool, dialect)}, nil
}

// insert writes slices: https://bun.uptrace.dev/guide/query-insert.html. bun interpolates the values into the statement.
func (s bunStore) insert(ctx context.Context, tags []ttp.Tag) (int, error) {
	rows := formerTags(tags)
	return retried(func() (written int, err error) {
		written = 0
		err = s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			for chunk := range slices.Chunk(rows, formerBatch) {
				result, err := tx.NewInsert().Model(&chunk).Ignore().Exec(ctx)
				if err != nil {
					return err
				}
				n, err := result.RowsAffected()
				if err != nil {
					return err
				}
				written += int(n)
			}
			return nil
		})
		return written, err
	})
}

func (s bunStore) link(ctx context.Context, g graph) error { return formerLink(ctx, s.pool(), g) }

func (s bunStore) pool() *sql.DB { return s.db.DB }

func (s bunStore) rollup(ctx context.Context, of scope) (rollupTotals, error) {
	var rows []techniqueRow
	query := s.db.NewSelect().Model((*formerTag)(nil)).ColumnExpr(formerSelect)
	if where, args := formerWhere(of); where != "" {
		query = query.Where(where, args...)
	}
	err := query.GroupExpr("technique_id, sub_technique_id").OrderExpr("count DESC, technique_id, sub_technique_id").Scan(ctx, &rows)
	return totalsOf(rows), err
}

// page uses an offset, like most pagination.
func (s bunStore) page(_ context.Context, n int) (func(context.Context) (int, error), error) {
	return func(ctx context.Context) (int, error) {
		var rows []formerTag
		err := s.db.NewSelect().Model(&rows).OrderExpr("created_at DESC, uuid").Offset(int64(n)).Limit(pageTags).Scan(ctx)
		return len(rows), err
	}, nil
}

// export scans row by row, which the documentation recommends for large results.
func (s bunStore) export(ctx context.Context, w io.Writer) (int, error) {
	rows, err := s.db.NewSelect().Model((*formerTag)(nil)).OrderExpr("uuid").Rows(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	tags, line := 0, encodeLines(w)
	for rows.Next() {
		var row formerTag
		if err := s.db.ScanRow(ctx, rows, &row); err != nil {
			return tags, err
		}
		if err := line(&row); err != nil {
			return tags, err
		}
		tags++
	}
	return tags, rows.Err()
}

func (s bunStore) close() error { return s.db.Close() }
