package integration

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"

	"github.com/decnet/ttpstore/ttp"
)

// restartable is a server that keeps its data and port when it is killed.
type restartable struct {
	pool      *dockertest.Pool
	container string
	config    *mysql.Config
}

func startRestartable(t *testing.T) restartable {
	t.Helper()
	if engine.Keyspaces > 0 {
		t.Skip("a Vitess cluster cannot be restarted: run this test with " + EngineEnv + "=mysql-9.7")
	}
	pool, err := connectDocker()
	succeed(t, err)
	image, err := engineImage()
	succeed(t, err)
	password := rand.Text()
	resource := startContainer(t, pool, image, &dockertest.RunOptions{
		Env:          []string{"MYSQL_ROOT_PASSWORD=" + password, "MYSQL_DATABASE=ttp"},
		Cmd:          []string{"--skip-name-resolve"},
		PortBindings: map[docker.Port][]docker.PortBinding{mysqlPort: {{HostIP: "127.0.0.1", HostPort: freePort(t)}}},
	}, func(*docker.HostConfig) {})
	config := mysql.NewConfig()
	config.User, config.Passwd, config.Net = "root", password, "tcp"
	config.Addr = resource.GetHostPort(mysqlPort)
	r := restartable{pool, resource.Container.ID, config}
	r.await(t)
	succeed(t, execute(config, "CREATE DATABASE IF NOT EXISTS ttp CHARACTER SET utf8mb4"))
	config.DBName = "ttp"
	return r
}

// startContainer starts a container until the end of the test. Its data are on disk, so that they survive a restart.
func startContainer(
	t *testing.T, pool *dockertest.Pool, image string, options *dockertest.RunOptions, configure func(*docker.HostConfig),
) *dockertest.Resource {
	t.Helper()
	options.Name = containerPrefix + strings.ToLower(rand.Text())
	options.Repository, options.Tag = docker.ParseRepositoryTag(image)
	stop, err := startReaper(pool.Client, options.Name)
	t.Cleanup(func() { succeed(t, stop()) })
	succeed(t, err)
	resource, err := pool.RunWithOptions(options, configure, func(host *docker.HostConfig) { host.PublishAllPorts = false })
	succeed(t, err)
	return resource
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	succeed(t, err)
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	succeed(t, err)
	return port
}

func (r restartable) await(t *testing.T) {
	t.Helper()
	succeed(t, r.pool.Retry(func() error { return pingSteadily(r.config) }))
}

func (r restartable) kill(t *testing.T) {
	t.Helper()
	r.stop(t)
	r.start(t)
}

func (r restartable) stop(t *testing.T) {
	t.Helper()
	succeed(t, r.pool.Client.KillContainer(docker.KillContainerOptions{ID: r.container, Signal: docker.SIGKILL}))
	_, err := r.pool.Client.WaitContainer(r.container)
	succeed(t, err)
}

func (r restartable) start(t *testing.T) {
	t.Helper()
	succeed(t, r.pool.Client.StartContainer(r.container, nil))
	r.await(t)
}

// TestKilledServerLosesNothing kills the server under eight writers of the same tags.
func TestKilledServerLosesNothing(t *testing.T) {
	r := startRestartable(t)
	s := openStore(t, "mysql://"+r.config.FormatDSN())
	rounds := min(faultRounds(t), 10)
	ledger := newLedger()
	ledger.writeDuring(t.Context(), s, func() {
		for range rounds {
			time.Sleep(time.Second)
			r.kill(t)
		}
	})
	ledger.check(t, s, "SIGKILL of the server under 8 writers", rounds)
}

// writeDuring runs eight writers of the same tags while the function injects faults, and for a second afterwards.
func (l *ledger) writeDuring(ctx context.Context, s *ttp.Store, faults func()) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var done atomic.Bool
	var wg sync.WaitGroup
	for range 8 {
		n := -1
		wg.Go(func() { l.write(ctx, s, func() (int, bool) { n++; return n, !done.Load() }) })
	}
	injected := false
	defer func() {
		if done.Store(true); !injected { // the function ended the test, and calls may fail for ever
			cancel()
		}
		wg.Wait()
	}()
	faults()
	injected = true
	time.Sleep(time.Second)
}

func TestManyProcessesMigrateAtOnce(t *testing.T) {
	tool := buildTool(t)
	rounds := faultRounds(t)
	longest := map[string]time.Duration{}
	for i := range rounds {
		t.Run(fmt.Sprint("round ", i), func(t *testing.T) {
			for name, url := range map[string]string{
				"SQLite": "sqlite://" + filepath.Join(t.TempDir(), "ttp.db"), "server": "mysql://" + newDatabase(t),
			} {
				longest[name] = max(longest[name], migrateAtOnce(t, tool, url))
			}
		})
	}
	for name, took := range longest {
		t.Logf("| 4 processes migrate at once, %s | %d | - | - | - | %s |", name, rounds, took.Round(time.Millisecond))
	}
}

func migrateAtOnce(t *testing.T, tool, url string) time.Duration {
	t.Helper()
	var wg sync.WaitGroup
	errs := make(chan error, 4)
	begin := time.Now()
	for range 4 {
		wg.Go(func() { errs <- runTool(t, tool, "migrate", "up", "--db", url) })
	}
	wg.Wait()
	took := time.Since(begin)
	close(errs)
	for err := range errs {
		succeed(t, err)
	}
	s, err := ttp.Open(t.Context(), url)
	succeed(t, err)
	succeed(t, errors.Join(s.CheckSchema(t.Context()), s.Close()))
	return took
}
