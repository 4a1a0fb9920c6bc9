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

// queries runs the generated queries of a dialect.
type queries struct {
	writer
	db      dbtx
	sharded bool               // tags may lie on several servers
	sqlite  *sqlitegen.Queries // nil on MySQL
	mysql   *mysqlgen.Queries  // nil on SQLite
}

// writer holds the writes that differ between dialects in more than spelling.
type writer interface {
	// insertTags inserts the tags that are not stored yet and returns their number.
	insertTags(ctx context.Context, db dbtx, rows []insertRow) (int64, error)
	// addTechniqueCounts adds groups, which must be sorted by key. It reports whether it added them.
	addTechniqueCounts(ctx context.Context, db dbtx, groups []group, when addWhen) (bool, error)
	// upsertAttackers inserts or updates attackers in their order. Zero fields keep their stored value.
	upsertAttackers(ctx context.Context, db dbtx, attackers []Attacker) error
	// markTechniqueStale marks and locks all slots of the key.
	markTechniqueStale(ctx context.Context, db dbtx, key groupKey) error
}

// generated is a query of both dialects. Each is declared once, in the file of its concept, from the two methods that
// sqlc generates and a function that converts rows. The helpers below bind its parameters from args by name; a
// parameter that args lacks panics at program start.
type generated[T any] func(ctx context.Context, q queries, a args) (T, error)

// many declares a query that returns rows.
func many[SP, SR, MP, MR, T any](
	sqlite func(*sqlitegen.Queries, context.Context, SP) ([]SR, error),
	mysql func(*mysqlgen.Queries, context.Context, MP) ([]MR, error),
	fromSQLite func(SR) T, fromMySQL func(MR) T,
) generated[[]T] {
	return either(mapped(sqlite, fromSQLite), mapped(mysql, fromMySQL))
}

// all declares a query without parameters that returns rows.
func all[SR, MR, T any](
	sqlite func(*sqlitegen.Queries, context.Context) ([]SR, error),
	mysql func(*mysqlgen.Queries, context.Context) ([]MR, error),
	fromSQLite func(SR) T, fromMySQL func(MR) T,
) generated[[]T] {
	return many(unbound(sqlite), unbound(mysql), fromSQLite, fromMySQL)
}

// one declares a query that returns one row, or sql.ErrNoRows.
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

// first returns a query for the first row of list, or sql.ErrNoRows.
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

// execRows declares a statement that returns the number of affected rows.
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

// either returns a query that runs the method of the store's dialect. Generated queries branch on the dialect only here.
func either[SP, MP, T any](
	sqlite func(*sqlitegen.Queries, context.Context, SP) (T, error),
	mysql func(*mysqlgen.Queries, context.Context, MP) (T, error),
) generated[T] {
	bindSQLite, bindMySQL, filtered := bind[SP](), bind[MP](), hasFilter[SP]()
	return func(ctx context.Context, q queries, a args) (T, error) {
		if filtered && (!a.set || a.onlyWindowed()) {
			q = q.unfiltered(a.set)
		}
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

// bind returns a function that fills the parameters of a generated query from args. It binds by name, since the
// dialects order parameters differently. sqlc distinguishes MySQL's bare ? by a suffix, as in Limit_2.
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
		a.padLists()
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
