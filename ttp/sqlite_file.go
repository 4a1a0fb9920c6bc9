package ttp

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

// This file holds what the file system has to do with a SQLite database: modes, links and side files.

// findSQLiteFile checks the file of a sqlitePath, which need not exist.
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
		return e, fmt.Errorf("%s is a directory, name a file in it", e.path)
	case !mayRead(e.path):
		return e, fmt.Errorf("%s: %w to read it", e.path, fs.ErrPermission)
	}
	if !e.beingWritten() && (!mayWrite(e.path) || !mayWrite(folder)) {
		e.frozen = info
	}
	return e, nil
}

// beingWritten reports whether a side file says that another program writes to the file, or crashed doing so.
func (e sqliteEngine) beingWritten() bool { return e.has("-wal") || e.has("-journal") }

func (e sqliteEngine) has(sideFile string) bool {
	_, err := os.Stat(e.path + sideFile)
	return err == nil
}

// explain names the reason and the remedy where SQLite names neither.
func (e sqliteEngine) explain(err error) error {
	if err != nil && e.has("-wal") && !mayWrite(filepath.Dir(e.path)) {
		return fmt.Errorf("%w: %s-wal can only be read with the right to write in its folder: copy both files to another folder",
			err, e.path)
	}
	return err
}

// checkRead refuses what was read of a frozen file that has changed.
func (e sqliteEngine) checkRead() error {
	if e.frozen == nil {
		return nil
	}
	info, err := os.Stat(e.path)
	if err == nil && os.SameFile(info, e.frozen) && info.ModTime().Equal(e.frozen.ModTime()) && !e.beingWritten() {
		return nil
	}
	return fmt.Errorf("%w: another program has begun to write to the file: open it again", ErrBusy)
}

// afterReads removes the side files that readers make, which only a connection that may write does.
func (e sqliteEngine) afterReads(write *sql.DB) {
	if e.path != "" && e.frozen == nil && e.has("-wal") {
		_ = write.Ping() // its Close is the last
	}
}

// createSQLiteFile makes an empty file for its owner alone, if there is none. SQLite gives its side files the same
// mode. The file is linked when it is closed: SQLite's locks of a file end with any descriptor of it.
func createSQLiteFile(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	err = file.Close()
	_ = os.Link(file.Name(), path) // fails where another process was first, or where there are no links, nor modes
	return errors.Join(err, os.Remove(file.Name()))
}

// sqlitePath returns the path of a database file, or sqliteMemory. A file has one path, by whatever name it
// is opened: absolute and without symbolic links, even where their target is yet to be made. So all
// processes take the same lock to migrate it.
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
			return path, nil // no link
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(folder, target)
		}
		path = target
	}
	return "", errors.New("the database's path has too many symbolic links")
}

// sqliteMaxWAL is the size in bytes beyond which the write-ahead log is emptied. SQLite's own checkpoints never
// empty it while readers that overlap read from it: https://sqlite.org/wal.html#avoiding_excessively_large_wal_files.
const sqliteMaxWAL = 64 << 20

// afterWrite empties a write-ahead log that has grown large. It waits up to a second for readers, and tries again only
// after as much growth, so that a long read does not delay every write.
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
