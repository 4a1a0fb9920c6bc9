package conformance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

var backupCases = []testCase{
	{name: "BackupIsOneStateAmongWriters", run: backupIsOneStateAmongWriters},
	{name: "PrintedMigrationsMakeTheSchema", run: printedMigrationsMakeTheSchema},
	{name: "FailedPrintedMigrationsRecordNoVersion", run: failedPrintedMigrationsRecordNoVersion},
}

func backupIsOneStateAmongWriters(t *testing.T, db *database) {
	ctx, s := context.Background(), db.store(t)
	folder := t.TempDir()
	if db.Dialect == ttp.MySQL {
		if err := s.Backup(ctx, filepath.Join(folder, "x.db")); err == nil || !strings.Contains(err.Error(), "mysqldump --single-transaction") {
			t.Errorf("got %v", err)
		}
		equal(t, "temporary files", must[[]string](t)(filepath.Glob(filepath.Join(folder, ".*"))), nil)
		return
	}
	succeed(t, s.UpsertAttackers(ctx, []ttp.Attacker{{UUID: id("attacker")}}))
	const writers, calls, each = 3, 20, 10
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range calls {
				tags := newTags(each, func(tag *ttp.Tag) { tag.SourceID = fmt.Sprint(w, "-", i, "-", tag.SourceID) })
				if _, err := s.InsertTags(ctx, tags); err != nil {
					t.Error(err)
				}
			}
		})
	}
	defer wg.Wait() // also if the case fails
	for i := range 5 {
		path := filepath.Join(folder, fmt.Sprint(i, ".db"))
		succeed(t, s.Backup(ctx, path))
		backup := must[*ttp.Store](t)(ttp.Open(ctx, "sqlite://"+path))
		equal(t, "tags of a part of a call", count(t, backup)%each, 0)
		equal(t, "findings", findings(t, backup), nil)
		succeed(t, backup.Close())
	}
	wg.Wait()
	last := filepath.Join(folder, "last.db")
	succeed(t, s.Backup(ctx, last))
	backup := must[*ttp.Store](t)(ttp.Open(ctx, "sqlite://"+last))
	equal(t, "records", exported(t, backup), exported(t, s))
	succeed(t, backup.Close())

	if err := s.Backup(ctx, last); !errors.Is(err, fs.ErrExist) {
		t.Errorf("to a file that exists: got %v", err)
	}
	succeed(t, s.Tx(ctx, func(ctx context.Context, _ *sql.Tx, inner *ttp.Store) error {
		if err := inner.Backup(ctx, filepath.Join(folder, "tx.db")); err == nil {
			t.Error("inside a transaction: got no error")
		}
		return nil
	}))

	empty := newDatabase(t, db.Engine).open(t)
	if err := empty.Backup(ctx, filepath.Join(folder, "empty.db")); !errors.Is(err, ttp.ErrSchemaMissing) {
		t.Errorf("without a schema: got %v", err)
	}
	succeed(t, s.MigrateDown(ctx, must[ttp.SchemaStatus](t)(s.SchemaStatus(ctx)).Latest-1))
	old := filepath.Join(folder, "old.db")
	succeed(t, s.Backup(ctx, old))
	backup = must[*ttp.Store](t)(ttp.Open(ctx, "sqlite://"+old))
	if err := backup.CheckSchema(ctx); !errors.Is(err, ttp.ErrSchemaOld) {
		t.Errorf("the schema of the backup of an old one: got %v", err)
	}
	succeed(t, backup.Close())
	equal(t, "temporary files", must[[]string](t)(filepath.Glob(filepath.Join(folder, ".*"))), nil)
}

func printedMigrationsMakeTheSchema(t *testing.T, db *database) {
	ctx := context.Background()
	text := must[string](t)(ttp.MigrationSQL(db.Dialect))
	for range 2 { // the second time on the tables of the first
		for statement := range strings.SplitSeq(strings.TrimSpace(text), ";\n") {
			exec(t, db, statement)
		}
		s := db.open(t)
		succeed(t, s.CheckSchema(ctx))
		insert(t, s, newTag("1"))
		succeed(t, s.Migrate(ctx))
	}
	succeed(t, db.open(t).MigrateDown(ctx, 0))
	if _, err := ttp.MigrationSQL("oracle"); err == nil {
		t.Error("an unknown dialect has migrations")
	}
}

// failedPrintedMigrationsRecordNoVersion runs the printed SQL with a table that cannot be created: as a client that stops
// at the first error, and as one that continues.
func failedPrintedMigrationsRecordNoVersion(t *testing.T, db *database) {
	ctx := context.Background()
	text := must[string](t)(ttp.MigrationSQL(db.Dialect))
	broken := regexp.MustCompile(`(?i)octet_length`).ReplaceAllString(text, "no_such_function")
	for _, stops := range []bool{true, false} {
		failed := 0
		for statement := range strings.SplitSeq(strings.TrimSpace(broken), ";\n") {
			if _, err := db.pool.ExecContext(ctx, statement); err != nil {
				failed++
			}
			if stops && failed > 0 {
				break
			}
		}
		s := db.open(t)
		status := must[ttp.SchemaStatus](t)(s.SchemaStatus(ctx))
		equal(t, "the status", status, ttp.SchemaStatus{Latest: status.Latest})
		if err := s.CheckSchema(ctx); failed == 0 || !errors.Is(err, ttp.ErrSchemaMissing) {
			t.Errorf("after %d failures: got %v", failed, err)
		}
		succeed(t, s.Migrate(ctx))
		insert(t, s, newTag("1"))
		succeed(t, s.MigrateDown(ctx, 0))
	}
}
