package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// roundsEnv names the environment variable that sets the rounds of each fault. The default keeps a test run short;
// make faults sets those of the table in docs/faults.md.
const roundsEnv = "TTPSTORE_FAULT_ROUNDS"

func faultRounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv(roundsEnv)
	if text == "" {
		return 3
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s must be a positive number, not %q", roundsEnv, text)
	}
	return n
}

// ledger records the results of concurrent InsertTags calls.
type ledger struct {
	mu       sync.Mutex
	batches  map[uuid.UUID]uuid.UUID // of the call that returned Inserted for the tag
	stored   map[uuid.UUID]bool      // tags that a call returned as Inserted or Duplicate
	doubled  int
	failures int
	unknown  int           // failures with ErrUnknownOutcome
	longest  time.Duration // from the first attempt of a call to its result
}

func newLedger() *ledger {
	return &ledger{batches: map[uuid.UUID]uuid.UUID{}, stored: map[uuid.UUID]bool{}}
}

func (l *ledger) record(tags []ttp.Tag, r ttp.InsertResult, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.longest = max(l.longest, took)
	for i, outcome := range r.Outcomes {
		id := tags[i].ComputeUUID()
		l.stored[id] = true
		if outcome != ttp.Inserted {
			continue
		}
		if _, twice := l.batches[id]; twice {
			l.doubled++
		}
		l.batches[id] = r.BatchUUID
	}
}

// callTags is the number of tags of a call of write.
const callTags = 3

// write inserts tags in calls until next returns false or the context ends. A failed call is repeated.
func (l *ledger) write(ctx context.Context, s *ttp.Store, next func() (int, bool)) {
	for n, ok := next(); ok && ctx.Err() == nil; n, ok = next() {
		tags := make([]ttp.Tag, callTags)
		for i := range tags {
			tags[i] = retryTag(fmt.Sprint(n*len(tags) + i))
			tags[i].TechniqueID = []string{"T1110", "T1078"}[i%2]
		}
		begin := time.Now()
		r, err := s.InsertTags(ctx, tags)
		for err != nil && ctx.Err() == nil {
			l.count(err)
			time.Sleep(10 * time.Millisecond)
			r, err = s.InsertTags(ctx, tags)
		}
		l.record(tags, r, time.Since(begin))
	}
}

func (l *ledger) count(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures++
	if errors.Is(err, ttp.ErrUnknownOutcome) {
		l.unknown++
	}
}

func (l *ledger) failed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failures
}

// check compares the ledger with the store and logs a row of the table in docs/faults.md.
func (l *ledger) check(t *testing.T, s *ttp.Store, fault string, times int) {
	t.Helper()
	exported := map[uuid.UUID]uuid.UUID{}
	for tag, err := range s.TagsSeq(t.Context(), ttp.Fleet(), ttp.Filter{}) {
		succeed(t, err)
		exported[tag.UUID] = tag.BatchUUID
	}
	lost, unclaimed := 0, 0
	for id := range l.stored {
		if _, ok := exported[id]; !ok {
			lost++
		}
	}
	for id := range exported {
		if !l.stored[id] {
			t.Errorf("tag %s is stored, but no call returned an outcome for it", id)
		}
		if _, ok := l.batches[id]; !ok {
			unclaimed++
		}
	}
	if unclaimed > l.unknown*callTags { // a repeated call may only return Duplicate if an earlier error was ErrUnknownOutcome
		t.Errorf("no call returned Inserted for %d tags, with %d unknown outcomes", unclaimed, l.unknown)
	}
	for id, batch := range l.batches {
		if stored, ok := exported[id]; ok && stored != batch {
			l.doubled++
		}
	}
	logFault(t, fault, times, lost, l.doubled, miscounted(t, s), l.longest)
	t.Logf("%d tags, %d failed calls", len(exported), l.failures)
}

// miscounted returns the number of techniques with a wrong count, and fails the test for any other finding.
func miscounted(t *testing.T, s *ttp.Store) int {
	t.Helper()
	n := 0
	for finding, err := range s.Verify(t.Context(), ttp.VerifyOptions{}) {
		succeed(t, err)
		switch finding.Kind {
		case ttp.Dangling:
		case ttp.WrongCount:
			n++
		default:
			t.Errorf("verify found %+v", finding)
		}
	}
	return n
}

