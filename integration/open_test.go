package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

func TestOpenRefusesParametersThatMakeResultsWrong(t *testing.T) {
	dsn := newDatabase(t)
	for _, parameter := range []string{"clientFoundRows", "multiStatements", "allowAllFiles"} {
		s, err := ttp.Open(t.Context(), "mysql://"+dsn+"?"+parameter+"=true")
		if err == nil || !strings.Contains(err.Error(), parameter) {
			t.Errorf("%s: got %v, %v", parameter, s, err)
		}
	}
}

// The server does not report clientFoundRows, so that the first insert detects it by the count of duplicates.
func TestClientFoundRowsIsRefused(t *testing.T) {
	dsn := newDatabase(t)
	good := openStore(t, "mysql://"+dsn)
	insertTags(t, good, retryTag("1"))
	pool, s := overPool(t, dsn+"?clientFoundRows=true")
	refused := func(s *ttp.Store, tags ...ttp.Tag) {
		t.Helper()
		if result, err := s.InsertTags(t.Context(), tags); err == nil || !strings.Contains(err.Error(), "clientFoundRows") {
			t.Errorf("got %+v, %v", result, err)
		}
	}
	refused(s, retryTag("2"), retryTag("3"))
	refused(s, retryTag("1"), retryTag("2"))
	tx, err := pool.BeginTx(t.Context(), nil)
	succeed(t, err)
	refused(s.WithTx(tx), retryTag("1"))
	refused(s.WithTx(tx), retryTag("2"))
	succeed(t, tx.Commit())
	if n, err := good.CountTags(t.Context(), ttp.Fleet(), ttp.Filter{}); err != nil || n != 1 {
		t.Errorf("got %d stored tags, %v", n, err)
	}
}

// insertTags inserts tags that are not stored.
func insertTags(t *testing.T, s *ttp.Store, tags ...ttp.Tag) {
	t.Helper()
	if result, err := s.InsertTags(t.Context(), tags); err != nil || result.Inserted != len(tags) {
		t.Fatalf("got %+v, %v", result, err)
	}
}

// vtgate sets the isolation level of a transaction for the rest of the session, or not at all. See mysqlEngine.
func TestVtgateRequiresReadCommitted(t *testing.T) {
	if engine.Keyspaces == 0 {
		return // other servers set it for each transaction
	}
	_, s := overPool(t, newDatabase(t)+"?"+isolation+"=%27REPEATABLE-READ%27")
	if err := s.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), isolation+"='READ-COMMITTED'") {
		t.Errorf("got %v", err)
	}
}

// vtgateDecides reports whether the server is vtgate and overrides or refuses the setting: it always uses utf8mb4, and
// refuses NO_BACKSLASH_ESCAPES.
func vtgateDecides(parameters string) bool {
	return engine.Keyspaces > 0 && (strings.HasPrefix(parameters, "charset") || strings.Contains(parameters, "NO_BACKSLASH_ESCAPES"))
}

func TestSettingsThatMakeResultsWrongAreRefused(t *testing.T) {
	dsn := newDatabase(t)
	for parameters, want := range map[string]string{
		"charset=latin1": "utf8mb4",
		"autocommit=0":   "autocommit",
		"sql_mode=%27NO_BACKSLASH_ESCAPES%27&interpolateParams=true": "NO_BACKSLASH_ESCAPES",
	} {
		if vtgateDecides(parameters) {
			continue
		}
		pool, s := overPool(t, dsn+"?"+parameters)
		refused := func(migrated string) {
			t.Helper()
			tx, err := pool.BeginTx(t.Context(), nil)
			succeed(t, err)
			_, read := s.ListDistinctTechniques(t.Context())
			_, write := s.InsertTags(t.Context(), []ttp.Tag{retryTag("1")})
			_, inTransaction := s.WithTx(tx).InsertTags(t.Context(), []ttp.Tag{retryTag("1")})
			for call, err := range map[string]error{
				"migrate": s.Migrate(t.Context()), "check": s.CheckSchema(t.Context()), "read": read,
				"write": write, "write in a transaction": inTransaction,
			} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s, %s: %s: got %v", parameters, migrated, call, err)
				}
			}
			succeed(t, tx.Rollback())
		}
		refused("empty")
		good := openStore(t, "mysql://"+dsn)
		refused("migrated")
		succeed(t, good.MigrateDown(t.Context(), 0))
	}
}

