package conformance

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

var observeCases = []testCase{
	{name: "ObserverIsToldOfOperations", run: observerIsToldOfOperations},
	{name: "ObserverIsToldOnceOfEachCall", run: observerIsToldOnceOfEachCall},
	{name: "ObserverIsToldOfAMissingSchema", run: observerIsToldOfAMissingSchema},
	{name: "ObservationsHoldNoValues", run: observationsHoldNoValues},
	{name: "ObserverCountsRemovedAndReleasedTags", run: observerCountsRemovedAndReleasedTags},
	{name: "LogTellsOutcomesAndSlowCalls", run: logTellsOutcomesAndSlowCalls},
	{name: "RetriesAreBounded", run: retriesAreBounded},
	{name: "ClockSetsTheTimesOfWriting", run: clockSetsTheTimesOfWriting},
	{name: "ClockThatJumpsBackChangesOnlyTimes", run: clockThatJumpsBackChangesOnlyTimes},
	{name: "ReadyTellsWhatIsWrong", run: readyTellsWhatIsWrong},
}

// watch opens a store with its schema and returns its observations, without those that the test's own reads make.
func watch(t *testing.T, db *database, opts ...ttp.Option) (*ttp.Store, func() []ttp.Observation) {
	t.Helper()
	succeed(t, db.open(t).Migrate(context.Background()))
	var mu sync.Mutex
	var seen []ttp.Observation
	opts = append([]ttp.Option{ttp.WithSlowThreshold(time.Hour)}, opts...) // a loaded machine may be slow
	s := db.open(t, append(opts, ttp.WithObserver(func(_ context.Context, o ttp.Observation) {
		mu.Lock()
		defer mu.Unlock()
		if o.Duration <= 0 || time.Since(o.Start) > time.Hour {
			t.Errorf("%s: started %v, took %v", o.Operation, o.Start, o.Duration)
		}
		o.Start, o.Duration = time.Time{}, 0
		seen = append(seen, o)
	}))...)
	return s, func() []ttp.Observation {
		mu.Lock()
		defer mu.Unlock()
		defer func() { seen = nil }()
		return seen
	}
}

func observerIsToldOfOperations(t *testing.T, db *database) {
	ctx := context.Background()
	s, seen := watch(t, db, ttp.WithSlowThreshold(time.Hour))
	told := func(what string, want ttp.Observation) {
		t.Helper()
		want.Dialect = db.Dialect
		equal(t, what, seen(), []ttp.Observation{want})
	}
	insert(t, s, newTag("1"), newTag("2"), newTag("2"), newTag("low", func(tag *ttp.Tag) { tag.Confidence = 0 }))
	told("insert", ttp.Observation{
		Operation: "insert tags", Rows: 4, Attempts: 1,
		Outcomes: map[ttp.Outcome]int{ttp.Inserted: 2, ttp.Duplicate: 1, ttp.BelowFloor: 1},
	})
	_, err := s.InsertTags(ctx, []ttp.Tag{{}})
	told("invalid tag", ttp.Observation{Operation: "insert tags", Rows: 1, Outcomes: map[ttp.Outcome]int{}, Failure: "invalid_tag"})
	equal(t, "invalid", errors.Is(err, ttp.ErrInvalidTag), true)
	must[[]ttp.TechniqueRollupRow](t)(s.Rollup(ctx, ttp.OfAttacker(id("attacker"))))
	told("rollup", ttp.Observation{Operation: "rollup", Rows: 1, Attempts: 1})
	_, err = s.GetIdentity(ctx, id("i"))
	told("unknown identity", ttp.Observation{Operation: "get identity", Attempts: 1, Failure: "not_found"})
	equal(t, "error", err.Error(), "ttp: get identity "+id("i").String()+": not found")
	line := `{"type":"campaign","uuid":"` + id("c").String() + `"}` + "\n"
	must[ttp.ImportReport](t)(s.Import(ctx, strings.NewReader(line), ttp.ImportOptions{}))
	told("import", ttp.Observation{Operation: "import", Attempts: 1, Outcomes: map[ttp.Outcome]int{}})
	runs := 0
	succeed(t, s.Tx(ctx, func(context.Context, *sql.Tx, *ttp.Store) error {
		if runs++; runs == 1 {
			return conflict(t, db)
		}
		return nil
	}))
	told("transaction", ttp.Observation{Operation: "run transaction", Attempts: 2})

	slow, seen := watch(t, db, ttp.WithSlowThreshold(time.Nanosecond))
	must[[]ttp.RuleStats](t)(slow.ListRules(ctx, ttp.Filter{}))
	equal(t, "slow", seen(), []ttp.Observation{{Operation: "list rules", Dialect: db.Dialect, Rows: 1, Attempts: 1, Slow: true}})
}

