//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/decnet/ttpstore/ttp"
)

// reader runs the program as a user with read access to a database but no write access to it or its folder.
type reader struct{ cli }

// newReader fills a database in a folder that other users can access, unlike those of t.TempDir.
func newReader(t *testing.T, records string) reader {
	t.Helper()
	t.Setenv(dbEnvironment, "")
	folder, err := os.MkdirTemp("", "ttpstore")
	if err != nil {
		t.Fatal(err)
	}
	r := reader{cli{t, filepath.Join(folder, "ttp.db")}}
	t.Cleanup(func() {
		r.chmod(folder, 0o755)
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	if got := r.runWith(records, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	r.chmod(r.db, 0o444)
	r.chmod(folder, 0o555)
	return r
}

func (r reader) chmod(path string, mode os.FileMode) {
	r.t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		r.t.Fatal(err)
	}
}

// write changes the database, as its owner.
func (r reader) write() {
	r.t.Helper()
	r.chmod(filepath.Dir(r.db), 0o755)
	r.chmod(r.db, 0o644)
	if got := r.runWith(records(), "import", "-"); got.status != exitSuccess {
		r.t.Fatal(got)
	}
}

func (r reader) command(args ...string) (cmd *exec.Cmd, stderr *bytes.Buffer) {
	cmd = exec.CommandContext(r.t.Context(), program(r.t), append([]string{"--db", "sqlite://" + r.db}, args...)...)
	if os.Getuid() == 0 { // root bypasses permissions
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	stderr = new(bytes.Buffer)
	cmd.Stderr = stderr
	return cmd, stderr
}

func (r reader) want(want result, args ...string) {
	r.t.Helper()
	cmd, stderr := r.command(args...)
	stdout, err := cmd.Output()
	if cmd.ProcessState == nil {
		r.t.Fatal(err)
	}
	if got := (result{cmd.ProcessState.ExitCode(), string(stdout), stderr.String()}); got != want {
		r.t.Errorf("%v: got %+v, want %+v", args, got, want)
	}
}

func TestReadingNeedsNoRightToWrite(t *testing.T) {
	r := newReader(t, records())
	before := files(t, filepath.Dir(r.db))
	r.want(result{exitSuccess, "4\n", ""}, "tags", "fleet", "--count")
	if after := files(t, filepath.Dir(r.db)); !slices.Equal(after, before) {
		t.Errorf("the files were %q and are %q", before, after)
	}
	r.want(result{exitFailure, "", "ttpstore: merge identity: attempt to write a readonly database (1544)\n"},
		"scope", "merge", "identity", identityID, otherIdentityID)
	r.chmod(r.db, 0o600)
	if os.Getuid() == 0 {
		r.want(result{exitFailure, "", "ttpstore: open: " + r.db + ": permission denied to read it\n"}, "tags", "fleet")
	}
}

// Unlike the database, a backup is not in WAL mode, and is read with locks, which need no side files.
func TestReadingABackupNeedsNoRightToWrite(t *testing.T) {
	r := newReader(t, records())
	folder := filepath.Dir(r.db)
	backup := filepath.Join(folder, "backup.db")
	r.chmod(folder, 0o755)
	r.chmod(r.db, 0o644)
	if got := r.runWith("", "backup", backup); got.status != exitSuccess {
		t.Fatal(got)
	}
	r.db = backup
	r.chmod(backup, 0o444)
	for _, mode := range []os.FileMode{0o555, 0o777} {
		r.chmod(folder, mode)
		before := files(t, folder)
		r.want(result{exitSuccess, "4\n", ""}, "tags", "fleet", "--count")
		if after := files(t, folder); !slices.Equal(after, before) {
			t.Errorf("folder %v: the files were %q and are %q", mode, before, after)
		}
	}
}

// Either of the two rights is not enough to write, since a WAL needs side files.
func TestReadingNeedsNoRightToWriteTheFileOrItsFolder(t *testing.T) {
	for _, mode := range []struct{ file, folder os.FileMode }{{0o666, 0o555}, {0o444, 0o777}} {
		r := newReader(t, records())
		r.chmod(r.db, mode.file)
		r.chmod(filepath.Dir(r.db), mode.folder)
		before := files(t, filepath.Dir(r.db))
		r.want(result{exitSuccess, "4\n", ""}, "tags", "fleet", "--count")
		if after := files(t, filepath.Dir(r.db)); !slices.Equal(after, before) {
			t.Errorf("file %v, folder %v: the files were %q and are %q", mode.file, mode.folder, before, after)
		}
	}
}

// A reader uses the WAL files of a running writer. Recovering the WAL of a crashed writer needs write access.
func TestReadingBesideAWriterNeedsNoRightToWrite(t *testing.T) {
	r := newReader(t, records())
	r.chmod(filepath.Dir(r.db), 0o755)
	r.chmod(r.db, 0o644)
	writer, err := ttp.Open(t.Context(), "sqlite://"+r.db)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writer.Close() }()
	line := otherTagLine("x", "TA0006", "T1110", "0.6", "2026-03-16T12:00:00Z")
	if _, err := writer.Import(t.Context(), strings.NewReader(line), ttp.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	r.chmod(filepath.Dir(r.db), 0o555)
	r.want(result{exitSuccess, "5\n", ""}, "tags", "fleet", "--count")

	wal := r.db + "-wal"
	crashed := reader{cli{t, filepath.Join(filepath.Dir(r.db), "crashed.db")}}
	r.chmod(filepath.Dir(r.db), 0o755)
	for from, to := range map[string]string{r.db: crashed.db, wal: crashed.db + "-wal"} {
		if err := os.WriteFile(to, []byte(read(t, from)), 0o644); err != nil { //nolint:gosec // another user reads it
			t.Fatal(err)
		}
	}
	r.chmod(filepath.Dir(r.db), 0o555)
	crashed.want(result{exitFailure, "", "ttpstore: open: unable to open database file (14): reading " + crashed.db +
		"-wal needs write permission for its folder: copy both files to another folder\n"}, "tags", "fleet")
}

// A read without locks of a file that is being written could return anything.
func TestReadingIsRefusedOnceAnotherWrites(t *testing.T) {
	var lines strings.Builder
	for i := range 3000 { // more than pipes and buffers hold
		lines.WriteString(tagLine(strconv.Itoa(i), "TA0006", "T1110", "0.5", "2026-03-15T17:06:27Z"))
	}
	r := newReader(t, lines.String())
	cmd, stderr := r.command("export", "-")
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		_, err = io.ReadFull(stdout, make([]byte, 100))
	}
	if err != nil {
		t.Fatal(err, cmd.Wait(), stderr)
	}
	r.write()
	_, _ = io.Copy(io.Discard, stdout)
	err = cmd.Wait()
	want := "ttpstore: export: database busy: another program has started to write the file: open it again\n"
	if cmd.ProcessState.ExitCode() != exitFailure || stderr.String() != want {
		t.Errorf("got %v, %q", err, stderr)
	}
}
