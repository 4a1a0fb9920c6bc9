package integration

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"
)

// reaperEnv holds the name of the container to remove. It turns the test
// program into a reaper.
const reaperEnv = "TTPSTORE_TEST_REAP"

// startReaper makes sure that the container with the given name is removed
// when this process ends in whatever way. A deferred call cannot do that: it
// does not run when a test panics in its goroutine, when the time limit of the
// tests passes, or when the process is killed. Hence another process waits for
// the end of a pipe that only this one holds open.
//
// The returned function removes the container and ends the reaper. It is valid
// in case of an error, too.
func startReaper(client *docker.Client, container string) (stop func() error, err error) {
	stop = func() error { return nil }
	program, err := os.Executable()
	if err != nil {
		return stop, fmt.Errorf("find the test program: %w", err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), reaperEnv+"="+container)
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return stop, fmt.Errorf("open the pipe to the reaper: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return stop, fmt.Errorf("start the reaper: %w", err)
	}
	return func() error {
		err := removeContainer(client, container)
		_ = pipe.Close() // the pipe only ever carries its end
		// The reaper tries again. What it says matters only when this one failed.
		if errReap := cmd.Wait(); err != nil && errReap != nil {
			return err
		}
		return nil
	}, nil
}

// reap is the reaper: it waits for the end of its parent, removes the
// container, and returns the exit code.
func reap(container string) int {
	// What ends the tests on a terminal reaches this process as well.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP)
	_, _ = io.Copy(io.Discard, os.Stdin) // an error is an end, too
	pool, err := dockertest.NewPool("")
	if err != nil {
		return 1
	}
	if err := removeContainer(pool.Client, container); err != nil {
		return 1
	}
	return 0
}

// removeContainer removes a container with its volumes. One that is gone or
// is being removed already is fine.
func removeContainer(client *docker.Client, container string) error {
	err := client.RemoveContainer(docker.RemoveContainerOptions{ID: container, Force: true, RemoveVolumes: true})
	if _, gone := errors.AsType[*docker.NoSuchContainer](err); gone {
		return nil
	}
	if reply, ok := errors.AsType[*docker.Error](err); ok && reply.Status == http.StatusConflict {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove container %s: %w", container, err)
	}
	return nil
}
