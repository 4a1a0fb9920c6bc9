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

// migrationsTable is golang-migrate's version table. Its name differs from the default, which a service may use for
// its own migrations in the same database.
const migrationsTable = "ttp_schema_migrations"

// SchemaStatus is the state of a database's schema.
type SchemaStatus struct {
	Version int  `json:"version"` // last migration that ran, 0 for none
	Latest  int  `json:"latest"`  // last migration of this module
	Dirty   bool `json:"dirty"`   // the migration to Version was interrupted
	// Foreign says why the tables belong to another product, and what to do. It is empty if they do not.
	Foreign string `json:"foreign,omitempty"`
}

// SchemaStatus returns the state of the schema. It changes nothing and creates no file.
func (s *Store) SchemaStatus(ctx context.Context) (status SchemaStatus, err error) {
	defer s.begin(ctx, "read schema status", &err)()
	return s.schemaStatus(ctx)
}

func (s *Store) schemaStatus(ctx context.Context) (SchemaStatus, error) {
	if err := s.refuseInsideTx(ctx); err != nil {
		return SchemaStatus{}, err
	}
	latest, err := latestMigration(s.engine.dialect())
	if err != nil {
		return SchemaStatus{}, err
	}
	status := SchemaStatus{Latest: latest}
	if s.engine.absent() {
		return status, nil
	}
	tables, err := s.tableColumns(ctx) // first, since a concurrent migration creates its version table before the others
	if err != nil {
		return SchemaStatus{}, err
	}
	err = s.reader().QueryRowContext(ctx, "SELECT version, dirty FROM "+migrationsTable).Scan(&status.Version, &status.Dirty)
	missing := errors.Is(s.engine.sentinel(err), ErrSchemaMissing)
	if missing || errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	status.Version = max(status.Version, 0) // golang-migrate stores -1 while it reverts the first migration
	status.Foreign = foreign(tables, !missing)
	return status, err
}

// CheckSchema returns the error of [SchemaStatus.Err], or an error for a connection setting that [New] refuses. The
// first read or write does the same check; call CheckSchema to fail early, when a service starts.
func (s *Store) CheckSchema(ctx context.Context) (err error) {
	defer s.begin(ctx, "check schema", &err)()
	s.checked.Store(false)
	return s.ready(ctx)
}

// Err returns nil if the schema is the latest one that this module knows. Otherwise it returns [ErrSchemaMissing],
// [ErrSchemaOld], [ErrSchemaNew], [ErrSchemaDirty] or [ErrForeignSchema], with the remedy.
func (status SchemaStatus) Err() error {
	switch {
	case status.Foreign != "":
		return fmt.Errorf("%w, nothing was changed: %s", ErrForeignSchema, status.Foreign)
	case status.Version > status.Latest && status.Dirty:
		return fmt.Errorf("%w: the migration to version %d was interrupted, and this program knows version %d: "+
			"call Store.Migrate of the newer program", ErrSchemaNew, status.Version, status.Latest)
	case status.Dirty:
		return fmt.Errorf("%w: the migration to version %d was interrupted: call Store.Migrate to complete it",
			ErrSchemaDirty, status.Version)
	case status.Version == 0:
		return fmt.Errorf("%w: call Store.Migrate", ErrSchemaMissing)
	case status.Version < status.Latest:
		return fmt.Errorf("%w: it has version %d, but this program needs version %d: call Store.Migrate",
			ErrSchemaOld, status.Version, status.Latest)
	case status.Version > status.Latest:
		return fmt.Errorf("%w: it has version %d, but this program knows version %d: run a newer program, "+
			"or call Store.MigrateDown(%d) of the newer one", ErrSchemaNew, status.Version, status.Latest, status.Latest)
	}
	return nil
}

