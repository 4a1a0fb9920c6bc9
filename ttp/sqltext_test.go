package ttp_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// queryMethods maps the methods of database/sql that take SQL to the position of its text.
var queryMethods = map[string]int{
	"Exec": 0, "Query": 0, "QueryRow": 0, "Prepare": 0,
	"ExecContext": 1, "QueryContext": 1, "QueryRowContext": 1, "PrepareContext": 1,
}

// builtSQL maps the functions whose SQL is not a constant to the origin of its parts. No part comes from a caller.
var builtSQL = map[string]string{
	"statements.QueryContext":        "passes the text on",
	"statements.stmt":                "passes the text on",
	"txStatements.PrepareContext":    "passes the text on",
	"txStatements.QueryContext":      "passes the text on",
	"txStatements.ExecContext":       "passes the text on",
	"unfiltered.QueryContext":        "the generated statement without the conditions of a filter",
	"insertTagRows":                  "the generated statement with its placeholders repeated",
	"mysqlEngine.addTechniqueCounts": "the generated statement with its placeholders repeated",
	"mysqlEngine.upsertAttackers":    "the generated statement with its placeholders repeated",
	"mysqlEngine.markTechniqueStale": "the generated statement with its placeholders repeated",
	"Store.tableColumns":             "one of two constants",
	"sqliteEngine.checkTables":       "one of two constants",
	"sqliteEngine.rebuildIndex":      "the name of an index, which sqliteWrongIndex matches",
	"Store.CreateViews":              "a file of sql/views",
	"Store.dropViews":                "one of four constants",
	"predecessorSource.check":        "one of four constants",
	"predecessorSource.rowsFrom":     "one of the constants of its callers",
}

// SQL is never built from values: its text is a constant, or built as builtSQL documents.
func TestSQLIsNotMadeOfValues(t *testing.T) {
	positions := token.NewFileSet()
	withoutTests := func(info fs.FileInfo) bool { return !strings.HasSuffix(info.Name(), "_test.go") }
	packages, err := parser.ParseDir(positions, ".", withoutTests, 0) //nolint:staticcheck // no types are needed
	if err != nil {
		t.Fatal(err)
	}
	calls, built := callsOfBuiltSQL(slices.Collect(maps.Values(packages["ttp"].Files)))
	for name, position := range built {
		if builtSQL[name] == "" {
			t.Errorf("%s: %s runs SQL that is no constant", positions.Position(position), name)
		}
	}
	if names := slices.Sorted(maps.Keys(built)); calls < 20 || !slices.Equal(names, slices.Sorted(maps.Keys(builtSQL))) {
		t.Errorf("of %d calls, those in %v are of SQL that is no constant", calls, names)
	}
}

// The names of other functions' constants are no constants.
func TestSQLMadeOfValuesIsFound(t *testing.T) {
	var files []*ast.File
	for _, source := range []string{`package ttp; const text = "SELECT "`, `package ttp
func constant()              { const op = "1"; db.ExecContext(ctx, text + op) }
func assigned(name string)   { op := "DELETE " + name; db.ExecContext(ctx, op) }
func declared(name string)   { var text = "DELETE " + name; db.ExecContext(ctx, text) }
func parameter(text string)  { db.ExecContext(ctx, text) }
func concatenated(id string) { db.ExecContext(ctx, text + id) }
func formatted(id string)    { db.ExecContext(ctx, fmt.Sprint(text, id)) }
func anothers()              { db.ExecContext(ctx, op) }
var literal = func(id string) { db.ExecContext(ctx, id) }`} {
		file, err := parser.ParseFile(token.NewFileSet(), "", source, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	calls, built := callsOfBuiltSQL(files)
	want := []string{"a variable", "anothers", "assigned", "concatenated", "declared", "formatted", "parameter"}
	if names := slices.Sorted(maps.Keys(built)); calls != 8 || !slices.Equal(names, want) {
		t.Errorf("of %d calls, those in %v are of SQL that is no constant, want %v", calls, names, want)
	}
}

// callsOfBuiltSQL counts the calls that run SQL in the files of a package, and returns the declarations in which its text
// is no constant, with the position of the text.
func callsOfBuiltSQL(files []*ast.File) (calls int, built map[string]token.Pos) {
	constants := map[string]bool{} // of the package
	for _, file := range files {
		for _, object := range file.Scope.Objects {
			constants[object.Name] = object.Kind == ast.Con
		}
	}
	built = map[string]token.Pos{}
	for _, file := range files {
		for _, declaration := range file.Decls {
			ast.Inspect(declaration, func(node ast.Node) bool {
				if text := sqlOf(node); text != nil {
					if calls++; !isConstant(text, constants) {
						built[nameOf(declaration)] = text.Pos()
					}
				}
				return true
			})
		}
	}
	return calls, built
}

// The packages beside ttp that use database/sql are for tests, or examples of a caller.
func TestOnlyTTPAccessesDatabases(t *testing.T) {
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, entry fs.DirEntry, err error) error {
		folder, _, _ := strings.Cut(path, "/")
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
			slices.Contains([]string{"ttp", "ttptest", "db", "examples", "integration", "bench"}, folder) ||
			strings.HasPrefix(path, "internal/conformance/") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), "../"+path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imported := range file.Imports {
			if name, _ := strconv.Unquote(imported.Path.Value); name == "database/sql" {
				t.Errorf("%s imports %s", path, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sqlOf returns the text that a call runs, nil for other nodes and for calls of a prepared statement.
func sqlOf(node ast.Node) ast.Expr {
	call, ok := node.(*ast.CallExpr)
	if !ok {
		return nil
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	at, ok := queryMethods[method.Sel.Name]
	if !ok || len(call.Args) <= at || (call.Ellipsis.IsValid() && len(call.Args) == at+1) {
		return nil
	}
	return call.Args[at]
}

// isConstant reports whether an expression is made of literals, constants and generated queries. The parser resolves the
// names that are declared in the same file; the others are the package's.
func isConstant(e ast.Expr, constants map[string]bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		if e.Obj != nil {
			return e.Obj.Kind == ast.Con
		}
		return constants[e.Name]
	case *ast.BinaryExpr:
		return isConstant(e.X, constants) && isConstant(e.Y, constants)
	case *ast.SelectorExpr:
		pkg, ok := e.X.(*ast.Ident)
		return ok && (pkg.Name == "sqlitegen" || pkg.Name == "mysqlgen")
	}
	return false
}

// nameOf returns the name of a function with its receiver's type.
func nameOf(declaration ast.Decl) string {
	function, ok := declaration.(*ast.FuncDecl)
	if !ok {
		return "a variable"
	}
	if function.Recv == nil {
		return function.Name.Name
	}
	receiver := function.Recv.List[0].Type
	if pointer, ok := receiver.(*ast.StarExpr); ok {
		receiver = pointer.X
	}
	return receiver.(*ast.Ident).Name + "." + function.Name.Name
}
