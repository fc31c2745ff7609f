package file

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// marker says what of a sink's file has been delivered, and for whom.
type marker struct {
	ID     string `json:"id"`     // of the sink that owns the file
	Epoch  uint64 `json:"epoch"`  // the last one delivered
	Length int64  `json:"length"` // of the file then
}

// markerPath is hidden, so that patterns and directory listings pass it over.
func markerPath(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".millrace")
}

// readMarker returns nil when there is none, or none that can be read: the file is then nobody's.
func readMarker(path string) (*marker, error) {
	data, err := os.ReadFile(markerPath(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, accessError("read", markerPath(path), err)
	}
	var m marker
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, nil //nolint:nilerr // written atomically, so this is not ours
	}
	return &m, nil
}

// write replaces the marker durably: a new file, fsync, rename, fsync of the directory.
func (m marker) write(path string) error {
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encoding marker: %w", err)
	}
	name := markerPath(path)
	tmp := name + ".new"
	if err := writeSynced(tmp, data); err != nil {
		return accessError("write", tmp, err)
	}
	if err := os.Rename(tmp, name); err != nil {
		return accessError("write", name, err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return accessError("write", name, err)
	}
	return nil
}

func writeSynced(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
