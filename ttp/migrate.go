package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/golang-migrate/migrate/v4"
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
	err = s.reader().QueryRowContext(ctx, "SELECT version, dirty FROM "+migrationsTable).Scan(&status.Version, &status.Dirty)
	if errors.Is(err, sql.ErrNoRows) || errors.Is(s.engine.sentinel(err), ErrSchemaMissing) {
		return status, nil
	}
	return status, err
}

// CheckSchema refuses what [SchemaStatus.Err] refuses. Every other call does the same once in a store's
// life; a service may want to know when it starts.
func (s *Store) CheckSchema(ctx context.Context) error {
	s.checked.Store(false)
	return s.fail(ctx, "check schema", s.ready(ctx))
}

// Err returns nil when the schema is the one that this module knows, else [ErrSchemaMissing],
// [ErrSchemaOld], [ErrSchemaNew] or [ErrSchemaDirty] with the command that mends it.
func (status SchemaStatus) Err() error {
	switch {
	case status.Dirty:
		return fmt.Errorf("%w: the migration to version %d stopped half way: run `ttpstore migrate force %d`, then `ttpstore migrate up`",
			ErrSchemaDirty, status.Version, status.Version-1)
	case status.Version == 0:
		return fmt.Errorf("%w: run `ttpstore migrate up`", ErrSchemaMissing)
	case status.Version < status.Latest:
		return fmt.Errorf("%w: it has version %d, this program needs %d: run `ttpstore migrate up`",
			ErrSchemaOld, status.Version, status.Latest)
	case status.Version > status.Latest:
		return fmt.Errorf("%w: it has version %d, this program knows %d: run a newer program, or go back with the newer one's `ttpstore migrate down %d`",
			ErrSchemaNew, status.Version, status.Latest, status.Latest)
	}
	return nil
}

// ready checks the schema once in a store's life.
func (s *Store) ready(ctx context.Context) error {
	if s.checked.Load() {
		return nil
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

// checkConnection checks the connection once in a store's life, before it first writes. The check is not
// for a caller's transaction, which would hold its lock, unless there is no other connection.
func (s *Store) checkConnection(ctx context.Context) error {
	if s.connectionChecked.Load() {
		return nil
	}
	var db dbtx = s.write
	if s.tx != nil && s.write.Stats().MaxOpenConnections == 1 {
		db = s.tx
	}
	if err := s.engine.checkConnection(ctx, db); err != nil {
		return err
	}
	s.connectionChecked.Store(true)
	return nil
}

// settledStatus reads the state of the schema once more when another process may be in the middle of
// migrating: what it sees half way would be told as an old or a dirty schema.
func (s *Store) settledStatus(ctx context.Context) (SchemaStatus, error) {
	status, err := s.schemaStatus(ctx)
	if err != nil || s.tx != nil || status.Version == 0 || status.Err() == nil || errors.Is(status.Err(), ErrSchemaNew) {
		return status, err
	}
	if _, release, err := s.engine.migrator(ctx, s.write, migrationsTable); err == nil { // waits for its turn
		release()
	}
	return s.schemaStatus(ctx)
}

// Migrate brings the schema to the version that this module knows. It may be called by several
// processes at once, and again when there is nothing to do. It returns [ErrSchemaDirty] or
// [ErrSchemaNew] where it must not go on.
//
// When the context ends, the migration that is running is finished first. Beside a SQLite file it
// leaves an empty one, the same name with .migrate-lock, which keeps other processes out meanwhile.
func (s *Store) Migrate(ctx context.Context) error {
	err := s.migrate(ctx, "migrate", func(m *migrate.Migrate) error {
		status, err := s.schemaStatus(ctx)
		if err != nil {
			return err
		}
		// Of a dirty schema only golang-migrate may judge, which has the lock: another process may be
		// in the middle of a migration.
		if err := status.Err(); errors.Is(err, ErrSchemaNew) {
			return err
		}
		return m.Up()
	})
	if err != nil {
		return err
	}
	if err := s.CheckSchema(ctx); err != nil {
		return err
	}
	return s.fail(ctx, "migrate", s.checkConnection(ctx))
}

// MigrateDown takes the schema back to an earlier version; at 0 all tables and their rows are gone.
func (s *Store) MigrateDown(ctx context.Context, version int) error {
	const op = "migrate down"
	status, err := s.schemaStatus(ctx)
	switch {
	case err != nil:
		return s.fail(ctx, op, err)
	case version < 0 || version > status.Version:
		return s.fail(ctx, op, fmt.Errorf("the version must be from 0 to %d, where the schema is", status.Version))
	case version == status.Version && !status.Dirty:
		return nil
	}
	return s.migrate(ctx, op, func(m *migrate.Migrate) error {
		if version == 0 {
			return m.Down()
		}
		return m.Migrate(uint(version))
	})
}

// ForceSchemaVersion says which version a dirty schema has, without running anything: what is left to do
// after a migration that stopped half way. Each migration may be run again over its own remains, so
// that the version before it is the right one. A schema that is not dirty is left alone ([ErrConflict]).
func (s *Store) ForceSchemaVersion(ctx context.Context, version int) error {
	const op = "force schema version"
	status, err := s.schemaStatus(ctx)
	switch {
	case err != nil:
		return s.fail(ctx, op, err)
	case !status.Dirty:
		return s.fail(ctx, op, fmt.Errorf("%w: the schema is not dirty, there is nothing to mend", ErrConflict))
	case version < 0 || version > status.Version:
		return s.fail(ctx, op, fmt.Errorf("the version must be from 0 to %d, where the schema is", status.Version))
	}
	return s.migrate(ctx, op, func(m *migrate.Migrate) error {
		if version == 0 {
			version = -1 // golang-migrate's word for none
		}
		return m.Force(version)
	})
}

func (s *Store) migrate(ctx context.Context, op string, run func(*migrate.Migrate) error) error {
	if s.tx != nil {
		return fmt.Errorf("ttp: %s: not inside a transaction: call it on the store itself", op)
	}
	s.checked.Store(false)
	return s.fail(ctx, op, s.withMigrator(ctx, run))
}

func (s *Store) withMigrator(ctx context.Context, run func(*migrate.Migrate) error) error {
	files, err := iofs.New(schema.FS, string(s.engine.dialect()))
	if err != nil {
		return err
	}
	defer func() { _ = files.Close() }()
	driver, release, err := s.engine.migrator(ctx, s.write, migrationsTable)
	if err != nil {
		return err
	}
	defer release()
	m, err := migrate.NewWithInstance("iofs", files, string(s.engine.dialect()), driver)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { m.GracefulStop <- true })
	defer stop()
	err = run(m)
	if dirty, ok := errors.AsType[migrate.ErrDirty](err); ok {
		return SchemaStatus{Version: dirty.Version, Dirty: true}.Err()
	}
	if errors.Is(err, migrate.ErrNoChange) {
		return nil
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
