package integration

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/google/uuid"
	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"

	"github.com/decnet/ttpstore/ttp"
)

// TestAKilledConnectionAtCommitIsResolved kills a call's connection on the server (on a cluster, the one to the second shard)
// just before COMMIT. vtgate then commits the tags of the first shard alone, and the call inserts the others again.
func TestAKilledConnectionAtCommitIsResolved(t *testing.T) {
	dsn := newDatabase(t)
	direct := openStore(t, "mysql://"+dsn)
	var tags []ttp.Tag
	firstHalf := 0 // of all UUIDs
	for i := range 6 {
		tags = append(tags, retryTag(fmt.Sprint(i)))
		if tags[i].ComputeUUID()[0] < 0x80 {
			firstHalf++
		}
	}
	if firstHalf == 0 || firstHalf == len(tags) {
		t.Fatal("the tags are all in one shard")
	}
	commits := 0
	committed := -1 // by the killed transaction
	var faultErr error
	_, proxyDSN := startProxy(t, dsn, func(packet []byte) cut {
		if !isCommit(packet) {
			return noCut
		}
		commits++
		switch commits {
		case 1:
			faultErr = killTransaction(dsn)
		case 2:
			n, err := direct.CountTags(t.Context(), ttp.OfAttacker(tags[0].AttackerUUID), ttp.Filter{}) // reads the tags
			committed, faultErr = int(n), errors.Join(faultErr, err)
		}
		return noCut
	})
	s := openStore(t, "mysql://"+proxyDSN)
	got, err := s.InsertTags(t.Context(), tags)
	succeed(t, err)
	succeed(t, faultErr)
	if got.Inserted != len(tags) {
		t.Errorf("got the outcomes %v, want all inserted", got.Outcomes)
	}
	want := 0
	if engine.Keyspaces > 0 {
		want = firstHalf
	}
	if committed != want {
		t.Errorf("the killed transaction committed %d tags, want %d", committed, want)
	}
	batches := map[uuid.UUID]uuid.UUID{}
	for _, tag := range tags {
		batches[tag.ComputeUUID()] = got.BatchUUID
	}
	requireTags(t, direct, batches, int64(len(tags)))
}

// killTransaction kills the connection of the only open transaction in the database, on a cluster in its second shard.
func killTransaction(dsn string) error {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return err
	}
	run := func(statement string) (out string, err error) {
		err = withServer(config, pingTimeout, func(ctx context.Context, db *sql.DB) error {
			return db.QueryRowContext(ctx, statement).Scan(&out)
		})
		return out, err
	}
	database := config.DBName
	if engine.Keyspaces > 0 {
		database = fmt.Sprintf("vt_%s_sharded_%s", config.DBName, shards[1])
		run = func(statement string) (string, error) { // by the server behind the shards
			return execIn(config.Addr, "mysql", "--socket=/tmp/mysql.sock", "-N", "-e", statement)
		}
	}
	id, err := run("SELECT trx_mysql_thread_id FROM information_schema.innodb_trx" +
		" JOIN information_schema.processlist ON id = trx_mysql_thread_id WHERE db = '" + database + "'")
	if err != nil {
		return err
	}
	if _, err = run("KILL " + id); errors.Is(err, sql.ErrNoRows) {
		err = nil // it returns none
	}
	return err
}

// execIn runs a command in the container that publishes the address and returns its output.
func execIn(address string, command ...string) (string, error) {
	container, err := containerAt(address)
	if err != nil {
		return "", err
	}
	var out, problems bytes.Buffer
	status, err := container.Exec(command, dockertest.ExecOptions{StdOut: &out, StdErr: &problems})
	if err == nil && status != 0 {
		err = errors.New(problems.String())
	}
	return strings.TrimSpace(out.String()), err
}

// containerAt returns the container that publishes an address.
func containerAt(address string) (*dockertest.Resource, error) {
	pool, err := connectDocker()
	if err != nil {
		return nil, err
	}
	containers, err := pool.Client.ListContainers(docker.ListContainersOptions{})
	if err != nil {
		return nil, err
	}
	for _, container := range containers {
		for _, port := range container.Ports {
			if fmt.Sprintf("%s:%d", port.IP, port.PublicPort) != address {
				continue
			}
			if resource, ok := pool.ContainerByName(strings.TrimPrefix(container.Names[0], "/")); ok {
				return resource, nil
			}
		}
	}
	return nil, fmt.Errorf("no container publishes %s", address)
}
