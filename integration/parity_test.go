package integration

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// recordFiles returns the project's example, and the records of a real honeypot if they are next to the repository.
func recordFiles(t *testing.T) []string {
	files := []string{filepath.Join("..", "examples", "honeypot.jsonl")}
	real := filepath.Join("..", "..", "shared", "data", "cowrie-2018-tags.jsonl.gz")
	if _, err := os.Stat(real); err != nil {
		t.Logf("without the records of a real honeypot: %v", err)
		return files
	}
	return append(files, real)
}

func openStore(t *testing.T, url string, opts ...ttp.Option) *ttp.Store {
	t.Helper()
	s, err := ttp.Open(t.Context(), url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// overPool returns a new pool and a store on it.
func overPool(t *testing.T, dsn string) (*sql.DB, *ttp.Store) {
	t.Helper()
	connector, err := mysql.NewConnector(poolConfig(t, dsn))
	if err != nil {
		t.Fatal(err)
	}
	pool := sql.OpenDB(connector)
	t.Cleanup(func() { _ = pool.Close() })
	s, err := ttp.New(pool, ttp.MySQL)
	if err != nil {
		t.Fatal(err)
	}
	return pool, s
}

// poolConfig returns the configuration of a pool for ttp.New, which needs READ COMMITTED on vtgate.
func poolConfig(tb testing.TB, dsn string) *mysql.Config {
	tb.Helper()
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	if _, given := config.Params[isolation]; engine.Keyspaces > 0 && !given {
		if config.Params == nil {
			config.Params = map[string]string{}
		}
		config.Params[isolation] = "'READ-COMMITTED'"
	}
	return config
}

const isolation = "transaction_isolation"

func newMySQL(t *testing.T) *ttp.Store {
	t.Helper()
	return openStore(t, "mysql://"+newDatabase(t))
}

func newSQLite(t *testing.T) *ttp.Store {
	t.Helper()
	return openStore(t, "sqlite://"+filepath.Join(t.TempDir(), "ttp.db"))
}

func importFile(t *testing.T, s *ttp.Store, file string) ttp.ImportReport {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	report, err := s.Import(t.Context(), f, ttp.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func export(t *testing.T, s *ttp.Store) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := s.Export(t.Context(), &out, ttp.Filter{}, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// provenance matches the fields that differ between two imports.
var provenance = regexp.MustCompile(`"(ingested_at|batch_uuid)":"[^"]*",`)

// Both engines return the same exports and rollups of the same records, and an imported export is exported unchanged.
func TestBothEnginesReturnTheSame(t *testing.T) {
	for _, file := range recordFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			sqlite, mysql := newSQLite(t), newMySQL(t)
			first := importFile(t, sqlite, file)
			if report := importFile(t, mysql, file); report != first || first.Inserted == 0 {
				t.Errorf("imports: sqlite %+v, mysql %+v", first, report)
			}
			again := first
			again.Inserted, again.Duplicate = 0, first.Inserted+first.Duplicate
			for _, s := range []*ttp.Store{sqlite, mysql} {
				if report := importFile(t, s, file); report != again {
					t.Errorf("the second import on %s: %+v, want %+v", s.Dialect(), report, again)
				}
			}
			exported := export(t, sqlite)
			if !bytes.Equal(provenance.ReplaceAll(exported, nil), provenance.ReplaceAll(export(t, mysql), nil)) {
				t.Error("the exports differ")
			}
			for _, scope := range scopesOf(t, exported) {
				compareRollups(t, scope, sqlite, mysql)
			}
			copied := newMySQL(t)
			if _, err := copied.Import(t.Context(), bytes.NewReader(exported), ttp.ImportOptions{}); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(exported, export(t, copied)) {
				t.Error("the export of an imported export differs")
			}
		})
	}
}

// scope is the scope of a record.
type scope struct{ kind, id string }

func scopesOf(t *testing.T, lines []byte) []scope {
	t.Helper()
	scopes := []scope{{kind: "fleet"}}
	sessions := map[string]bool{}
	for line := range bytes.Lines(lines) {
		var record struct {
			Type, UUID string
			SessionID  string `json:"session_id"`
		}
		if err := json.Unmarshal(line, &record); err != nil {
			t.Fatal(err)
		}
		switch {
		case record.Type != "tag":
			scopes = append(scopes, scope{record.Type, record.UUID})
		case record.SessionID != "" && len(sessions) < 200 && !sessions[record.SessionID]:
			sessions[record.SessionID] = true
			scopes = append(scopes, scope{"session", record.SessionID})
		}
	}
	return scopes
}

func compareRollups(t *testing.T, s scope, stores ...*ttp.Store) {
	t.Helper()
	var first []byte
	for _, store := range stores {
		rows, err := s.rollup(t.Context(), store)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(rows)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if !bytes.Equal(first, got) {
			t.Errorf("%s %s: %s returned %s, %s returned %s", s.kind, s.id, stores[0].Dialect(), first, store.Dialect(), got)
		}
	}
}

func (s scope) rollup(ctx context.Context, store *ttp.Store) (any, error) {
	switch s.kind {
	case "fleet":
		return store.ListDistinctTechniques(ctx)
	case "session":
		return store.ListTechniquesBySession(ctx, s.id)
	}
	id, err := uuid.Parse(s.id)
	if err != nil {
		return nil, err
	}
	switch s.kind {
	case "campaign":
		return store.ListTechniquesByCampaign(ctx, id)
	case "identity":
		return store.ListTechniquesByIdentity(ctx, id)
	}
	return store.ListTechniquesByAttacker(ctx, id)
}
