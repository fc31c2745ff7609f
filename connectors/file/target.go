package file

import (
	"maps"
	"os"
	"path/filepath"
	"sync"

	"github.com/millrace/millrace/sql/diag"
)

// target is one file being written. Several sinks of this process may write to it (parallel tasks, several INSERTs): they share the
// target, and their deliveries come one after the other.
type target struct {
	path    string
	writers int // open sinks; guarded by targets.mu

	mu   sync.Mutex // guards what follows
	file *os.File
	mark marker
}

// targets are the files that this process writes, by absolute path. Lock order: targets.mu before target.mu.
var targets = struct {
	mu     sync.Mutex
	byPath map[string]*target
}{byPath: map[string]*target{}}

// openTarget joins the file's other writers, or opens it: the writer's own after a restart, cut to what was delivered; another's or
// nobody's as the policy of option if_exists says.
func openTarget(path, id, policy string) (*target, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, accessError("write", path, err)
	}
	targets.mu.Lock()
	defer targets.mu.Unlock()
	t := targets.byPath[abs]
	if t == nil {
		t = &target{path: path}
		if err := t.open(id, policy); err != nil {
			return nil, err
		}
		targets.byPath[abs] = t
	}
	t.writers++
	return t, nil
}

// release ends one writer's use; the last one closes the file.
func (t *target) release() error {
	targets.mu.Lock()
	defer targets.mu.Unlock()
	if t.writers--; t.writers > 0 {
		return nil
	}
	abs, err := filepath.Abs(t.path)
	if err != nil {
		return accessError("close", t.path, err)
	}
	delete(targets.byPath, abs)
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.file.Close()
}

func (t *target) open(id, policy string) error {
	if info, err := os.Stat(t.path); err == nil && info.IsDir() {
		return diag.New(diag.FileAccess, -1, "cannot write '%s': it is a directory", t.path)
	}
	m, err := readMarker(t.path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(t.path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		e := accessError("write", t.path, err)
		if _, dirErr := os.Stat(filepath.Dir(t.path)); os.IsNotExist(dirErr) {
			e.WithHint("create the directory '%s' first", filepath.Dir(t.path))
		}
		return e
	}
	t.file = f
	info, err := f.Stat()
	if err == nil {
		err = t.takeOver(m, id, policy, info.Size())
	}
	if err != nil {
		f.Close()
		return err
	}
	return nil
}

func (t *target) takeOver(m *marker, id, policy string, size int64) error {
	if m.knows(id) {
		if size < m.Length {
			return diag.New(diag.FileAccess, -1, "'%s' has %d bytes, but %d were delivered to it", t.path, size, m.Length).
				WithHint("something else has changed the file; remove %s to begin it anew", markerPath(t.path))
		}
		t.mark = *m
		return nil
	}
	t.mark = marker{Epochs: map[string]uint64{id: 0}}
	switch policy {
	case "append":
		t.mark.Length = size
	case "fail":
		if size > 0 {
			return diag.New(diag.FileAccess, -1, "'%s' is already there", t.path).WithHint("if_exists='replace' or 'append' takes it over")
		}
	default:
		if err := t.file.Truncate(0); err != nil {
			return accessError("write", t.path, err)
		}
	}
	return t.mark.write(t.path)
}

// deliver appends the stage of a writer's epoch, once. What a delivery that was cut off has left behind the marker's length is
// overwritten. The header goes to the beginning of the file.
func (t *target) deliver(id string, epoch uint64, header, stage []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if epoch <= t.mark.Epochs[id] {
		return nil
	}
	length := t.mark.Length
	if err := t.file.Truncate(length); err != nil {
		return accessError("write", t.path, err)
	}
	if length > 0 {
		header = nil
	}
	for _, part := range [][]byte{header, stage} {
		n, err := t.file.WriteAt(part, length)
		if err != nil {
			return accessError("write", t.path, err)
		}
		length += int64(n)
	}
	if err := t.file.Sync(); err != nil {
		return accessError("write", t.path, err)
	}
	next := marker{Epochs: maps.Clone(t.mark.Epochs), Length: length}
	next.Epochs[id] = epoch
	if err := next.write(t.path); err != nil {
		return err
	}
	t.mark = next
	return nil
}