// These settings change how SQL is parsed, but must not change stored bytes or pages.
func TestSafeSQLModesAreAccepted(t *testing.T) {
	for _, parameters := range []string{
		"sql_mode=%27NO_BACKSLASH_ESCAPES%27",
		"sql_mode=%27ANSI_QUOTES,PIPES_AS_CONCAT%27",
		"sql_mode=%27ANSI_QUOTES,PIPES_AS_CONCAT%27&interpolateParams=true",
	} {
		_, s := overPool(t, newDatabase(t)+"?"+parameters)
		succeed(t, s.Migrate(t.Context()))
		want := map[uuid.UUID]string{}
		var tags []ttp.Tag
		for i := range 60 {
			tag := retryTag(fmt.Sprint(`\'"`, i))
			tag.AttackerUUID = id(fmt.Sprint(i))
			tag.IdentityUUID = id("i")
			tags = append(tags, tag)
			want[tag.AttackerUUID] = tag.SourceID
		}
		insertTags(t, s, tags...)
		for cursor, more := "", true; more; more = cursor != "" {
			page, err := s.ListTags(t.Context(), ttp.OfIdentity(id("i")), ttp.Filter{}, 7, cursor)
			succeed(t, err)
			for _, tag := range page.Tags {
				if want[tag.AttackerUUID] != tag.SourceID {
					t.Errorf("%s: got %q, want %q", parameters, tag.SourceID, want[tag.AttackerUUID])
				}
				delete(want, tag.AttackerUUID)
			}
			cursor = page.Next
		}
		if len(want) > 0 {
			t.Errorf("%s: %d tags are missing", parameters, len(want))
		}
	}
}

func TestReadsNeedOnlySelect(t *testing.T) {
	dsn := newDatabase(t)
	if _, err := openStore(t, "mysql://"+dsn).InsertTags(t.Context(), []ttp.Tag{retryTag("1")}); err != nil {
		t.Fatal(err)
	}
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	reader := "r" + config.DBName[len(config.DBName)-20:]
	for _, statement := range []string{
		"CREATE USER " + reader + " IDENTIFIED BY 'reader'",
		"GRANT SELECT ON " + config.DBName + ".* TO " + reader,
	} {
		if err := execute(server, statement); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := execute(server, "DROP USER "+reader); err != nil {
			t.Error(err)
		}
	})
	config.User, config.Passwd = reader, "reader"
	s, err := ttp.Open(t.Context(), "mysql://"+config.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if rows, err := s.ListDistinctTechniques(t.Context()); err != nil || len(rows) != 1 {
		t.Errorf("got %v, %v", rows, err)
	}
}

func TestErrorsContainNoPassword(t *testing.T) {
	const secret = "hunter2/x@y"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{
		"mysql://root:" + secret + "@tcp(" + dead + ")/ttp",
		"mysql://root:" + secret + "@tcp(" + server.Addr + ")/ttp",
		"mysql://root:" + secret + "@tcp(" + server.Addr + ")",
		"mysql://root:" + secret + "@" + server.Addr + "/ttp?parseTime=" + secret,
		"mysql://root:" + secret + "tcp(" + server.Addr + ")/ttp",
		"mysql://root:" + secret + "(" + server.Addr + ")/ttp",
		"mysql:/root:" + secret,
		"postgres://root:" + secret + "@host/db",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		s, err := ttp.Open(ctx, url)
		cancel()
		if err == nil {
			t.Errorf("opened %v", s)
			continue
		}
		for _, part := range []string{"hunter2", "x@y", secret} {
			if strings.Contains(err.Error(), part) {
				t.Errorf("the error contains the password: %v", err)
			}
		}
	}
}

func TestOpenRespectsItsContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections, but sends no handshake
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := ttp.Open(ctx, "mysql://root@tcp("+listener.Addr().String()+")/ttp"); err == nil || time.Since(begin) > 10*time.Second {
		t.Errorf("got %v after %v", err, time.Since(begin))
	}
}

// Separate processes migrate the database and import the same records, so that locks must work without shared memory.
func TestConcurrentProcesses(t *testing.T) {
	const rounds, starters = 3, 6
	tool := filepath.Join(t.TempDir(), "ttpstore")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", tool, "./cmd/ttpstore")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := importFile(t, newSQLite(t), recordFiles(t)[0])
	for i := range rounds {
		t.Run(fmt.Sprint("round ", i), func(t *testing.T) {
			for _, url := range []string{"mysql://" + newDatabase(t), "sqlite://" + filepath.Join(t.TempDir(), "ttp.db")} {
				var inserted atomic.Int64
				var wg sync.WaitGroup
				for range starters {
					wg.Go(func() {
						out, err := exec.CommandContext(t.Context(), tool, "import", recordFiles(t)[0], "--json", "--db", url).Output()
						var report ttp.ImportReport
						if err = errors.Join(err, json.Unmarshal(out, &report)); err != nil {
							t.Errorf("%v: %s", err, out)
						}
						inserted.Add(int64(report.Inserted))
					})
				}
				wg.Wait()
				if inserted.Load() != int64(want.Inserted) {
					t.Errorf("inserted %d tags, want %d", inserted.Load(), want.Inserted)
				}
			}
		})
	}
}
