// Command attackbuiltin makes the data of the package attack/builtin from official bundles, such as
// enterprise-attack-18.1.json or enterprise-attack-18.1.json.gz, whose names say the release.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/decnet/ttpstore/attack"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: attackbuiltin FOLDER-OF-BUNDLES OUTPUT")
		os.Exit(2)
	}
	if err := build(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "attackbuiltin:", err)
		os.Exit(1)
	}
}

var bundleName = regexp.MustCompile(`^(\w+)-attack-([\d.]+)\.json(\.gz)?$`)

// build writes the compact form of all bundles in a folder.
func build(folder, output string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var c attack.Catalogue
	for _, entry := range entries {
		name := bundleName.FindStringSubmatch(entry.Name())
		if name == nil {
			continue
		}
		r, err := read(filepath.Join(folder, entry.Name()), name[1]+"-v"+name[2])
		if err != nil {
			return fmt.Errorf("%s: %w", entry.Name(), err)
		}
		c.Add(r)
	}
	if len(c.Releases()) == 0 {
		return fmt.Errorf("no bundle in %s", folder)
	}
	compact, err := c.MarshalBinary()
	if err != nil {
		return err
	}
	return os.WriteFile(output, compact, 0o644)
}

// read reads the bundle of a release.
func read(path, release string) (*attack.Release, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return attack.Read(f, attack.WithRelease(release))
}
