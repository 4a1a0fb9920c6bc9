package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	"github.com/golang-migrate/migrate/v4/source"
	"github.com/golang-migrate/migrate/v4/source/iofs"

	"github.com/decnet/ttpstore/sql/schema"
)

// migrationsTable is golang-migrate's table. It has a name of its own, so that a service may keep its
// own migrations in the same database.
const migrationsTable = "ttp_schema_migrations"

// SchemaStatus is the state of a database's schema.
type SchemaStatus struct {
	Version int  `json:"version"` // the last migration that ran, 0 for none
	Latest  int  `json:"latest"`  // the last migration that this module knows
	Dirty   bool `json:"dirty"`   // the migration to Version stopped half way
	// Foreign says why the tables are not this module's, and what to do; empty where they are.
	Foreign string `json:"foreign,omitempty"`
}

// SchemaStatus reads the state of the schema. It changes nothing and makes no file.
func (s *Store) SchemaStatus(ctx context.Context) (SchemaStatus, error) {
	status, err := s.schemaStatus(ctx)
	return status, s.fail(ctx, "read schema status", err)
}

func (s *Store) schemaStatus(ctx context.Context) (SchemaStatus, error) {
	latest, err := latestMigration(s.engine.dialect())
	if err != nil {
		return SchemaStatus{}, err
	}
	status := SchemaStatus{Latest: latest}
	if s.engine.absent() {
		return status, nil
	}
	tables, err := s.tableColumns(ctx) // first: whoever makes them makes the table of migrations before
	if err != nil {
		return SchemaStatus{}, err
	}
	err = s.reader().QueryRowContext(ctx, "SELECT version, dirty FROM "+migrationsTable).Scan(&status.Version, &status.Dirty)
	missing := errors.Is(s.engine.sentinel(err), ErrSchemaMissing)
	if missing || errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	status.Version = max(status.Version, 0) // golang-migrate says -1 where the first migration was going down
	status.Foreign = foreign(tables, !missing)
	return status, err
}

// CheckSchema refuses what [SchemaStatus.Err] refuses, and what [New] says of connections. Every other call
// does the same once in a store's life; a service may want to know when it starts.
func (s *Store) CheckSchema(ctx context.Context) error {
	s.checked.Store(false)
	return s.fail(ctx, "check schema", s.ready(ctx))
}

// Err returns nil when the schema is the one that this module knows, else [ErrSchemaMissing],
// [ErrSchemaOld], [ErrSchemaNew], [ErrSchemaDirty] or [ErrForeignSchema], with what mends it.
func (status SchemaStatus) Err() error {
	switch {
	case status.Foreign != "":
		return fmt.Errorf("%w, nothing was changed: %s", ErrForeignSchema, status.Foreign)
	case status.Version > status.Latest && status.Dirty:
		return fmt.Errorf("%w: the migration to version %d stopped half way, this program knows %d: "+
			"run the newer program's `ttpstore migrate up`", ErrSchemaNew, status.Version, status.Latest)
	case status.Dirty:
		return fmt.Errorf("%w: the migration to version %d stopped half way: run `ttpstore migrate up`, which completes it",
			ErrSchemaDirty, status.Version)
	case status.Version == 0:
		return fmt.Errorf("%w: run `ttpstore migrate up`", ErrSchemaMissing)
	case status.Version < status.Latest:
		return fmt.Errorf("%w: it has version %d, this program needs %d: run `ttpstore migrate up`",
			ErrSchemaOld, status.Version, status.Latest)
	case status.Version > status.Latest:
		return fmt.Errorf("%w: it has version %d, this program knows %d: run a newer program, "+
			"or go back with the newer one's `ttpstore migrate down %d`", ErrSchemaNew, status.Version, status.Latest, status.Latest)
	}
	return nil
}

// ready checks the connection and the schema once in a store's life.
func (s *Store) ready(ctx context.Context) error {
	if s.checked.Load() {
		return nil
	}
	if err := s.engine.checkConnection(ctx, s.reader()); err != nil {
		return err
	}
	status, err := s.settledStatus(ctx)
	if err != nil {
		return err
	}
	if err := status.Err(); err != nil {
		return err
	}
	s.checked.Store(true)
	return nil
}

// settledStatus reads the state of the schema once more when another process may be in the middle of
// migrating: what it sees half way would be told as an old or a dirty schema.
func (s *Store) settledStatus(ctx context.Context) (SchemaStatus, error) {
	status, err := s.schemaStatus(ctx)
	unsettled := errors.Is(status.Err(), ErrSchemaOld) || errors.Is(status.Err(), ErrSchemaDirty)
	if err != nil || s.tx != nil || !unsettled {
		return status, err
	}
	if _, release, err := s.engine.migrator(ctx, s.write, migrationsTable); err == nil { // waits for its turn
		release()
	}
	return s.schemaStatus(ctx)
}

// Migrate brings the schema to the version that this module knows. It may be called by several
// processes at once, and again when there is nothing to do. It completes a migration that was interrupted. It
// returns [ErrSchemaNew] or [ErrForeignSchema] where it must not write.
//
// When the context ends, the migration that is running is finished first. Beside a SQLite file it
// leaves an empty one, the same name with .migrate-lock, which keeps other processes out meanwhile.
func (s *Store) Migrate(ctx context.Context) error {
	const op = "migrate"
	if _, err := s.ownSchema(ctx); err != nil {
		return s.fail(ctx, op, err)
	}
	err := s.migrate(ctx, op, func(m *migrate.Migrate, status SchemaStatus) error {
		if err := status.Err(); errors.Is(err, ErrSchemaNew) {
			return err
		}
		if status.Dirty {
			if err := forceVersion(m, status.Version-1); err != nil {
				return err
			}
		}
		return m.Up()
	})
	if err != nil {
		return err
	}
	return s.CheckSchema(ctx)
}

