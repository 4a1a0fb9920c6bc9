package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

// findSQLiteFile returns the engine for a path from sqlitePath. The file need not exist. It sets frozen in any
// journal mode.
func findSQLiteFile(path string) (sqliteEngine, error) {
	e := sqliteEngine{path: path, walLimit: new(atomic.Int64)}
	folder := filepath.Dir(e.path)
	if _, err := os.Stat(folder); err != nil {
		return e, fmt.Errorf("the database's folder: %w", err)
	}
	info, err := os.Stat(e.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return e, nil
	case err != nil:
		return e, err
	case info.IsDir():
		return e, fmt.Errorf("%s is a directory, want a file", e.path)
	case !mayRead(e.path):
		return e, fmt.Errorf("%s: %w to read it", e.path, fs.ErrPermission)
	}
	if !e.beingWritten() && (!mayWrite(e.path) || !mayWrite(folder)) {
		e.frozen = info
	}
	return e, nil
}

// hasRollbackJournal reports whether the file's header says that it is not in WAL mode, so that reading it with locks needs
// no side files. It reads the header over SQLite for the reason in sqlite_unix.go.
func hasRollbackJournal(ctx context.Context, file string) bool {
	db, err := sql.Open("sqlite", file+"mode=ro&immutable=1")
	if err != nil {
		return false
	}
	defer func() { _ = db.Close() }()
	var readVersion string
	err = db.QueryRowContext(ctx, "SELECT HEX(SUBSTR(data, 20, 1)) FROM sqlite_dbpage WHERE pgno = 1").Scan(&readVersion)
	return err == nil && readVersion == "01"
}

// beingWritten reports whether a side file shows that another program is writing the file, or crashed while writing.
func (e sqliteEngine) beingWritten() bool { return e.has("-wal") || e.has("-journal") }

func (e sqliteEngine) has(sideFile string) bool {
	_, err := os.Stat(e.path + sideFile)
	return err == nil
}

// explain adds the cause and the remedy if SQLite cannot open a write-ahead log in a read-only folder.
func (e sqliteEngine) explain(err error) error {
	if err != nil && e.has("-wal") && !mayWrite(filepath.Dir(e.path)) {
		return fmt.Errorf("%w: reading %s-wal needs write permission for its folder: copy both files to another folder",
			err, e.path)
	}
	return err
}

// checkRead returns an error if a frozen file has changed.
func (e sqliteEngine) checkRead() error {
	if e.frozen == nil {
		return nil
	}
	info, err := os.Stat(e.path)
	if err == nil && os.SameFile(info, e.frozen) && info.ModTime().Equal(e.frozen.ModTime()) && !e.beingWritten() {
		return nil
	}
	return fmt.Errorf("%w: another program has started to write the file: open it again", ErrBusy)
}

// afterReads removes the side files of read-only connections, which only a writable connection does when it closes.
func (e sqliteEngine) afterReads(write *sql.DB) {
	if e.path != "" && e.frozen == nil && e.has("-wal") {
		_ = write.Ping() // opens the connection that Store.Close closes last
	}
}

// createSQLiteFile creates an empty file with access for the owner only, if it does not exist. SQLite copies the mode to
// its side files. The file is created under another name and linked after closing it, since closing any descriptor of a
// file releases SQLite's locks on it.
func createSQLiteFile(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	err = file.Close()
	_ = os.Link(file.Name(), path) // fails if another process was first, or on file systems without links, which have no modes either
	return errors.Join(err, os.Remove(file.Name()))
}

// sqlitePath returns the path of a database file, or sqliteMemory. The path is absolute and without symbolic links, even
// if their target does not exist yet, so that all processes take the same migration lock.
func sqlitePath(name string) (string, error) {
	if name == "" || strings.ContainsAny(name, "?#") {
		return "", errors.New("want sqlite://PATH or sqlite://:memory:, without parameters")
	}
	if name == sqliteMemory {
		return name, nil
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	for range maxLinks {
		folder, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return "", fmt.Errorf("the database's folder: %w", err)
		}
		path = filepath.Join(folder, filepath.Base(path))
		target, err := os.Readlink(path)
		if err != nil {
			return path, nil // not a link
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(folder, target)
		}
		path = target
	}
	return "", errors.New("the database's path has too many symbolic links")
}

// sqliteMaxWAL is the size in bytes above which the write-ahead log is truncated. SQLite's own checkpoints cannot reset it
// while there is always a reader: https://sqlite.org/wal.html#avoiding_excessively_large_wal_files.
const sqliteMaxWAL = 64 << 20

// afterWrite truncates a large write-ahead log. It waits up to a second for readers. If they do not end, it tries again
// after another sqliteMaxWAL of growth, so that a long read does not delay every write.
func (e sqliteEngine) afterWrite(write *sql.DB) {
	if e.walLimit == nil || e.walSize() < max(e.walLimit.Load(), sqliteMaxWAL) {
		return
	}
	_, _ = write.Exec("PRAGMA busy_timeout = 1000; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA " + sqliteBusyTimeout)
	e.walLimit.Store(e.walSize() + sqliteMaxWAL)
}

func (e sqliteEngine) walSize() int64 {
	info, err := os.Stat(e.path + "-wal")
	if err != nil {
		return 0
	}
	return info.Size()
}
