package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ory/dockertest/v3/docker"
)

const (
	// pullInactivity limits the time without progress of a pull.
	pullInactivity = time.Minute

	// pullTimeout limits a pull.
	pullTimeout = 8 * time.Minute

	// buildTimeout limits a script in the folder image. Vitess is compiled, which takes 12 minutes on two cores.
	buildTimeout = 90 * time.Minute
)

// errNoImage means that the only image of an engine cannot be pulled.
var errNoImage = errors.New("the image cannot be pulled")

// engineImage is obtainImage for the engine of this run. It asks a registry that does not answer only once.
var engineImage = sync.OnceValues(func() (string, error) {
	pool, err := connectDocker()
	if err != nil {
		return "", err
	}
	return obtainImage(pool.Client, engine)
})

// obtainImage returns the name of a local image: the upstream one if it is stored or can be pulled, or else a new build.
func obtainImage(client *docker.Client, engine Engine) (string, error) {
	var errPull error
	if engine.Upstream != "" {
		if errPull = pullMissing(client, engine.Upstream); errPull == nil {
			return engine.Upstream, nil
		}
	}
	if engine.Build == nil {
		return "", fmt.Errorf("%w: %w", errNoImage, errPull)
	}
	image, err := buildImage(client, engine.Build)
	if err != nil {
		return "", errors.Join(errPull, err)
	}
	return image, nil
}

// pullMissing pulls an image unless it is stored locally. It gives up soon if there is no progress, but allows slow
// registries.
func pullMissing(client *docker.Client, image string) error {
	if _, err := client.InspectImage(image); err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), pullTimeout)
	defer cancel()
	repository, tag := docker.ParseRepositoryTag(image)
	err := client.PullImage(docker.PullImageOptions{
		Repository:        repository,
		Tag:               tag,
		InactivityTimeout: pullInactivity,
		Context:           ctx,
	}, docker.AuthConfiguration{})
	if err != nil {
		return fmt.Errorf("pull %s: %w", image, err)
	}
	return nil
}

// buildImage runs a script that builds an image, unless it exists, and prints its name.
func buildImage(client *docker.Client, build []string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join("image", build[0]), build[1:]...)
	var name bytes.Buffer
	cmd.Stdout, cmd.Stderr = &name, os.Stderr
	// The command line client may be configured for another daemon.
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+client.Endpoint())
	// An interrupt lets the script remove its temporary files.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build an image with %s: %w", cmd, err)
	}
	return strings.TrimSpace(name.String()), nil
}