func logFault(t *testing.T, fault string, times, lost, doubled, miscounted int, longest time.Duration) {
	t.Helper()
	t.Logf("| %s | %d | %d | %d | %d | %s |", fault, times, lost, doubled, miscounted, longest.Round(time.Millisecond))
	if lost+doubled+miscounted > 0 {
		t.Error("tags were lost, doubled or miscounted")
	}
}

// buildTool returns the path of the command line tool.
func buildTool(t *testing.T) string {
	t.Helper()
	tool := filepath.Join(t.TempDir(), "ttpstore")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", tool, "./cmd/ttpstore")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return tool
}

// runTool returns the command's output with its error.
func runTool(t *testing.T, tool string, args ...string) error {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", args, err, out)
	}
	return nil
}

// manyTags writes a file of n tags of ten attackers.
func manyTags(t *testing.T, n int) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "tags.jsonl"))
	succeed(t, err)
	lines := json.NewEncoder(file)
	for i := range n {
		tag := retryTag(fmt.Sprint(i))
		tag.AttackerUUID = id(fmt.Sprint("attacker ", i%10))
		tag.TechniqueID = []string{"T1110", "T1078", "T1059"}[i%3]
		succeed(t, lines.Encode(struct {
			Type string `json:"type"`
			ttp.Tag
		}{"tag", tag}))
	}
	succeed(t, file.Close())
	return file.Name()
}

// runAndKill runs a command and kills it after a random time, at most limit. It reports whether the command ended by
// itself.
func runAndKill(t *testing.T, limit time.Duration, tool string, args ...string) (ended bool) {
	t.Helper()
	command := exec.CommandContext(t.Context(), tool, args...)
	succeed(t, command.Start())
	timer := time.AfterFunc(rand.N(limit), func() { _ = command.Process.Kill() })
	defer timer.Stop()
	err := command.Wait()
	exit, failed := errors.AsType[*exec.ExitError](err)
	if failed && exit.Exited() {
		t.Fatalf("%v failed: %v", args, err)
	}
	return err == nil
}

// refill lifts all tombstones and imports the file.
func refill(t *testing.T, s *ttp.Store, tool, file, url string) {
	t.Helper()
	tombstones, err := s.ListTombstones(t.Context(), uuid.Nil, ttp.MaxPage)
	succeed(t, err)
	for _, tombstone := range tombstones {
		succeed(t, second(s.LiftTombstone(t.Context(), tombstone.UUID)))
	}
	succeed(t, runTool(t, tool, "import", file, "--db", url))
}

// storedTags returns the number of tags. It counts them in one statement, since the server may still commit for a killed
// process.
func storedTags(t *testing.T, s *ttp.Store) int {
	t.Helper()
	n, err := s.CountTags(t.Context(), ttp.Fleet(), ttp.Filter{MinConfidence: 0.1}) // without a filter, it adds the stored counts
	succeed(t, err)
	return int(n)
}

// TestKilledProcessesLoseNothing kills importers and removers at random and then runs them to the end.
func TestKilledProcessesLoseNothing(t *testing.T) {
	const tags, batch = 20_000, 500
	tool, file, rounds := buildTool(t), manyTags(t, tags), faultRounds(t)
	for name, url := range map[string]string{
		"SQLite": "sqlite://" + filepath.Join(t.TempDir(), "ttp.db"), "server": "mysql://" + newDatabase(t),
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, url)
			until := func(fault string, limit time.Duration, wantTags int, args ...string) {
				t.Helper()
				args = append(args, "--db", url)
				for killed := 0; killed < rounds; {
					if runAndKill(t, limit, tool, args...) {
						refill(t, s, tool, file, url)
						continue
					}
					killed++
					if args[0] != "import" || engine.Keyspaces > 0 { // a cluster may commit a part of a batch
						continue
					}
					if n := storedTags(t, s); n%batch != 0 {
						t.Errorf("%d tags are stored after a kill, want a multiple of %d", n, batch)
					}
				}
				succeed(t, runTool(t, tool, args...))
				stored := storedTags(t, s)
				logFault(t, "SIGKILL of "+fault+", "+name, rounds, max(wantTags-stored, 0), max(stored-wantTags, 0), miscounted(t, s), 0)
			}
			until("an importer", 300*time.Millisecond, tags, "import", file, "--batch", strconv.Itoa(batch))
			until("a purge", 60*time.Millisecond, tags-tags/10, "purge", "attacker", id("attacker 1").String(), "--yes")
			until("a rollback with a tombstone", 90*time.Millisecond, 0, "rollback", "rule", "R1001", "--tombstone", "--yes")
		})
	}
}
