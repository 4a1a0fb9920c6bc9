package main

import (
	"context"
	"database/sql"
	"io"

	gormmysql "gorm.io/driver/mysql"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/decnet/ttpstore/ttp"
)

const gormName = "GORM"

// gormSubject is GORM with its own drivers. Its SQLite driver uses C SQLite.
func gormSubject() subject {
	return subject{name: gormName, schema: formerSchema(), open: openGORM}
}

type gormStore struct {
	db  *gorm.DB
	sql *sql.DB
}

// openGORM follows https://gorm.io/docs/performance.html.
func openGORM(ctx context.Context, p place) (store, error) {
	pool, err := openFormer(ctx, cSQLite, p)
	if err != nil {
		return nil, err
	}
	dialector := gormsqlite.New(gormsqlite.Config{Conn: pool})
	if p.server != nil {
		dialector = gormmysql.New(gormmysql.Config{Conn: pool})
	}
	db, err := gorm.Open(dialector, &gorm.Config{
		SkipDefaultTransaction: true, // insert begins a transaction itself
		PrepareStmt:            true, // statements are prepared once
		Logger:                 logger.Default.LogMode(logger.Silent),
	})
	return gormStore{db, pool}, err
}

func (s gormStore) insert(ctx context.Context, tags []ttp.Tag) (int, error) {
	rows := formerTags(tags)
	return retried(func() (n int, err error) {
		err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			result := tx.Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(&rows, formerBatch)
			n = int(result.RowsAffected)
			return result.Error
		})
		return n, err
	})
}

func (s gormStore) link(ctx context.Context, g graph) error { return formerLink(ctx, s.sql, g) }

func (s gormStore) rollup(ctx context.Context, of scope) (rollupTotals, error) {
	var rows []techniqueRow
	query := s.db.WithContext(ctx).Model(&formerTag{}).Select(formerSelect)
	if where, args := formerWhere(of); where != "" {
		query = query.Where(where, args...)
	}
	err := query.Group("technique_id, sub_technique_id").Order("count DESC, technique_id, sub_technique_id").Scan(&rows).Error
	return totalsOf(rows), err
}

// page uses an offset: https://gorm.io/docs/scopes.html#pagination.
func (s gormStore) page(_ context.Context, n int) (func(context.Context) (int, error), error) {
	return func(ctx context.Context) (int, error) {
		var rows []formerTag
		err := s.db.WithContext(ctx).Order("created_at DESC, uuid").Offset(n).Limit(pageTags).Find(&rows).Error
		return len(rows), err
	}, nil
}

// export reads in batches, each after the primary key of the previous one.
func (s gormStore) export(ctx context.Context, w io.Writer) (int, error) {
	tags, line := 0, encodeLines(w)
	var rows []formerTag
	err := s.db.WithContext(ctx).FindInBatches(&rows, formerBatch, func(*gorm.DB, int) error {
		for i := range rows {
			if err := line(&rows[i]); err != nil {
				return err
			}
		}
		tags += len(rows)
		return nil
	}).Error
	return tags, err
}

func (s gormStore) close() error { return s.sql.Close() }
