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
	c.want(result{exitFailure, "", "ttpstore: restore: " + c.db + " exists: move it away\n"}, "", "restore", backup)
	if err := errors.Join(os.Remove(c.db), os.WriteFile(c.db+"-wal", nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	c.want(result{exitFailure, "", "ttpstore: restore: " + c.db + "-wal belongs to another database: move it away\n"}, "", "restore", backup)
	if err := os.Remove(c.db + "-wal"); err != nil {
		t.Fatal(err)
	}
	c.want(result{exitSuccess, "", "restored " + c.db + "\n"}, "", "restore", backup)
	if got := c.runWith("", "export", "-").stdout; got != all || got == "" {
		t.Errorf("restored:\n%s\nwant:\n%s", got, all)
	}
	c.want(result{exitFailure, "", "ttpstore: restore: the backup no.db does not exist\n"}, "", "restore", "no.db")
	c.db += ".no"
	text, empty := c.write("text.db", "no database"), c.write("empty.db", "")
	c.want(result{exitFailure, "", "ttpstore: restore: " + text + ": file is not a database (26)\n"}, "", "restore", text)
	c.want(result{exitFailure, "", "ttpstore: restore: " + empty + ": schema missing\n"}, "", "restore", empty)
	if _, err := os.Stat(c.db); err == nil {
		t.Error("a database was made from a file that is none")
	}
	c.db = filepath.Join(folder, "no", "ttp.db")
	want := "ttpstore: restore: " + backup + ": open " + c.db + ": no such file or directory\n"
	c.want(result{exitFailure, "", want}, "", "restore", backup)
}

func TestBackupNeedsAFile(t *testing.T) {
	c := filled(t)
	folder := t.TempDir()
	t.Chdir(folder)
	for _, command := range []string{"backup", "restore"} {
		c.wantWrong("the argument FILE must name a file: a database can be neither piped nor printed", command, command, "-")
	}
	if got := files(t, folder); len(got) > 0 {
		t.Errorf("there is %q", got)
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
