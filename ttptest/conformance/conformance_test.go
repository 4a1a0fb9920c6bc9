package conformance_test

import (
	"context"
	"database/sql/driver"
	"path/filepath"
	"testing"

	"modernc.org/sqlite"

	"github.com/decnet/ttpstore/ttp"
	"github.com/decnet/ttpstore/ttptest/conformance"
)

// file is a connector to a SQLite file, like that of a program with its own driver.
type file string

func (f file) Connect(context.Context) (driver.Conn, error) {
	return f.Driver().Open(ttp.SQLiteDSN(string(f)))
}
func (f file) Driver() driver.Driver { return &sqlite.Driver{} }

func TestSQLite(t *testing.T) {
	conformance.Run(t, conformance.Engine{
		Dialect: ttp.SQLite,
		Empty:   func(tb testing.TB) driver.Connector { return file(filepath.Join(tb.TempDir(), "ttp.db")) },
	})
}