// MigrateDown takes the schema back to an earlier version; at 0 all tables and their rows are gone.
func (s *Store) MigrateDown(ctx context.Context, version int) error {
	const op = "migrate down"
	status, err := s.ownSchema(ctx)
	switch {
	case err != nil:
		return s.fail(ctx, op, err)
	case version < 0 || version > status.Version:
		return s.fail(ctx, op, fmt.Errorf("the version must be from 0 to %d, where the schema is", status.Version))
	case version == status.Version && !status.Dirty:
		return nil
	}
	return s.migrate(ctx, op, func(m *migrate.Migrate, status SchemaStatus) error {
		if err := status.Err(); errors.Is(err, ErrSchemaNew) || errors.Is(err, ErrSchemaDirty) {
			return err
		}
		if version == 0 {
			if !s.engine.sharded() { // which has no views
				if err := s.dropViews(ctx); err != nil {
					return err
				}
			}
			return m.Down()
		}
		return m.Migrate(uint(version))
	})
}

// ForceSchemaVersion says which version a dirty schema has, without running anything, for one that [Store.Migrate]
// cannot complete. Each migration may be run again over its own remains, so that the version before the one
// that stopped is the right one. A schema that is not dirty is left alone ([ErrConflict]).
func (s *Store) ForceSchemaVersion(ctx context.Context, version int) error {
	const op = "force schema version"
	status, err := s.ownSchema(ctx)
	switch {
	case err != nil:
		return s.fail(ctx, op, err)
	case !status.Dirty:
		return s.fail(ctx, op, fmt.Errorf("%w: the schema is not dirty, there is nothing to mend", ErrConflict))
	case version < 0 || version > status.Version:
		return s.fail(ctx, op, fmt.Errorf("the version must be from 0 to %d, where the schema is", status.Version))
	}
	return s.migrate(ctx, op, func(m *migrate.Migrate, _ SchemaStatus) error { return forceVersion(m, version) })
}

// forceVersion sets the version without running anything.
func forceVersion(m *migrate.Migrate, version int) error {
	if version < 1 {
		version = database.NilVersion
	}
	return m.Force(version)
}

// ownSchema returns the state of a schema that this store may change.
func (s *Store) ownSchema(ctx context.Context) (SchemaStatus, error) {
	if s.tx != nil {
		return SchemaStatus{}, errors.New("not inside a transaction: call it on the store itself")
	}
	if err := s.engine.checkConnection(ctx, s.reader()); err != nil {
		return SchemaStatus{}, err
	}
	status, err := s.schemaStatus(ctx)
	if err == nil && status.Foreign != "" {
		err = status.Err()
	}
	return status, err
}

// migrate runs a change of the schema while no other process runs one. The change gets the schema's state as it
// is then.
func (s *Store) migrate(ctx context.Context, op string, run func(*migrate.Migrate, SchemaStatus) error) error {
	s.checked.Store(false)
	return s.fail(ctx, op, s.withMigrator(ctx, run))
}

func (s *Store) withMigrator(ctx context.Context, run func(*migrate.Migrate, SchemaStatus) error) error {
	latest, err := latestMigration(s.engine.dialect())
	if err != nil {
		return err
	}
	files, err := iofs.New(schema.FS, string(s.engine.dialect()))
	if err != nil {
		return err
	}
	defer func() { _ = files.Close() }()
	driver, release, err := s.engine.migrator(ctx, s.write, migrationsTable)
	if err != nil {
		return migrationError(err)
	}
	defer release()
	m, err := migrate.NewWithInstance("iofs", files, string(s.engine.dialect()), driver)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { m.GracefulStop <- true })
	defer stop()
	version, dirty, err := driver.Version() // over the connection that the driver holds
	if err != nil {
		return migrationError(err)
	}
	err = run(m, SchemaStatus{Version: max(version, 0), Latest: latest, Dirty: dirty})
	if errors.Is(err, migrate.ErrNoChange) {
		return nil
	}
	return migrationError(err)
}

// migrationError wraps the driver's error, which golang-migrate only prints, with all of the SQL before it.
func migrationError(err error) error {
	if failed, ok := errors.AsType[database.Error](err); ok {
		err = &failed
	}
	if failed, ok := errors.AsType[*database.Error](err); ok {
		return fmt.Errorf("%w: mend what stopped the migration, then run `ttpstore migrate up` again", failed.OrigErr)
	}
	return err
}

// latestMigration is the highest version among a dialect's embedded files.
func latestMigration(dialect Dialect) (int, error) {
	files, err := fs.Glob(schema.FS, path.Join(string(dialect), "*.up.sql"))
	if err != nil {
		return 0, err
	}
	latest := 0
	for _, file := range files {
		migration, err := source.DefaultParse(path.Base(file))
		if err != nil {
			return 0, err
		}
		latest = max(latest, int(migration.Version))
	}
	return latest, nil
}