// Each call is observed once, whether it is refused before its first statement or reads no rows.
func observerIsToldOnceOfEachCall(t *testing.T, db *database) {
	ctx := context.Background()
	s, seen := watch(t, db)
	bad := ttp.Filter{MinConfidence: 2}
	file := filepath.Join(t.TempDir(), "backup.db")
	noBackup, noViews := "", ""
	if db.Dialect == ttp.MySQL {
		noBackup = "error"
	}
	if !db.Capabilities.Snapshots {
		noViews = "error"
	}
	for _, test := range []struct {
		operation, failure string
		call               func() error
	}{
		{"assign attackers", "invalid_scope", func() error { return s.AssignAttackers(ctx, uuid.Nil) }},
		{"unassign campaign", "invalid_scope", func() error { return s.UnassignCampaign(ctx, uuid.Nil) }},
		{"upsert attackers", "invalid_scope", func() error { return s.UpsertAttackers(ctx, make([]ttp.Attacker, 1)) }},
		{"ensure identity", "invalid_scope", func() error { _, _, err := s.EnsureIdentity(ctx, uuid.Nil); return err }},
		{"list attackers by ip", "invalid_query", func() error { return second(s.ListAttackersByIP(ctx, netip.Addr{})) }},
		{"list attackers", "invalid_query", func() error { return second(s.ListAttackers(ctx, ttp.Fleet(), uuid.Nil, 0)) }},
		{"list tags", "invalid_query", func() error { return second(s.ListTags(ctx, ttp.Fleet(), bad, 1, "")) }},
		{"count tags", "invalid_query", func() error { return second(s.CountTags(ctx, ttp.Scope{Kind: "?"}, ttp.Filter{})) }},
		{"rollup", "invalid_query", func() error { return second(s.Rollup(ctx, ttp.Fleet(), ttp.Where(bad))) }},
		{"who in a scope", "invalid_query", func() error { return second(s.WhoIn(ctx, ttp.Fleet(), "", bad, 0)) }},
		{"timeline", "invalid_query", func() error { return second(s.Timeline(ctx, ttp.Fleet(), bad, 0, "")) }},
		{"export", "invalid_query", func() error { return second(s.Export(ctx, io.Discard, bad, nil)) }},
		{"purge session", "invalid_query", func() error { return second(s.PurgeSession(ctx, "s", ttp.WithBatchSize(0))) }},
		{"stream tags", "invalid_query", func() (err error) {
			for _, err = range s.TagsSeq(ctx, ttp.Fleet(), bad) {
			}
			return err
		}},
		{"import", "invalid_record", func() error { return second(s.Import(ctx, strings.NewReader("?"), ttp.ImportOptions{})) }},
		{"import", "error", func() error { return second(s.Import(ctx, strings.NewReader(""), ttp.ImportOptions{Batch: -1})) }},
		{"run transaction", "error", func() error { return s.WithTx(new(sql.Tx)).Tx(ctx, nil) }},
		{"ping", "", func() error { return s.Ping(ctx) }},
		{"get capabilities", "", func() error { return second(s.Capabilities(ctx)) }},
		{"check readiness", "", func() error { return s.Ready(ctx) }},
		{"check schema", "", func() error { return s.CheckSchema(ctx) }},
		{"read schema status", "", func() error { return second(s.SchemaStatus(ctx)) }},
		{"back up", noBackup, func() error { return s.Backup(ctx, file) }},
		{"create views", noViews, func() error { return second(s.CreateViews(ctx)) }},
		{"force schema version", "conflict", func() error { return s.ForceSchemaVersion(ctx, 1) }},
		{"migrate down", "error", func() error { return s.MigrateDown(ctx, -1) }},
		{"migrate", "", func() error { return s.Migrate(ctx) }},
	} {
		err := test.call()
		equal(t, test.operation+" failed", err != nil, test.failure != "")
		equal(t, test.operation, seen(), []ttp.Observation{{Operation: test.operation, Dialect: db.Dialect, Failure: test.failure}})
	}
}

