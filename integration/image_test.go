package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/ory/dockertest/v3/docker"
)

// image names a Docker image.
type image struct {
	repository string
	tag        string
}

// String returns the image in the form that Docker uses.
func (i image) String() string { return i.repository + ":" + i.tag }

var (
	// officialImage is the server that the store is meant for.
	officialImage = image{"mysql", "8.4"}

	// debianImage is built on the spot by image/mysql.sh where no registry can
	// be reached.
	debianImage = image{"ttpstore-mysql", "debian"}
)

const (
	// pullInactivity ends a pull that makes no progress.
	pullInactivity = time.Minute

	// pullTimeout ends a pull that crawls.
	pullTimeout = 8 * time.Minute

	// buildTimeout bounds image/mysql.sh.
	buildTimeout = 15 * time.Minute
)

// chooseImage returns an image that exists locally: one that is already there
// if possible, a pulled one otherwise, a built one as the last resort.
func chooseImage(client *docker.Client) (image, error) {
	for _, img := range []image{officialImage, debianImage} {
		exists, err := imageExists(client, img)
		if err != nil {
			return image{}, err
		}
		if exists {
			return img, nil
		}
	}
	errPull := pullImage(client, officialImage)
	if errPull == nil {
		return officialImage, nil
	}
	fmt.Fprintf(os.Stderr, "integration: building %s instead, because: %v\n", debianImage, errPull)
	if err := buildDebianImage(client); err != nil {
		return image{}, fmt.Errorf("no image with a MySQL server: %w", errors.Join(errPull, err))
	}
	return debianImage, nil
}

// imageExists tells whether Docker has an image locally.
func imageExists(client *docker.Client, img image) (bool, error) {
	_, err := client.InspectImage(img.String())
	if errors.Is(err, docker.ErrNoSuchImage) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the image %s: %w", img, err)
	}
	return true, nil
}

// pullImage fetches an image from its registry. Two limits hold, so that a
// registry that cannot be reached costs little and a slow one may take its time.
func pullImage(client *docker.Client, img image) error {
	ctx, cancel := context.WithTimeout(context.Background(), pullTimeout)
	defer cancel()
	err := client.PullImage(docker.PullImageOptions{
		Repository:        img.repository,
		Tag:               img.tag,
		InactivityTimeout: pullInactivity,
		Context:           ctx,
	}, docker.AuthConfiguration{})
	if err != nil {
		return fmt.Errorf("pull %s: %w", img, err)
	}
	return nil
}

// buildDebianImage runs the script that builds debianImage and shows its
// progress.
func buildDebianImage(client *docker.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	script := filepath.Join("image", "mysql.sh")
	cmd := exec.CommandContext(ctx, "bash", script)
	cmd.Stderr = os.Stderr
	// The command line client may follow another context than this one.
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+client.Endpoint())
	// An interrupt lets the script remove its temporary files.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s with %s: %w", debianImage, script, err)
	}
	return nil
}
