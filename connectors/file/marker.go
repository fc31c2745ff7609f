package file

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// marker says what of a sink's file has been delivered, and for whom.
type marker struct {
	Epochs map[string]uint64 `json:"epochs"` // per writer (a sink's id): the last epoch delivered
	Length int64             `json:"length"` // of the file then
}

// knows tells whether the file belongs to a writer: it, or another sink of the same job and relation, has written to it.
func (m *marker) knows(id string) bool {
	if m == nil {
		return false
	}
	for writer := range m.Epochs {
		if writer == id || job(writer) == job(id) {
			return true
		}
	}
	return false
}

// job cuts off what tells the sinks of one job and relation apart: the number behind the last point.
func job(id string) string {
	if dot := strings.LastIndexByte(id, '.'); dot >= 0 && strings.Trim(id[dot+1:], "0123456789") == "" {
		return id[:dot]
	}
	return id
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
	if m.Epochs == nil {
		m.Epochs = map[string]uint64{}
	}
	return &m, nil
}

// write replaces the marker durably: a new file, fsync, rename, fsync of the directory.
func (m *marker) write(path string) error {
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