// ready checks the connection and the schema, once per store.
func (s *Store) ready(ctx context.Context) error {
	if err := s.refuseInsideTx(ctx); err != nil {
		return err
	}
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

// settledStatus returns the state of the schema. If it is old or dirty, another process may be migrating: settledStatus
// waits for the migration lock and reads the state again.
func (s *Store) settledStatus(ctx context.Context) (SchemaStatus, error) {
	status, err := s.schemaStatus(ctx)
	unsettled := errors.Is(status.Err(), ErrSchemaOld) || errors.Is(status.Err(), ErrSchemaDirty)
	if err != nil || s.tx != nil || !unsettled {
		return status, err
	}
	if _, release, err := s.migrator(ctx); err == nil {
		release()
	}
	return s.schemaStatus(ctx)
}

// Migrate migrates the schema to the latest version that this module knows, and completes an interrupted migration. It
// is idempotent and may be called by several processes at once. It returns [ErrSchemaNew] or [ErrForeignSchema] for a
// schema that it must not change.
//
// When the context ends, the running migration is completed first. For a SQLite file Migrate leaves an empty lock file
// with the suffix .migrate-lock.
func (s *Store) Migrate(ctx context.Context) (err error) {
	defer s.begin(ctx, "migrate", &err)()
	if _, err := s.ownSchema(ctx); err != nil {
		return err
	}
	err = s.migrate(ctx, func(m *migrate.Migrate, status SchemaStatus) error {
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
	return s.ready(ctx)
}

// MigrateDown reverts the schema to an earlier version. Version 0 drops all tables.
func (s *Store) MigrateDown(ctx context.Context, version int) (err error) {
	defer s.begin(ctx, "migrate down", &err)()
	status, err := s.ownSchema(ctx)
	switch {
	case err != nil:
		return err
	case version < 0 || version > status.Version:
		return fmt.Errorf("the version must be from 0 to the current version %d", status.Version)
	case version == status.Version && !status.Dirty:
		return nil
	}
	if err := s.identify(ctx); err != nil { // for sharded, which no earlier call may have detected
		return err
	}
	refused := func(status SchemaStatus) error {
		if err := status.Err(); errors.Is(err, ErrSchemaNew) || errors.Is(err, ErrSchemaDirty) {
			return err
		}
		return nil
	}
	// Views are dropped before the migration, which may hold the pool's only connection.
	if version == 0 && refused(status) == nil && !s.engine.sharded() { // a sharded engine has no views
		if err := s.dropViews(ctx); err != nil {
			return err
		}
	}
	return s.migrate(ctx, func(m *migrate.Migrate, status SchemaStatus) error {
		switch err := refused(status); {
		case err != nil:
			return err
		case version == 0:
			return m.Down()
		}
		return m.Migrate(uint(version))
	})
}

// ForceSchemaVersion sets the version of a dirty schema without running a migration, for one that [Store.Migrate]
// cannot complete. Migrations can be run again after an interruption, so the right version is the one before
// [SchemaStatus].Version. It returns [ErrConflict] if the schema is not dirty.
func (s *Store) ForceSchemaVersion(ctx context.Context, version int) (err error) {
	defer s.begin(ctx, "force schema version", &err)()
	status, err := s.ownSchema(ctx)
	switch {
	case err != nil:
		return err
	case !status.Dirty:
		return fmt.Errorf("%w: the schema is not dirty", ErrConflict)
	case version < 0 || version > status.Version:
		return fmt.Errorf("the version must be from 0 to the current version %d", status.Version)
	}
	return s.migrate(ctx, func(m *migrate.Migrate, _ SchemaStatus) error { return forceVersion(m, version) })
}

// forceVersion sets the version without running a migration.
func forceVersion(m *migrate.Migrate, version int) error {
	if version < 1 {
		version = database.NilVersion
	}
	return m.Force(version)
}

// ownSchema returns the state of a schema that this store may change, or an error.
func (s *Store) ownSchema(ctx context.Context) (SchemaStatus, error) {
	if err := s.requireNoTx(ctx); err != nil {
		return SchemaStatus{}, err
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

// migrate runs a change of the schema under the migration lock, with the state of the schema.
func (s *Store) migrate(ctx context.Context, run func(*migrate.Migrate, SchemaStatus) error) error {
	s.checked.Store(false)
	latest, err := latestMigration(s.engine.dialect())
	if err != nil {
		return err
	}
	files, err := iofs.New(schema.FS, string(s.engine.dialect()))
	if err != nil {
		return err
	}
	defer func() { _ = files.Close() }()
	driver, release, err := s.migrator(ctx)
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
	version, dirty, err := driver.Version() // on the connection that holds the lock
	if err != nil {
		return migrationError(err)
	}
	err = run(m, SchemaStatus{Version: max(version, 0), Latest: latest, Dirty: dirty})
	switch {
	case errors.Is(err, migrate.ErrNoChange):
		return nil
	case err == nil: // also if the end of the context stopped it between two migrations
		return ctx.Err()
	}
	return migrationError(err)
}

// migrator takes the migration lock. On SQLite it waits for other writers first, since golang-migrate would wait for the
// connection without a context.
func (s *Store) migrator(ctx context.Context) (database.Driver, func(), error) {
	leave, err := s.enqueueWriter(ctx)
	if err != nil {
		return nil, nil, err
	}
	driver, release, err := s.engine.migrator(ctx, s.write, migrationsTable)
	if err != nil {
		leave()
		return nil, nil, err
	}
	return driver, func() { release(); leave() }, nil
}

// migrationError unwraps the driver's error. golang-migrate wraps it as text only, after the whole SQL.
func migrationError(err error) error {
	if failed, ok := errors.AsType[database.Error](err); ok {
		err = &failed
	}
	if failed, ok := errors.AsType[*database.Error](err); ok {
		return fmt.Errorf("%w: fix the cause, then call Store.Migrate again", failed.OrigErr)
	}
	return err
}

// latestMigration returns the highest version of a dialect's embedded migrations.
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
