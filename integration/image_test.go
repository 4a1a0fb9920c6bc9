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
	"time"

	"github.com/ory/dockertest/v3/docker"
)

const (
	// pullInactivity ends a pull that makes no progress.
	pullInactivity = time.Minute

	// pullTimeout ends a pull that crawls.
	pullTimeout = 8 * time.Minute

	// buildTimeout bounds a script in the folder image.
	buildTimeout = 20 * time.Minute
)

// obtainImage returns the name of an image that exists locally: the upstream one if it is there or can be
// pulled, else one that is built on the spot.
func obtainImage(client *docker.Client, engine Engine) (string, error) {
	var errPull error
	if engine.Upstream != "" {
		if errPull = pullMissing(client, engine.Upstream); errPull == nil {
			return engine.Upstream, nil
		}
	}
	if engine.Build == nil {
		return "", errPull
	}
	image, err := buildImage(client, engine.Build)
	if err != nil {
		return "", errors.Join(errPull, err)
	}
	return image, nil
}

// pullMissing fetches an image from its registry unless it is there. Two limits hold, so that a registry that
// cannot be reached costs little and a slow one may take its time.
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

// buildImage runs a script that builds an image, or finds it built, and prints its name.
func buildImage(client *docker.Client, build []string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join("image", build[0]), build[1:]...)
	var name bytes.Buffer
	cmd.Stdout, cmd.Stderr = &name, os.Stderr
	// The command line client may follow another context than this one.
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+client.Endpoint())
	// An interrupt lets the script remove its temporary files.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build an image with %s: %w", cmd, err)
	}
	return strings.TrimSpace(name.String()), nil
}
