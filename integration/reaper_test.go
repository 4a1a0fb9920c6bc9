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

// reaperEnv is the environment variable with the name of the container to remove. If it is set, the test program is a
// reaper.
const reaperEnv = "TTPSTORE_TEST_REAP"

// startReaper starts a process that removes the container when this process ends, by waiting for the end of a pipe that
// only this process holds open. A deferred call would not run when a test panics in a goroutine, when the time limit of the
// tests ends, or when the process is killed.
//
// The function stop removes the container and ends the reaper. It must be called even on error.
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
		_ = pipe.Close() // nothing was written
		// The reaper also removes the container. Its error matters only if the first attempt failed.
		if errReap := cmd.Wait(); err != nil && errReap != nil {
			return err
		}
		return nil
	}, nil
}

// reap waits for the end of the parent process, removes the container, and returns the exit code.
func reap(container string) int {
	// Signals from a terminal reach this process too.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP)
	_, _ = io.Copy(io.Discard, os.Stdin) // an error also means the end
	pool, err := dockertest.NewPool("")
	if err != nil {
		return 1
	}
	if err := removeContainer(pool.Client, container); err != nil {
		return 1
	}
	return 0
}

// removeContainer removes a container and its volumes, unless it was or is being removed already.
func removeContainer(client *docker.Client, container string) error {
	err := client.RemoveContainer(docker.RemoveContainerOptions{ID: container, Force: true, RemoveVolumes: true})
	if _, removed := errors.AsType[*docker.NoSuchContainer](err); removed {
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
