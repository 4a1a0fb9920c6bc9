package integration

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/uuid"
	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"
)

// groupSize is the number of servers of a group. Two of three are a majority without the primary.
const groupSize = 3

// group is a MySQL group with a single primary:
// https://dev.mysql.com/doc/refman/8.4/en/group-replication.html.
type group struct {
	members [groupSize]restartable
	start   string // the statement with which a member starts its part of the group
}

// startGroup starts the members in containers that share a private network, so that they find each other at fixed ports.
func startGroup(t *testing.T) group {
	t.Helper()
	pool, err := connectDocker()
	succeed(t, err)
	image, err := engineImage()
	succeed(t, err)
	password, name := rand.Text(), uuid.NewString()
	network := startNetwork(t, pool, image)
	var seeds []string
	for i := range groupSize {
		seeds = append(seeds, fmt.Sprintf("127.0.0.1:%d", 33061+i))
	}
	g := group{start: fmt.Sprintf("START GROUP_REPLICATION USER='root', PASSWORD='%s'", password)}
	for i := range g.members {
		port := 3306 + i
		g.members[i] = startMember(t, pool, network, image, password, []string{
			fmt.Sprint("--port=", port), fmt.Sprint("--server-id=", i+1), fmt.Sprint("--report-port=", port), "--report-host=127.0.0.1",
			"--skip-name-resolve", "--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--plugin-load-add=group_replication.so",
			"--loose-group-replication-start-on-boot=OFF", "--loose-group-replication-group-name=" + name,
			"--loose-group-replication-local-address=" + seeds[i],
			"--loose-group-replication-group-seeds=" + strings.Join(seeds, ","),
			"--loose-group-replication-recovery-get-public-key=ON",
		})
		g.members[i].config.Addr = network.GetHostPort(fmt.Sprintf("%d/tcp", port))
		g.members[i].await(t)
	}
	first := g.members[0].config
	succeed(t, execute(first, "SET GLOBAL group_replication_bootstrap_group = ON"))
	succeed(t, execute(first, g.start))
	succeed(t, execute(first, "SET GLOBAL group_replication_bootstrap_group = OFF"))
	for _, m := range g.members[1:] {
		g.join(t, m)
	}
	g.awaitAll(t)
	return g
}

// join lets a member join the group. The statement gives up after a minute, which a loaded machine may need.
func (g group) join(t *testing.T, m restartable) {
	t.Helper()
	succeed(t, m.pool.Retry(func() error {
		err := execute(m.config, g.start)
		if err != nil {
			err = errors.Join(err, execute(m.config, "STOP GROUP_REPLICATION"))
		}
		return err
	}))
}

// startNetwork starts a container that only publishes the ports of its network.
func startNetwork(t *testing.T, pool *dockertest.Pool, image string) *dockertest.Resource {
	t.Helper()
	options := &dockertest.RunOptions{
		Entrypoint: []string{"sleep", "infinity"}, PortBindings: map[docker.Port][]docker.PortBinding{},
	}
	for i := range groupSize {
		port := docker.Port(fmt.Sprintf("%d/tcp", 3306+i))
		options.ExposedPorts = append(options.ExposedPorts, string(port))
		options.PortBindings[port] = []docker.PortBinding{{HostIP: "127.0.0.1"}}
	}
	return startContainer(t, pool, image, options, func(*docker.HostConfig) {})
}

// startMember starts a server in the network of another container.
func startMember(
	t *testing.T, pool *dockertest.Pool, network *dockertest.Resource, image, password string, args []string,
) restartable {
	t.Helper()
	options := &dockertest.RunOptions{Cmd: args, Env: []string{
		"MYSQL_ROOT_PASSWORD=" + password,
		"MYSQL_INITDB_SKIP_TZINFO=1", // the official image would load time zones by transactions that only this member has
	}}
	member := startContainer(t, pool, image, options, func(host *docker.HostConfig) {
		host.NetworkMode = "container:" + network.Container.ID
	})
	config := mysql.NewConfig()
	config.User, config.Passwd, config.Net = "root", password, "tcp"
	return restartable{pool, member.Container.ID, config}
}

var errNoPrimary = errors.New("no member of the group is its primary")

// primary returns the member that accepts writes.
func (g group) primary() (restartable, error) {
	for _, m := range g.members {
		n, err := m.countMembers("MEMBER_ID = @@server_uuid AND MEMBER_ROLE = 'PRIMARY' AND MEMBER_STATE = 'ONLINE'")
		if err == nil && n == 1 {
			return m, nil
		}
	}
	return restartable{}, errNoPrimary
}

// countMembers returns the number of members of the group that the server sees.
func (r restartable) countMembers(condition string) (n int, err error) {
	err = withServer(r.config, pingTimeout, func(ctx context.Context, db *sql.DB) error {
		query := "SELECT COUNT(*) FROM performance_schema.replication_group_members WHERE " + condition
		return db.QueryRowContext(ctx, query).Scan(&n)
	})
	return n, err
}

// awaitAll waits until all members are online.
func (g group) awaitAll(t *testing.T) {
	t.Helper()
	succeed(t, g.members[0].pool.Retry(func() error {
		for _, m := range g.members {
			if n, err := m.countMembers("MEMBER_STATE = 'ONLINE'"); err != nil || n != groupSize {
				return errors.Join(fmt.Errorf("%d members are online", n), err)
			}
		}
		return nil
	}))
}

// failOver kills the primary, and lets it join again after the others have elected the next one.
func (g group) failOver(t *testing.T) {
	t.Helper()
	var old restartable
	find := func() (err error) { old, err = g.primary(); return err }
	succeed(t, g.members[0].pool.Retry(find))
	old.stop(t)
	succeed(t, old.pool.Retry(func() error { _, err := g.primary(); return err }))
	time.Sleep(time.Second) // of writes at the new primary
	old.start(t)
	g.join(t, old)
	g.awaitAll(t)
}

// TestFailoverLosesNothing kills the primary of a group under eight writers of the same tags. A proxy leads their
// connections to the current primary, as MySQL Router does.
func TestFailoverLosesNothing(t *testing.T) {
	if engine.Keyspaces > 0 || strings.HasPrefix(engine.Name, "mariadb") {
		t.Skip("only MySQL has Group Replication: run this test with " + EngineEnv + "=mysql-9.7")
	}
	g := startGroup(t)
	p := &proxy{choose: func([]byte) cut { return noCut }, address: func() (string, error) {
		m, err := g.primary()
		if err != nil {
			return "", err
		}
		return m.config.Addr, nil
	}}
	config := g.members[0].config.Clone()
	config.Addr = p.listen(t)
	succeed(t, execute(config, "CREATE DATABASE ttp CHARACTER SET utf8mb4"))
	config.DBName = "ttp"
	s := openStore(t, "mysql://"+config.FormatDSN())
	rounds := max(1, faultRounds(t)/10) // a member takes half a minute to start and to join again
	ledger := newLedger()
	ledger.writeDuring(t.Context(), s, func() {
		for range rounds {
			time.Sleep(2 * time.Second)
			g.failOver(t)
		}
	})
	ledger.check(t, s, "SIGKILL of the primary of a group of three, 8 writers", rounds)
}