func observerIsToldOfAMissingSchema(t *testing.T, db *database) {
	ctx := context.Background()
	s, seen := watch(t, db)
	succeed(t, s.MigrateDown(ctx, 0))
	seen()
	err := s.Tx(ctx, func(context.Context, *sql.Tx, *ttp.Store) error { t.Error("it ran"); return nil })
	equal(t, "missing", errors.Is(err, ttp.ErrSchemaMissing), true)
	equal(t, "transaction", seen(), []ttp.Observation{{Operation: "run transaction", Dialect: db.Dialect, Failure: "schema_missing"}})
}

// Every value is marked, in calls that succeed and that fail.
func observationsHoldNoValues(t *testing.T, db *database) {
	const mark = "zzmark"
	ctx := context.Background()
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var seen bytes.Buffer
	observer := slog.New(slog.NewTextHandler(&seen, nil))
	succeed(t, db.open(t).Migrate(ctx))
	s := db.open(t, ttp.WithLogger(logger), ttp.WithSlowThreshold(time.Hour), ttp.WithObserver(func(ctx context.Context, o ttp.Observation) {
		observer.InfoContext(ctx, "", "observation", o)
	}))
	marked := newTag(mark, func(tag *ttp.Tag) {
		tag.SourceKind, tag.SessionID, tag.DeckyID, tag.RuleID = mark, mark, mark, mark
		tag.Evidence = []byte(`{"` + mark + `":1}`)
	})
	insert(t, s, marked)
	marked.Tactic = mark
	_, invalid := s.InsertTags(ctx, []ttp.Tag{marked})
	filter := ttp.Filter{RuleID: mark, SourceKind: mark, DeckyID: mark}
	must[[]ttp.TechniqueRollupRow](t)(s.Rollup(ctx, ttp.OfSession(mark), ttp.Where(filter)))
	must[ttp.TagPage](t)(s.ListTags(ctx, ttp.OfSession(mark), filter, 10, ""))
	_, cursor := s.ListTags(ctx, ttp.OfSession(mark), filter, 10, mark)
	for _, err := range s.SessionTags(ctx, mark, filter) {
		succeed(t, err)
	}
	scopes := `{"type":"campaign","uuid":"` + id(mark).String() + `","name":"` + mark + `"}
{"type":"attacker","uuid":"` + id(mark).String() + `","ip":"2001:db8::dead:beef"}
{"type":"` + mark + `"}`
	_, skipped := s.Import(ctx, strings.NewReader(scopes), ttp.ImportOptions{SkipInvalid: true})
	succeed(t, skipped)
	must[ttp.Attacker](t)(s.GetAttacker(ctx, id(mark)))
	_, tag := s.GetTag(ctx, id(mark))
	_, err := s.Export(ctx, io.Discard, filter, nil)
	succeed(t, err)
	must[ttp.Receipt](t)(s.PurgeSession(ctx, mark, ttp.WithTombstone(mark)))
	must[ttp.Receipt](t)(s.PurgeAttacker(ctx, id(mark)))
	must[ttp.Receipt](t)(s.RollbackRule(ctx, ttp.Filter{RuleID: mark}))
	if removed := s.RemoveAttackRelease(ctx, mark); !errors.Is(removed, ttp.ErrNotFound) {
		t.Errorf("removing an unknown release: got %v", removed)
	}
	_, err = s.LiftTombstone(ctx, id(mark))
	for _, err := range []error{invalid, cursor, tag, err} {
		if err == nil {
			t.Error("a call did not fail")
		}
	}
	text := log.String() + seen.String()
	for _, secret := range []string{mark, id(mark).String(), "beef", id("attacker").String()} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in the log:\n%s", secret, text)
		}
	}
	for _, want := range []string{
		"level=DEBUG msg=\"ttp operation\" operation=\"insert tags\" engine=" + string(db.Dialect) + " rows=1 attempts=1 duration=",
		"slow=false inserted=1\n", "level=WARN", "failure=invalid_tag\n", "operation=\"purge session\"",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, log.String())
		}
	}
}

