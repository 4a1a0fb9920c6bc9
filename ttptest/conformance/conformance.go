// Package conformance tests a store over a driver, proxy or server of your own with the suite that this module's own
// engines pass.
//
//	func TestMyProxy(t *testing.T) {
//		conformance.Run(t, conformance.Engine{Dialect: ttp.MySQL, Empty: func(tb testing.TB) driver.Connector {
//			... // make an empty database, and drop it with tb.Cleanup
//		}})
//	}
//
// A single case runs with go test -run TestMyProxy/NameOfTheCase.
package conformance

import (
	"database/sql"
	"database/sql/driver"
	"testing"

	"github.com/decnet/ttpstore/internal/conformance"
	"github.com/decnet/ttpstore/ttp"
)

// Engine describes the driver, proxy or server under test.
type Engine struct {
	Dialect ttp.Dialect
	// Empty makes an empty database, which the suite has to itself, and returns a connector to it. The connections must
	// be those of a driver that [ttp.New] names, or return its errors and implement the same interfaces of
	// database/sql/driver with contexts. Empty is called once or more for each case, concurrently.
	Empty func(testing.TB) driver.Connector
	// Lacks are the capabilities that the server does not have, none by default.
	Lacks ttp.Capabilities
	// Except names cases to skip, with the reason.
	Except map[string]string
}

// Run runs every case on a store of [ttp.New].
func Run(t *testing.T, engine Engine) {
	conformance.Run(t, conformance.Engine{
		Dialect: engine.Dialect, OverPool: true, Except: engine.Except,
		Capabilities: ttp.Capabilities{
			Snapshots: !engine.Lacks.Snapshots, AtomicCommits: !engine.Lacks.AtomicCommits, DeadlockDetection: !engine.Lacks.DeadlockDetection,
		},
		Empty: func(tb testing.TB, r *conformance.Recorder) (string, *sql.DB) {
			tb.Helper()
			pool := sql.OpenDB(r.Connector(engine.Empty(tb)))
			if engine.Dialect == ttp.SQLite {
				pool.SetMaxOpenConns(1) // it may be in memory
			}
			tb.Cleanup(func() {
				if err := pool.Close(); err != nil {
					tb.Errorf("close the pool: %v", err)
				}
			})
			return "", pool
		},
	})
}
