package ttp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes a consistent copy of a SQLite database to a new file that only its owner may access, while others read
// and write. [Open] opens the copy. Its schema has the version of the database, which may be older than this module's.
// Backup returns [fs.ErrExist] if the file exists, and [ErrBusy] as reads do, see [Open]. For MySQL use the server's own
// tools.
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	defer s.begin(ctx, "back up", &err)()
	if err := s.requireNoTx(ctx); err != nil {
		return err
	}
	checked := func(err error) error { return cmp.Or(s.engine.checkRead(), err) } // a copy of a changing file is wrong
	status, err := s.schemaStatus(ctx)
	if err = checked(err); err == nil && (status.Foreign != "" || status.Version == 0) {
		err = status.Err()
	}
	if err != nil {
		return err
	}
	return newFile(path, func(temporary string) error { return checked(s.engine.copyTo(ctx, s.read, temporary)) })
}

// newFile calls write with a temporary file and renames it to path once it is complete.
func newFile(path string, write func(temporary string) error) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // for its owner alone
	if err != nil {
		if failed, ok := errors.AsType[*fs.PathError](err); ok {
			failed.Path = path // instead of a name that the caller does not know
		}
		return err
	}
	err = errors.Join(file.Close(), write(file.Name()))
	if err == nil {
		err = syncFile(file.Name()) // before the rename, so that a power failure cannot leave a partial file
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
