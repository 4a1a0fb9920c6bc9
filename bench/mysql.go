package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"
)

// dsnEnv is the environment variable with the DSN of a MySQL server to use instead of a container, such as
// root:password@tcp(127.0.0.1:3306)/.
const dsnEnv = "TTPSTORE_TEST_MYSQL_DSN"

func newMySQL(ctx context.Context) (*engine, error) {
	server, stop, err := mysqlServer(ctx)
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	version, err := mysqlVersion(ctx, server)
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	o, err := observe(server)
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	return &engine{
		name:     mysqlEngine,
		subjects: []subject{ttpstoreSubject(), handwrittenSubject(""), gormSubject(), bunSubject()},
		versions: []string{version},
		create: func(ctx context.Context) (place, error) {
			p := place{server: server.Clone()}
			p.server.DBName = "ttpbench_" + strings.ToLower(rand.Text())
			return p, onServer(ctx, server, "CREATE DATABASE `"+p.server.DBName+"` CHARACTER SET utf8mb4")
		},
		// An interrupt ends the context.
		drop: func(p place) error {
			return onServer(context.Background(), server, "DROP DATABASE `"+p.server.DBName+"`")
		},
		stop:    func() error { return errors.Join(o.db.Close(), stop()) },
		logName: "redo log",
		logSize: o.redoLog,
		size:    o.size,
		work:    o.work,
	}, nil
}

func mysqlServer(ctx context.Context) (server *mysql.Config, stop func() error, err error) {
	if dsn := os.Getenv(dsnEnv); dsn != "" {
		server, err = mysql.ParseDSN(dsn)
		if err != nil {
			err = errors.New(dsnEnv + ": want USER:PASSWORD@tcp(HOST:PORT)/") // the driver's error may contain the password
		}
		return server, func() error { return nil }, err
	}
	return startContainer(ctx)
}

// onServer runs a statement on a new connection.
func onServer(ctx context.Context, server *mysql.Config, statement string) error {
	db, err := openMySQL(server, false)
	if err != nil {
		return err
	}
	return errors.Join(execute(ctx, db, statement), db.Close())
}

func mysqlVersion(ctx context.Context, server *mysql.Config) (string, error) {
	db, err := openMySQL(server, false)
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close() }()
	var version, comment string
	var pool, redo, flush, sync int64
	err = db.QueryRowContext(ctx, `SELECT @@version, @@version_comment, @@innodb_buffer_pool_size, @@innodb_redo_log_capacity,`+
		` @@innodb_flush_log_at_trx_commit, @@sync_binlog`).Scan(&version, &comment, &pool, &redo, &flush, &sync)
	return fmt.Sprintf("MySQL %s (%s), buffer pool %d MiB, redo log %d MiB, innodb_flush_log_at_trx_commit %d, sync_binlog %d",
		version, comment, pool>>20, redo>>20, flush, sync), err
}

const (
	mysqlPort         = "3306/tcp"
	containerLifetime = 12 * time.Hour // of a container that nothing else has removed
	startTimeout      = 10 * time.Minute
)

const (
	officialImage = "mysql:8.4"
	// builtImage, with any tag, is built by integration/image/debian.sh if no registry is available.
	builtImage = "ttpstore-mysql"
)

// startContainer starts a server with data on disk and the default durability. The buffer pool holds all measured data and
// the redo log a whole fill. With their defaults of 128 and 100 MiB, each subject would also wait for the writes of the
// previous one.
func startContainer(ctx context.Context) (server *mysql.Config, stop func() error, err error) {
	stop = func() error { return nil }
	pool, err := dockertest.NewPool("")
	if err == nil {
		err = pool.Client.PingWithContext(ctx)
	}
	if err != nil {
		return nil, stop, fmt.Errorf("no Docker daemon is available, and %s is not set: %w", dsnEnv, err)
	}
	pool.MaxWait = startTimeout
	image := chooseImage(pool.Client)
	password := rand.Text()
	progress("starting a container of %s", image)
	repository, tag := docker.ParseRepositoryTag(image)
	resource, err := pool.RunWithOptions(&dockertest.RunOptions{
		Name: "ttpstore-bench-" + strings.ToLower(rand.Text()), Repository: repository, Tag: tag,
		Env:          []string{"MYSQL_ROOT_PASSWORD=" + password},
		Cmd:          []string{"--skip-name-resolve", "--max-connections=500", "--innodb-buffer-pool-size=4G", "--innodb-redo-log-capacity=2G"},
		PortBindings: map[docker.Port][]docker.PortBinding{mysqlPort: {{HostIP: "127.0.0.1"}}},
	}, func(host *docker.HostConfig) {
		host.AutoRemove = true
		host.PublishAllPorts = false // except on the loopback interface
	})
	if err != nil {
		return nil, stop, fmt.Errorf("start a container of %s (integration/image/debian.sh mysql unstable builds one): %w", image, err)
	}
	stop = func() error { return pool.Purge(resource) }
	if err := resource.Expire(uint(containerLifetime.Seconds())); err != nil {
		return nil, stop, err
	}
	server = mysql.NewConfig()
	server.User, server.Passwd, server.Net, server.Addr = "root", password, "tcp", resource.GetHostPort(mysqlPort)
	return server, stop, pool.Retry(func() error { return pingSteadily(ctx, server) })
}

// chooseImage returns a local image, or else the official one for Docker to pull.
func chooseImage(client *docker.Client) string {
	if _, err := client.InspectImage(officialImage); err == nil {
		return officialImage
	}
	built, err := client.ListImages(docker.ListImagesOptions{Filters: map[string][]string{"reference": {builtImage}}})
	if err != nil || len(built) == 0 {
		return officialImage
	}
	newest := slices.MaxFunc(built, func(a, b docker.APIImages) int { return cmp.Compare(a.Created, b.Created) })
	return newest.RepoTags[0]
}

// pingSteadily requires several consecutive connections, since the official image first starts a temporary server.
func pingSteadily(ctx context.Context, server *mysql.Config) error {
	for range 3 {
		quiet := server.Clone()
		quiet.Logger = &mysql.NopLogger{} // the driver would also print returned errors
		connector, err := mysql.NewConnector(quiet)
		if err != nil {
			return err
		}
		db := sql.OpenDB(connector)
		if err := errors.Join(db.PingContext(ctx), db.Close()); err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}
