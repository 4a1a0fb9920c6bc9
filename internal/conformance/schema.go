package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

var schemaCases = []testCase{
	{name: "OtherSchemasAreRefused", run: otherSchemasAreRefused},
	{name: "MigratingTwiceChangesNothing", run: migratingTwiceChangesNothing},
	{name: "MigrationsRevertAndRepeat", run: migrationsRevertAndRepeat},
	{name: "InterruptedMigrationsAreCompleted", run: interruptedMigrationsAreCompleted, long: true},
	{name: "StartersMigrateAtOnce", run: startersMigrateAtOnce},
	{name: "CancelledMigrationCanBeRepeated", run: cancelledMigrationCanBeRepeated},
}

// refused checks that every kind of call fails with the sentinel and a message with the command.
func refused(t *testing.T, s *ttp.Store, want error, command string) {
	t.Helper()
	ctx := context.Background()
	_, write := s.InsertTags(ctx, newTags(1))
	_, read := s.ListDistinctTechniques(ctx)
	_, snapshot := s.ListTechniquesByCampaign(ctx, id("c"))
	_, imported := s.Import(ctx, strings.NewReader(`{"type":"campaign","uuid":"02cfc226-4a72-52c1-a22d-eb724ba07188"}`), ttp.ImportOptions{})
	for _, err := range []error{s.CheckSchema(ctx), write, read, snapshot, imported} {
		if !errors.Is(err, want) || !strings.Contains(err.Error(), command) {
			t.Errorf("got %v, want %v with %q", err, want, command)
		}
	}
}

func otherSchemasAreRefused(t *testing.T, db *database) {
	ctx := context.Background()
	status := func(s *ttp.Store) ttp.SchemaStatus { return must[ttp.SchemaStatus](t)(s.SchemaStatus(ctx)) }
	s := db.open(t)
	latest := status(s).Latest
	equal(t, "status of an empty database", status(s), ttp.SchemaStatus{Latest: latest})
	refused(t, s, ttp.ErrSchemaMissing, "call Store.Migrate")

	succeed(t, s.Migrate(ctx))
	equal(t, "status", status(s), ttp.SchemaStatus{Version: latest, Latest: latest})
	succeed(t, s.CheckSchema(ctx))

	succeed(t, s.MigrateDown(ctx, latest-1))
	refused(t, s, ttp.ErrSchemaOld, "call Store.Migrate")
	succeed(t, s.Migrate(ctx))

	exec(t, db, "UPDATE ttp_schema_migrations SET version = 9999")
	if err := s.CheckSchema(ctx); !errors.Is(err, ttp.ErrSchemaNew) {
		t.Errorf("checking a schema that was replaced after a check: got %v", err)
	}
	refused(t, db.open(t), ttp.ErrSchemaNew, "run a newer program")
	if err := s.Migrate(ctx); !errors.Is(err, ttp.ErrSchemaNew) {
		t.Errorf("migrating a newer schema: got %v", err)
	}
	exec(t, db, "UPDATE ttp_schema_migrations SET dirty = 1")
	refused(t, db.open(t), ttp.ErrSchemaNew, "the migration to version 9999 was interrupted")
	for name, err := range map[string]error{"up": s.Migrate(ctx), "down": s.MigrateDown(ctx, 1)} {
		if !errors.Is(err, ttp.ErrSchemaNew) {
			t.Errorf("migrating a newer dirty schema %s: got %v", name, err)
		}
	}
	exec(t, db, "UPDATE ttp_schema_migrations SET version = 3")
	refused(t, db.open(t), ttp.ErrSchemaDirty, "call Store.Migrate to complete it")
	for _, version := range []int{1, 3} {
		if err := s.MigrateDown(ctx, version); !errors.Is(err, ttp.ErrSchemaDirty) {
			t.Errorf("migrating a dirty schema down to %d: got %v", version, err)
		}
	}
	for _, version := range []int{-1, 4} {
		want := "ttp: force schema version: the version must be from 0 to the current version 3"
		if err := s.ForceSchemaVersion(ctx, version); err == nil || err.Error() != want {
			t.Errorf("forcing version %d: got %v", version, err)
		}
	}
	for _, version := range []int{3, 1, 0, 2} {
		exec(t, db, "DELETE FROM ttp_schema_migrations")
		exec(t, db, "INSERT INTO ttp_schema_migrations VALUES (3, 1)")
		succeed(t, s.ForceSchemaVersion(ctx, version))
		equal(t, "status", status(s), ttp.SchemaStatus{Version: version, Latest: latest})
	}
	succeed(t, s.Migrate(ctx))
	equal(t, "status", status(s), ttp.SchemaStatus{Version: latest, Latest: latest})
	insert(t, s, newTag("1"))
	for _, version := range []int{-1, latest + 1} {
		want := fmt.Sprintf("ttp: migrate down: the version must be from 0 to the current version %d", latest)
		if err := s.MigrateDown(ctx, version); err == nil || err.Error() != want {
			t.Errorf("migrating down to version %d: got %v", version, err)
		}
	}
	succeed(t, s.MigrateDown(ctx, latest))
	equal(t, "tags after no migration", count(t, s), 1)
	if err := s.ForceSchemaVersion(ctx, 2); !errors.Is(err, ttp.ErrConflict) {
		t.Errorf("forcing a clean schema: got %v", err)
	}
}

