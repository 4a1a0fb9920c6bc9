package ttp

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"strings"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

// queries runs the generated queries of one dialect.
type queries struct {
	writer
	db      dbtx
	sharded bool               // tags may lie on several servers
	sqlite  *sqlitegen.Queries // nil on MySQL
	mysql   *mysqlgen.Queries  // nil on SQLite
}

// writer holds the writes that the dialects do in different ways.
type writer interface {
	// insertTags writes the tags that are not stored yet and returns their number.
	insertTags(ctx context.Context, db dbtx, rows []insertRow) (int64, error)
	// addTechniqueCounts expects the groups in the order of their keys. It reports whether it added them.
	addTechniqueCounts(ctx context.Context, db dbtx, groups []group, when addWhen) (bool, error)
	// markTechniqueStale locks all slots of the key.
	markTechniqueStale(ctx context.Context, db dbtx, key groupKey) error
}

// A query is declared once, in the file of its concept, by the two methods that sqlc generates for it and
// the mapper of its rows. The helpers below bind its parameters by name from args; a name or a type that
// args does not have stops the program when it starts.
type generated[T any] func(ctx context.Context, q queries, a args) (T, error)

// many declares a query of any number of rows.
func many[SP, SR, MP, MR, T any](
	sqlite func(*sqlitegen.Queries, context.Context, SP) ([]SR, error),
	mysql func(*mysqlgen.Queries, context.Context, MP) ([]MR, error),
	fromSQLite func(SR) T, fromMySQL func(MR) T,
) generated[[]T] {
	return either(mapped(sqlite, fromSQLite), mapped(mysql, fromMySQL))
}

// all declares a query of any number of rows that has no parameters.
func all[SR, MR, T any](
	sqlite func(*sqlitegen.Queries, context.Context) ([]SR, error),
	mysql func(*mysqlgen.Queries, context.Context) ([]MR, error),
	fromSQLite func(SR) T, fromMySQL func(MR) T,
) generated[[]T] {
	return many(unbound(sqlite), unbound(mysql), fromSQLite, fromMySQL)
}

// one declares a query of one row; it returns sql.ErrNoRows where there is none.
func one[SP, SR, MP, MR, T any](
	sqlite func(*sqlitegen.Queries, context.Context, SP) (SR, error),
	mysql func(*mysqlgen.Queries, context.Context, MP) (MR, error),
	fromSQLite func(SR) T, fromMySQL func(MR) T,
) generated[T] {
	return either(
		func(q *sqlitegen.Queries, ctx context.Context, p SP) (out T, err error) {
			row, err := sqlite(q, ctx, p)
			if err == nil {
				out = fromSQLite(row)
			}
			return out, err
		},
		func(q *mysqlgen.Queries, ctx context.Context, p MP) (out T, err error) {
			row, err := mysql(q, ctx, p)
			if err == nil {
				out = fromMySQL(row)
			}
			return out, err
		})
}

// first returns the first row of a query of any number of rows, or sql.ErrNoRows.
func first[T any](list generated[[]T]) generated[T] {
	return func(ctx context.Context, q queries, a args) (T, error) {
		rows, err := list(ctx, q, a)
		if err != nil || len(rows) == 0 {
			var none T
			return none, cmp.Or(err, sql.ErrNoRows)
		}
		return rows[0], nil
	}
}

// execRows declares a statement that returns the number of rows it changed.
func execRows[SP, MP any](
	sqlite func(*sqlitegen.Queries, context.Context, SP) (int64, error),
	mysql func(*mysqlgen.Queries, context.Context, MP) (int64, error),
) generated[int64] {
	return either(sqlite, mysql)
}

// exec declares a statement without a result.
func exec[SP, MP any](
	sqlite func(*sqlitegen.Queries, context.Context, SP) error,
	mysql func(*mysqlgen.Queries, context.Context, MP) error,
) func(context.Context, queries, args) error {
	run := either(
		func(q *sqlitegen.Queries, ctx context.Context, p SP) (struct{}, error) {
			return struct{}{}, sqlite(q, ctx, p)
		},
		func(q *mysqlgen.Queries, ctx context.Context, p MP) (struct{}, error) {
			return struct{}{}, mysql(q, ctx, p)
		})
	return func(ctx context.Context, q queries, a args) error {
		_, err := run(ctx, q, a)
		return err
	}
}

// either is the one branch on the dialect.
func either[SP, MP, T any](
	sqlite func(*sqlitegen.Queries, context.Context, SP) (T, error),
	mysql func(*mysqlgen.Queries, context.Context, MP) (T, error),
) generated[T] {
	bindSQLite, bindMySQL := bind[SP](), bind[MP]()
	return func(ctx context.Context, q queries, a args) (T, error) {
		if q.mysql != nil {
			return mysql(q.mysql, ctx, bindMySQL(a))
		}
		return sqlite(q.sqlite, ctx, bindSQLite(a))
	}
}

func mapped[Q, P, R, T any](run func(Q, context.Context, P) ([]R, error), mapRow func(R) T) func(Q, context.Context, P) ([]T, error) {
	return func(q Q, ctx context.Context, p P) ([]T, error) {
		rows, err := run(q, ctx, p)
		if err != nil {
			return nil, err
		}
		out := make([]T, len(rows))
		for i, row := range rows {
			out[i] = mapRow(row)
		}
		return out, nil
	}
}

func unbound[Q, R any](run func(Q, context.Context) ([]R, error)) func(Q, context.Context, struct{}) ([]R, error) {
	return func(q Q, ctx context.Context, _ struct{}) ([]R, error) { return run(q, ctx) }
}

// bind plans how to fill the parameters of a generated query: by name, since the dialects number them
// differently and no query has all of args. sqlc tells MySQL's bare ? apart by a suffix, as in Limit_2.
func bind[P any]() func(args) P {
	params, from := reflect.TypeFor[P](), reflect.TypeFor[args]()
	fields := make([][]int, params.NumField())
	for i := range fields {
		name, _, _ := strings.Cut(params.Field(i).Name, "_")
		field, ok := from.FieldByName(name)
		if !ok || field.Type != params.Field(i).Type {
			panic(fmt.Sprintf("ttp: args has no %s of type %s for %s", name, params.Field(i).Type, params))
		}
		fields[i] = field.Index
	}
	return func(a args) P {
		a.filterArgs = a.orEverything()
		var p P
		values, to := reflect.ValueOf(a), reflect.ValueOf(&p).Elem()
		for i, index := range fields {
			to.Field(i).Set(values.FieldByIndex(index))
		}
		return p
	}
}

// affected reports whether a statement affected a row.
func affected(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}
