package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

// TestAFullDiskLosesNothing fills a small file system with tags and then makes room.
func TestAFullDiskLosesNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip(NoRight + "mounting a small tmpfs needs root: run the tests as root")
	}
	dir := t.TempDir()
	mount := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", dir)
	if out, err := mount.CombinedOutput(); err != nil {
		t.Skipf(NoRight+"mounting a small tmpfs: %v: %s", err, out)
	}
	t.Cleanup(func() { succeed(t, exec.Command("umount", dir).Run()) }) //nolint:noctx // the test's context has ended
	ballast := filepath.Join(dir, "ballast")
	succeed(t, os.WriteFile(ballast, make([]byte, 4<<20), 0o600))
	s := openStore(t, "sqlite://"+filepath.Join(dir, "ttp.db"))

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ledger := newLedger()
	var refused error
	for n := 0; refused == nil; n++ {
		tags := []ttp.Tag{retryTag(fmt.Sprint("large ", n))}
		tags[0].Evidence = evidence(60 << 10)
		var r ttp.InsertResult
		if r, refused = s.InsertTags(ctx, tags); refused == nil {
			ledger.record(tags, r, 0)
		}
	}
	if errors.Is(refused, ttp.ErrUnknownOutcome) || ctx.Err() != nil {
		t.Errorf("the full disk was reported as %v, want an error of the engine", refused)
	}
	succeed(t, os.Remove(ballast))
	ledger.write(ctx, s, once(1))
	succeed(t, ctx.Err())
	ledger.check(t, s, "full disk, SQLite", 1)
}

// once returns n a single time.
func once(n int) func() (int, bool) {
	first := true
	return func() (int, bool) {
		defer func() { first = false }()
		return n, first
	}
}

func evidence(size int) []byte {
	text := make([]byte, size)
	for i := range text {
		text[i] = 'x'
	}
	return []byte(`{"text":"` + string(text) + `"}`)
}

// TestTwoProcessesShareAFile imports in one process while another one reads.
func TestTwoProcessesShareAFile(t *testing.T) {
	const tags = 3000
	tool, file := buildTool(t), manyTags(t, tags)
	url := "sqlite://" + filepath.Join(t.TempDir(), "ttp.db")
	s := openStore(t, url)
	duration := time.Duration(faultRounds(t)) * 1200 * time.Millisecond // a minute in 50 rounds
	var reads atomic.Int64
	done := make(chan error, 1)
	var longest time.Duration
	stop := time.Now().Add(duration)
	go func() {
		for time.Now().Before(stop) {
			begin := time.Now()
			if err := runTool(t, tool, "rollup", "fleet", "--min-confidence", "0.1", "--db", url); err != nil {
				done <- err
				return
			}
			longest = max(longest, time.Since(begin))
			reads.Add(1)
		}
		done <- nil
	}()
	imports := 0
	for time.Now().Before(stop) {
		succeed(t, runTool(t, tool, "import", file, "--batch", "100", "--db", url))
		succeed(t, runTool(t, tool, "rollback", "rule", "R1001", "--yes", "--db", url))
		imports++
	}
	succeed(t, <-done)
	succeed(t, runTool(t, tool, "import", file, "--db", url))
	stored := storedTags(t, s)
	logFault(t, "two processes share a SQLite file, seconds", int(duration.Seconds()), max(tags-stored, 0), max(stored-tags, 0),
		miscounted(t, s), longest)
	t.Logf("%d imports and rollbacks, %d reads", imports, reads.Load())
}