func observerCountsRemovedAndReleasedTags(t *testing.T, db *database) {
	ctx := context.Background()
	s, seen := watch(t, db, ttp.WithSlowThreshold(time.Hour))
	ofIdentity := func(tag *ttp.Tag) { tag.IdentityUUID = id("i") }
	withoutAttacker := func(tag *ttp.Tag) { tag.AttackerUUID = uuid.Nil }
	insert(t, s, newTag("1", ofIdentity), newTag("2", ofIdentity, withoutAttacker), newTag("3", ofIdentity, withoutAttacker))
	seen()
	must[ttp.Receipt](t)(s.PurgeIdentity(ctx, id("i")))
	var ofTags []ttp.Observation
	for _, o := range seen() {
		if o.Operation == "purge identity" && o.Rows > 0 {
			ofTags = append(ofTags, o)
		}
	}
	want := ttp.Observation{Operation: "purge identity", Dialect: db.Dialect, Rows: 3, Attempts: 1}
	equal(t, "the page and its removal", ofTags, []ttp.Observation{want, want})
}

func logTellsOutcomesAndSlowCalls(t *testing.T, db *database) {
	ctx := context.Background()
	succeed(t, db.open(t).Migrate(ctx))
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s := db.open(t, ttp.WithLogger(logger), ttp.WithSlowThreshold(time.Nanosecond))
	session := func(tag *ttp.Tag) { tag.SessionID = "removed" }
	insert(t, s, newTag("1", session))
	must[ttp.Receipt](t)(s.PurgeSession(ctx, "removed", ttp.WithTombstone("")))
	log.Reset()
	insert(t, s, newTag("1", session), newTag("2"), newTag("2"), newTag("low", func(tag *ttp.Tag) { tag.Confidence = 0 }))
	if want := "slow=true inserted=1 duplicate=1 below_floor=1 tombstoned=1\n"; !strings.HasSuffix(log.String(), want) {
		t.Errorf("the log does not end with %q:\n%s", want, log.String())
	}
}

func retriesAreBounded(t *testing.T, db *database) {
	busy := conflict(t, db)
	for _, attempts := range []int{1, 2} {
		s, seen := watch(t, db, ttp.WithRetries(attempts, time.Minute))
		err := s.Tx(context.Background(), func(context.Context, *sql.Tx, *ttp.Store) error { return busy })
		if !errors.Is(err, ttp.ErrBusy) || !errors.Is(err, busy) || strings.Count(err.Error(), ttp.ErrBusy.Error()) != 1 {
			t.Errorf("got %v", err)
		}
		equal(t, "observed", seen(), []ttp.Observation{
			{Operation: "run transaction", Dialect: db.Dialect, Attempts: attempts, Failure: "busy"},
		})
	}
}

