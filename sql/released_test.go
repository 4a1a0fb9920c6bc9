package sql_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReleasedMigrationsAreUnchanged compares the migrations of released versions with their checksums, since databases
// exist that ran them. A release adds its migrations to the file: see CONTRIBUTING.md.
func TestReleasedMigrationsAreUnchanged(t *testing.T) {
	sums, err := os.ReadFile("released.sha256")
	if err != nil {
		t.Fatal(err)
	}
	released := map[string]bool{}
	for line := range strings.Lines(string(sums)) {
		sum, path, _ := strings.Cut(strings.TrimSpace(line), "  ")
		content, err := os.ReadFile(filepath.FromSlash(path))
		if err != nil {
			t.Error(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(content)); got != sum {
			t.Errorf("%s was changed after its release: add a migration instead", path)
		}
		released[path] = true
	}
	for _, dialect := range dialects {
		paths, err := filepath.Glob("schema/" + dialect + "/*.sql")
		if err != nil {
			t.Fatal(err)
		}
		later := false // than a released migration
		for _, path := range slices.Backward(paths) {
			if later = later || released[path]; later && !released[path] {
				t.Errorf("released.sha256 lacks %s", path)
			}
		}
		if !later {
			t.Errorf("released.sha256 has no migrations of %s", dialect)
		}
	}
}
