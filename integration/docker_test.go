package integration

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"
)

const (
	// mysqlPort is the port of the server inside its container.
	mysqlPort = "3306/tcp"

	// containerPrefix is the prefix of container names.
	containerPrefix = "ttpstore-test-"

	// containerLifetime limits the life of a container that nothing else has removed. It exceeds the slowest run.
	containerLifetime = 150 * time.Minute

	// startTimeout limits the time until the server in a container accepts connections.
	startTimeout = 10 * time.Minute

	// stablePings is the number of consecutive connections that must succeed, since the official image first starts a
	// temporary server.
	stablePings = 3

	// pingInterval is the pause between those connections.
	pingInterval = 100 * time.Millisecond
)

// errNoDocker is returned if there is no server to test.
var errNoDocker = errors.New("these tests need a database server and Docker cannot be reached. " +
	"Start Docker on this machine (or let DOCKER_HOST name a local daemon), " +
	"or set " + dsnEnv + " to a server they may create databases on, like root:password@tcp(127.0.0.1:3306)/, " +
	"or run only `go test ./...` in the root of the repository, which tests SQLite alone")

// dockerServer starts a container of the run's engine and returns the image in from. The function stop removes the
// container and must be called even on error.
func dockerServer(options serverOptions) (cfg *mysql.Config, from string, stop func() error, err error) {
	stop = func() error { return nil }
	pool, err := connectDocker()
	if err != nil {
		return nil, "", stop, err
	}
	image, err := engineImage()
	if err != nil {
		return nil, "", stop, err
	}
	name := containerPrefix + strings.ToLower(rand.Text())
	// The reaper starts before the container exists, so that none can leak.
	stop, err = startReaper(pool.Client, name)
	if err != nil {
		return nil, "", stop, err
	}
	cfg, err = runContainer(pool, image, name, options)
	return cfg, "the Docker image " + image, stop, err
}

// connectDocker connects to the Docker daemon.
func connectDocker() (*dockertest.Pool, error) {
	pool, err := dockertest.NewPool("")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoDocker, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), pingTimeout)
	defer cancel()
	if err := pool.Client.PingWithContext(ctx); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errNoDocker, pool.Client.Endpoint(), err)
	}
	pool.MaxWait = startTimeout
	return pool, nil
}

// serverOptions are the settings of a test's own server.
type serverOptions struct {
	args   []string
	mounts []string // host folder:container folder:mode
}

// runContainer starts the server and waits until it accepts connections.
func runContainer(pool *dockertest.Pool, image, name string, options serverOptions) (*mysql.Config, error) {
	password := rand.Text()
	environment := []string{"MYSQL_ROOT_PASSWORD=" + password}
	if engine.Keyspaces > 0 {
		cluster, err := vitessEnvironment(engine.Keyspaces)
		if err != nil {
			return nil, err
		}
		environment = append(environment, cluster...)
	}
	repository, tag := docker.ParseRepositoryTag(image)
	resource, err := pool.RunWithOptions(&dockertest.RunOptions{
		Name:         name,
		Repository:   repository,
		Tag:          tag,
		Env:          environment,
		Cmd:          append([]string{"--skip-name-resolve", "--max-connections=500"}, options.args...),
		Mounts:       options.mounts,
		PortBindings: map[docker.Port][]docker.PortBinding{mysqlPort: {{HostIP: "127.0.0.1"}}},
	}, configureHost)
	if err != nil {
		return nil, fmt.Errorf("start a container of %s: %w", image, err)
	}
	if err := resource.Expire(uint(containerLifetime.Seconds())); err != nil {
		return nil, fmt.Errorf("limit the lifetime of container %s: %w", name, err)
	}
	cfg := mysql.NewConfig()
	cfg.User = "root"
	cfg.Passwd = password
	cfg.Net = "tcp"
	cfg.Addr = resource.GetHostPort(mysqlPort)
	return cfg, awaitServer(pool, resource, cfg)
}

// configureHost stores the data in memory, which is fast with default durability settings, and publishes only the port that
// is bound to the loopback interface. By default, dockertest publishes every exposed port on all interfaces.
func configureHost(host *docker.HostConfig) {
	host.AutoRemove = true
	host.PublishAllPorts = false
	host.Tmpfs = map[string]string{"/var/lib/mysql": "size=4g"}
}

// awaitServer waits until the server in a container accepts connections or the container has stopped.
func awaitServer(pool *dockertest.Pool, resource *dockertest.Resource, cfg *mysql.Config) error {
	logs := followLogs(pool.Client, resource.Container.ID)
	var ended error
	err := pool.Retry(func() error {
		if ended = stillRunning(pool.Client, resource.Container.ID); ended != nil {
			return nil // ends Retry
		}
		return pingSteadily(cfg)
	})
	if err = errors.Join(ended, err); err != nil {
		return fmt.Errorf("the MySQL server in container %s did not start: %w\n%s", resource.Container.Name, err, logs)
	}
	return nil
}

// pingSteadily opens several consecutive connections.
func pingSteadily(cfg *mysql.Config) error {
	for range stablePings {
		if err := ping(cfg); err != nil {
			return err
		}
		time.Sleep(pingInterval)
	}
	return nil
}

// stillRunning returns an error if a container has stopped or was removed.
func stillRunning(client *docker.Client, id string) error {
	container, err := client.InspectContainer(id)
	if err != nil {
		return fmt.Errorf("inspect the container: %w", err)
	}
	if !container.State.Running {
		return fmt.Errorf("the container stopped with exit code %d", container.State.ExitCode)
	}
	return nil
}

// followLogs collects the output of a container while it runs, since the logs are removed with the container.
func followLogs(client *docker.Client, id string) fmt.Stringer {
	logs := new(logBuffer)
	go func() {
		// The logs only add to the report of another error.
		_ = client.Logs(docker.LogsOptions{
			Container:    id,
			OutputStream: logs,
			ErrorStream:  logs,
			Follow:       true,
			Stdout:       true,
			Stderr:       true,
		})
	}()
	return logs
}

// logLimit is the maximum size of a logBuffer.
const logLimit = 8 << 10

// logBuffer is a writer that keeps the last logLimit bytes. It is safe for concurrent use.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := b.buf.Write(p)
	b.buf.Next(max(0, b.buf.Len()-logLimit))
	return n, err
}

// String returns the kept bytes.
func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