func clockSetsTheTimesOfWriting(t *testing.T, db *database) {
	ctx, now := context.Background(), at(0).Add(365*ttp.Day)
	succeed(t, db.open(t).Migrate(ctx))
	s := db.open(t, ttp.WithClock(func() time.Time { return now }))
	insert(t, s, newTag("1"))
	equal(t, "ingested at", stored(t, s)[0].IngestedAt, now)
	equal(t, "younger", must[ttp.Receipt](t)(s.ExpireTags(ctx, 366*ttp.Day)).Tags, 0)
	equal(t, "older", must[ttp.Receipt](t)(s.ExpireTags(ctx, 364*ttp.Day)).Tags, 1)
}

func clockThatJumpsBackChangesOnlyTimes(t *testing.T, db *database) {
	ctx, noon := context.Background(), at(0).Add(12*time.Hour)
	now := noon
	succeed(t, db.open(t).Migrate(ctx))
	s := db.open(t, ttp.WithClock(func() time.Time { return now }))
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("attacker")}}))
	session := func(tag *ttp.Tag) { tag.SessionID = "removed" }
	first := insert(t, s, newTag("1"))
	insert(t, s, newTag("2", session))
	removed := must[ttp.Receipt](t)(s.PurgeSession(ctx, "removed", ttp.WithTombstone("")))
	equal(t, "removed", removed.Tags, 1)

	now = noon.Add(-time.Hour)
	second := insert(t, s, newTag("1"), newTag("2", session), newTag("3"))
	equal(t, "outcomes", second.Outcomes, []ttp.Outcome{ttp.Duplicate, ttp.Tombstoned, ttp.Inserted})
	written := map[string]time.Time{}
	batches := map[string]uuid.UUID{}
	for _, tag := range stored(t, s) {
		written[tag.SourceID], batches[tag.SourceID] = tag.IngestedAt, tag.BatchUUID
	}
	equal(t, "ingested at", written, map[string]time.Time{"1": noon, "3": now})
	equal(t, "batches", batches, map[string]uuid.UUID{"1": first.BatchUUID, "3": second.BatchUUID})
	equal(t, "expired", must[ttp.Receipt](t)(s.ExpireTags(ctx, 11*time.Hour)).Tags, 0)
	must[int64](t)(s.LiftTombstone(ctx, removed.TombstoneUUID))
	equal(t, "after the lift", insert(t, s, newTag("2", session)).Inserted, 1)
	equal(t, "findings", collect(t, s.Verify(ctx, ttp.VerifyOptions{})), []ttp.Finding(nil))
}

func readyTellsWhatIsWrong(t *testing.T, db *database) {
	ctx, s := context.Background(), db.open(t)
	if err := s.Ready(ctx); !errors.Is(err, ttp.ErrSchemaMissing) {
		t.Errorf("without a schema: got %v", err)
	}
	succeed(t, s.Migrate(ctx))
	succeed(t, s.Ready(ctx))
	exec(t, db, "UPDATE ttp_schema_migrations SET dirty = 1")
	if err := s.Ready(ctx); !errors.Is(err, ttp.ErrSchemaDirty) {
		t.Errorf("with a dirty schema: got %v", err)
	}
	exec(t, db, "UPDATE ttp_schema_migrations SET dirty = 0")
	succeed(t, s.Tx(ctx, func(inside context.Context, _ *sql.Tx, inner *ttp.Store) error {
		succeed(t, inner.Ready(inside))
		limit := time.Minute
		if db.Dialect == ttp.SQLite {
			limit = 2 * time.Second
		}
		soon, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		err := s.Ready(soon)
		stuck := errors.Is(err, ttp.ErrBusy) || errors.Is(err, context.DeadlineExceeded)
		if waits := db.Dialect == ttp.SQLite; stuck != waits {
			t.Errorf("behind a writer: got %v", err)
		}
		return nil
	}))
	succeed(t, s.Ready(ctx))
}
