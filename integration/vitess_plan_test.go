package integration

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/db/mysqlgen"
)

// vtgate must plan every generated query, whether or not a case executes it.
func TestEveryQueryPlansOnShards(t *testing.T) {
	if engine.Keyspaces == 0 {
		return // the suite executes all queries on other servers
	}
	dsn := newDatabase(t)
	openStore(t, "mysql://"+dsn)
	pool, err := sql.Open("mysql", dsn+"?interpolateParams=true")
	succeed(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	for method := range reflect.TypeFor[*mysqlgen.Queries]().Methods() {
		if method.Name == "WithTx" || unplanned[method.Name] != "" {
			continue
		}
		t.Run(method.Name, func(t *testing.T) {
			p := &planner{DB: pool}
			args := []reflect.Value{reflect.ValueOf(mysqlgen.New(p)), reflect.ValueOf(t.Context())}
			if method.Type.NumIn() > len(args) {
				args = append(args, anyParameters(method.Type.In(len(args))))
			}
			method.Func.Call(args)
			if p.err != nil || p.plan == "" {
				t.Errorf("%v", p.err)
			}
			t.Log(p.plan)
		})
	}
}

// unplanned maps the queries that the store does not run on shards to the reason and the replacement.
var unplanned = map[string]string{
	"ListPageStarts":           "has a correlated subquery for each member; instead ListTagKeysByMembers alone finds the page",
	"ListTechniquesByCampaign": "joins tags with identities; instead ListTechniquesByEachMember reads them",
	"ListTechniquesByIdentity": "joins tags with identities; instead ListTechniquesByMembers reads them",
	"ListTagsByMembers":        "joins the rows of a page with a derived table; instead ListTagKeysByMembers and ListTagsByUUID read them",
}

// planner explains statements instead of executing them.
type planner struct {
	*sql.DB
	plan string
	err  error
}

var errPlanned = errors.New("planned, not executed")

func (p *planner) explain(ctx context.Context, query string, args []any) {
	_, statement, _ := strings.Cut(query, "\n") // removes the comment with the name
	p.err = p.DB.QueryRowContext(ctx, "VEXPLAIN PLAN "+statement, args...).Scan(&p.plan)
}

func (p *planner) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	p.explain(ctx, query, args)
	return nil, errPlanned
}

func (p *planner) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	p.explain(ctx, query, args)
	return nil, errPlanned
}

func (p *planner) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	p.explain(ctx, query, args)
	return p.DB.QueryRowContext(ctx, "SELECT 1")
}

// anyParameters returns arbitrary parameters of a generated query.
func anyParameters(of reflect.Type) reflect.Value {
	parameters := reflect.New(of).Elem()
	id := make([]byte, 16)
	for _, field := range parameters.Fields() {
		switch field.Interface().(type) {
		case []byte:
			field.SetBytes(id)
		case [][]byte:
			field.Set(reflect.ValueOf([][]byte{id, id}))
		case sql.NullString:
			field.Set(reflect.ValueOf(sql.NullString{String: "x", Valid: true}))
		case int64:
			field.SetInt(1)
		}
	}
	return parameters
}
