package integration

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

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

// A pool of the caller's cannot be asked for its parameters, so that the store finds out by itself.
func TestCountingFoundRowsIsRefused(t *testing.T) {
	dsn := newDatabase(t)
	_, s := overPool(t, dsn+"?clientFoundRows=true")
	openStore(t, "mysql://"+dsn) // migrates
	if err := s.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "clientFoundRows") {
		t.Errorf("migrate: got %v", err)
	}
	if _, err := s.InsertTags(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "clientFoundRows") {
		t.Errorf("insert: got %v", err)
	}
}

// Who may only read, reads.
func TestReadingNeedsNoRightToWrite(t *testing.T) {
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

func TestOtherCharacterSetsAreRefused(t *testing.T) {
	dsn := newDatabase(t)
	openStore(t, "mysql://"+dsn)
	_, s := overPool(t, dsn+"?charset=latin1")
	if _, err := s.InsertTags(t.Context(), []ttp.Tag{retryTag("1")}); err == nil || !strings.Contains(err.Error(), "utf8mb4") {
		t.Errorf("got %v", err)
	}
}

func TestNoMessageHoldsAPassword(t *testing.T) {
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
				t.Errorf("the message holds the password: %v", err)
			}
		}
	}
}

func TestOpenHonoursItsContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and never greets
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

// Processes, not goroutines: what keeps them apart must work without shared memory. Each makes the schema
// if it must, and imports the same records.
func TestProcessesStartAtOnce(t *testing.T) {
	const rounds, starters = 3, 6
	tool := filepath.Join(t.TempDir(), "ttpstore")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", tool, "./cmd/ttpstore")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := importFile(t, newSQLite(t), recordFiles(t)[0])
	for range rounds {
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
				t.Errorf("%d tags were inserted, want %d", inserted.Load(), want.Inserted)
			}
		}
	}
}
