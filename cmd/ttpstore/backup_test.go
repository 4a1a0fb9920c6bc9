package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestBackupAndRestore(t *testing.T) {
	c := filled(t)
	folder := t.TempDir()
	backup := filepath.Join(folder, "backup.db")
	c.want(result{exitSuccess, "", "backed up to " + backup + "\n"}, "", "backup", backup)
	if got := files(t, folder); !slices.Equal(got, []string{"backup.db"}) {
		t.Errorf("there is %q", got)
	}
	if info, err := os.Stat(backup); err != nil || info.Mode() != 0o600 {
		t.Errorf("the backup has mode %v, %v", info.Mode(), err)
	}
	c.want(result{exitFailure, "", "ttpstore: back up: " + backup + ": file already exists\n"}, "", "backup", backup)
	all := c.runWith("", "export", "-").stdout
	if got := c.runWith("", "purge", "all", "--yes"); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(result{exitFailure, "", "ttpstore: back up: " + c.db + ": file already exists\n"}, "", "restore", backup)
	if err := errors.Join(os.Remove(c.db), os.WriteFile(c.db+"-wal", nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	c.want(result{exitFailure, "", "ttpstore: restore: " + c.db + "-wal is left of another database: move it away\n"}, "", "restore", backup)
	if err := os.Remove(c.db + "-wal"); err != nil {
		t.Fatal(err)
	}
	c.want(result{exitSuccess, "", "restored " + c.db + "\n"}, "", "restore", backup)
	if got := c.runWith("", "export", "-").stdout; got != all || got == "" {
		t.Errorf("restored:\n%s\nwant:\n%s", got, all)
	}
	c.want(result{exitFailure, "", "ttpstore: restore: the backup no.db is missing\n"}, "", "restore", "no.db")
	c.db += ".no"
	got := c.runWith("", "restore", c.write("text.db", "no database"))
	if got.status != exitFailure || !strings.Contains(got.stderr, "file is not a database") {
		t.Errorf("a file that is no database: %+v", got)
	}
	if _, err := os.Stat(c.db); err == nil {
		t.Error("a database was made from a file that is none")
	}
}

func TestMigrateUpPrint(t *testing.T) {
	c := newCLI(t)
	got := c.runWith("", "migrate", "up", "--print")
	if got.status != exitSuccess || got.stderr != "" || !strings.Contains(got.stdout, "STRICT;") ||
		!strings.Contains(got.stdout, "INSERT INTO ttp_schema_migrations") {
		t.Errorf("got %+v", got)
	}
	c.wantNoFile()
	t.Setenv(dbEnvironment, "mysql://root:secret@tcp(127.0.0.1:1)/ttp")
	var out strings.Builder
	if status := run(t.Context(), []string{"migrate", "up", "--print"}, strings.NewReader(""), &out, &out); status != exitSuccess ||
		!strings.Contains(out.String(), "ENGINE = InnoDB") {
		t.Errorf("MySQL: %d %s", status, out.String())
	}
	out.Reset()
	status := run(t.Context(), []string{"--db", "root:secret://x", "migrate", "up", "--print"}, strings.NewReader(""), &out, &out)
	if want := "ttpstore: migrate: want a URL that begins with sqlite:// or mysql://\n"; status != exitFailure || out.String() != want {
		t.Errorf("an unknown scheme: %d %s", status, out.String())
	}
}
