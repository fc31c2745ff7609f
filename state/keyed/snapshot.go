package keyed

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Snapshot flushes the store and links its files into dir, which must not exist. The snapshot holds the epochs applied so far and
// shares table files with the store; files are never changed in place, so both live on independently.
func (s *Store) Snapshot(dir string) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.readable(); err != nil {
		return fmt.Errorf("making snapshot: %w", err)
	}
	if _, err := s.flush(); err != nil {
		return fmt.Errorf("making snapshot: %w", err)
	}
	if err := s.fault.do(func() error { return s.db.Checkpoint(dir) }); err != nil {
		return fmt.Errorf("making snapshot in %s: %w", dir, err)
	}
	return nil
}

// Restore makes dir, which must be absent or empty, a store with the content of a snapshot. Table files are linked where the file
// system can, everything else is copied: an open store appends to its manifest.
func Restore(snapshotDir, dir string) error { return restore(vfs.Default, snapshotDir, dir) }

func restore(fs vfs.FS, snapshotDir, dir string) error {
	names, err := fs.List(snapshotDir)
	if err != nil {
		return fmt.Errorf("reading snapshot: %w", err)
	}
	if len(names) == 0 {
		return fmt.Errorf("restoring state: snapshot %s is empty", snapshotDir)
	}
	old, err := fs.List(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("restoring state: %w", err)
	}
	if len(old) > 0 {
		return fmt.Errorf("restoring state: directory %s is not empty", dir)
	}
	if err := fs.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("restoring state: %w", err)
	}
	for _, name := range names {
		from, to := fs.PathJoin(snapshotDir, name), fs.PathJoin(dir, name)
		if err := restoreFile(fs, from, to); err != nil {
			return fmt.Errorf("restoring state file %s: %w", name, err)
		}
	}
	return syncDir(fs, dir)
}

// restoreFile links immutable files and copies the others.
func restoreFile(fs vfs.FS, from, to string) error {
	switch filepath.Ext(strings.ToLower(from)) {
	case ".sst", ".blob":
		return vfs.LinkOrCopy(fs, from, to)
	}
	_, err := vfs.Clone(fs, fs, from, to, vfs.CloneSync)
	return err
}

func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return fmt.Errorf("restoring state: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
