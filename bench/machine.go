package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// machine describes the machine, the commit, the Go version and the modules.
func machine() []string {
	lines := []string{fmt.Sprintf("%s, %d cores, %s memory, %s", known(field("/proc/cpuinfo", "model name", ":")),
		runtime.NumCPU(), memory(), known(strings.Trim(field("/etc/os-release", "PRETTY_NAME", "="), `"`)))}
	if commit, err := exec.Command("git", "describe", "--always", "--dirty").Output(); err == nil { //nolint:noctx // reads a few files
		lines = append(lines, "commit "+strings.TrimSpace(string(commit)))
	}
	lines = append(lines, fmt.Sprintf("%s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH))
	if versions := moduleVersions(); len(versions) > 0 {
		lines = append(lines, strings.Join(versions, ", "))
	}
	return lines
}

func known(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func memory() string {
	kib, err := strconv.Atoi(strings.TrimSuffix(field("/proc/meminfo", "MemTotal", ":"), " kB"))
	if err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%.1f GiB", float64(kib)/(1<<20))
}

// field returns the first value of a name in a file of name-value lines, or "".
func field(path, name, separator string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), separator); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func moduleVersions() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	var versions []string
	for _, module := range info.Deps {
		if slices.Contains([]string{
			"gorm.io/gorm", "gorm.io/driver/sqlite", "gorm.io/driver/mysql", "github.com/uptrace/bun",
			"github.com/go-sql-driver/mysql", "github.com/mattn/go-sqlite3", "modernc.org/sqlite",
		}, module.Path) {
			versions = append(versions, module.Path+" "+module.Version)
		}
	}
	return versions
}
