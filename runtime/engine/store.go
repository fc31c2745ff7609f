package engine

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/millrace/millrace/sql/diag"
)

// statementStore keeps the statements that made what exists, in their order, in one small file that is replaced atomically.
type statementStore struct {
	path    string
	durable bool
	data    storedCatalog
}

type storedCatalog struct {
	Version    int               `json:"version"`
	EngineID   string            `json:"engine_id"`
	Sequence   int               `json:"sequence"` // of job identities, never reused
	Statements []storedStatement `json:"statements"`
}

// storedStatement is one statement; Job is set when it runs one.
type storedStatement struct {
	Name      string            `json:"name"` // relation or job that it made, lower case
	SQL       string            `json:"sql"`
	Variables map[string]string `json:"variables,omitempty"`
	Job       *storedJob        `json:"job,omitempty"`
}

type storedJob struct {
	Name       string `json:"name"`
	ID         string `json:"id"`
	FirstEpoch uint64 `json:"first_epoch"`
	Stopped    bool   `json:"stopped,omitempty"`
}

func openStatements(path string, durable bool) (*statementStore, error) {
	s := &statementStore{path: path, durable: durable}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		var id [6]byte
		if _, err := rand.Read(id[:]); err != nil {
			return nil, fmt.Errorf("making an engine id: %w", err)
		}
		s.data = storedCatalog{Version: 1, EngineID: hex.EncodeToString(id[:])}
		return s, s.save()
	}
	if err != nil {
		return nil, unusable(filepath.Dir(path), err)
	}
	if err := json.Unmarshal(text, &s.data); err != nil {
		return nil, diag.New(diag.StorageUnusable, -1, "the catalog %s is damaged: %v", path, err).Wrap(err)
	}
	if s.data.Version != 1 {
		return nil, diag.New(diag.StorageUnusable, -1, "the catalog %s has version %d; this millrace reads version 1", path, s.data.Version)
	}
	return s, nil
}

// save replaces the file: write beside it, sync, rename, sync the folder.
func (s *statementStore) save() error {
	text, err := json.MarshalIndent(&s.data, "", " ")
	if err != nil {
		return fmt.Errorf("encoding the catalog: %w", err)
	}
	next := s.path + ".next"
	f, err := os.Create(next)
	if err != nil {
		return unusable(filepath.Dir(s.path), err)
	}
	_, err = f.Write(text)
	if s.durable && err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(next, s.path)
	}
	if err == nil && s.durable {
		err = syncDir(filepath.Dir(s.path))
	}
	if err != nil {
		return unusable(filepath.Dir(s.path), err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func (s *statementStore) find(name string) *storedStatement {
	i := slices.IndexFunc(s.data.Statements, func(x storedStatement) bool { return x.Name == strings.ToLower(name) })
	if i < 0 {
		return nil
	}
	return &s.data.Statements[i]
}

// put adds a statement, or replaces the one of the same name in its place.
func (s *statementStore) put(x storedStatement) error {
	x.Name = strings.ToLower(x.Name)
	if old := s.find(x.Name); old != nil {
		*old = x
	} else {
		s.data.Statements = append(s.data.Statements, x)
	}
	return s.save()
}

// remove forgets a statement.
func (s *statementStore) remove(name string) error {
	s.data.Statements = slices.DeleteFunc(s.data.Statements, func(x storedStatement) bool { return x.Name == strings.ToLower(name) })
	return s.save()
}

// nextJob makes the identity of a new job.
func (s *statementStore) nextJob(name string) string {
	s.data.Sequence++
	return fmt.Sprintf("millrace-%s-%d-%s", s.data.EngineID, s.data.Sequence, strings.ToLower(name))
}