// exec runs raw SQL on the database.
func exec(t *testing.T, db *database, query string) {
	t.Helper()
	if _, err := db.pool.ExecContext(context.Background(), query); err != nil {
		t.Fatal(err)
	}
}

func migratingTwiceChangesNothing(t *testing.T, db *database) {
	s := db.store(t)
	insert(t, s, newTag("1"))
	before := stored(t, s)
	succeed(t, s.Migrate(context.Background()))
	equal(t, "tags", stored(t, s), before)
}

func migrationsRevertAndRepeat(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	insert(t, s, newTag("1"))
	latest := must[ttp.SchemaStatus](t)(s.SchemaStatus(ctx)).Latest
	for version := latest - 1; version >= 0; version-- {
		succeed(t, s.MigrateDown(ctx, version))
		equal(t, "version", must[ttp.SchemaStatus](t)(s.SchemaStatus(ctx)).Version, version)
	}
	refused(t, s, ttp.ErrSchemaMissing, "call Store.Migrate")
	succeed(t, s.Migrate(ctx))
	equal(t, "tags", count(t, s), 0)
}

// A migration in either direction may be interrupted before its first or after its last statement. Migrating again, as the
// error advises, must complete it.
func interruptedMigrationsAreCompleted(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	latest := must[ttp.SchemaStatus](t)(s.SchemaStatus(ctx)).Latest
	for version := range latest + 1 {
		for _, done := range []int{max(version-1, 0), min(version+1, latest)} {
			insert(t, s, newTag("1"))
			succeed(t, s.MigrateDown(ctx, done))
			row := version
			if row == 0 {
				row = -1 // golang-migrate's value for no version
			}
			exec(t, db, "DELETE FROM ttp_schema_migrations")
			exec(t, db, fmt.Sprintf("INSERT INTO ttp_schema_migrations VALUES (%d, 1)", row))
			tags := tables(t, db)["ttp_tag"]

			equal(t, "status", must[ttp.SchemaStatus](t)(s.SchemaStatus(ctx)), ttp.SchemaStatus{Version: version, Latest: latest, Dirty: true})
			refused(t, db.open(t), ttp.ErrSchemaDirty, "call Store.Migrate")
			succeed(t, s.Migrate(ctx))
			equal(t, "status", must[ttp.SchemaStatus](t)(s.SchemaStatus(ctx)), ttp.SchemaStatus{Version: latest, Latest: latest})
			equal(t, "tags", count(t, s), int64(tags))
		}
	}
}

func startersMigrateAtOnce(t *testing.T, db *database) {
	const starters = 6
	errs := make([]error, starters)
	var wg sync.WaitGroup
	for i := range starters {
		s := db.open(t)
		wg.Go(func() { errs[i] = s.Migrate(context.Background()) })
	}
	wg.Wait()
	succeed(t, errors.Join(errs...))
	succeed(t, db.open(t).CheckSchema(context.Background()))
}

func cancelledMigrationCanBeRepeated(t *testing.T, db *database) {
	s := db.open(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Migrate(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	succeed(t, s.Migrate(context.Background()))
	succeed(t, s.CheckSchema(context.Background()))
}
