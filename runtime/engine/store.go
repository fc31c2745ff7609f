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
	Savepoints []storedSavepoint `json:"savepoints,omitempty"`
}

// storedStatement is one statement; Job is set when it runs one.
type storedStatement struct {
	Name      string            `json:"name"`           // relation, job or function that it made, lower case
	Kind      string            `json:"kind,omitempty"` // kindFunction, or "": functions have names of their own
	SQL       string            `json:"sql"`
	Variables map[string]string `json:"variables,omitempty"`
	Job       *storedJob        `json:"job,omitempty"`
	Module    string            `json:"module,omitempty"` // of a WebAssembly function: the SHA-256 that names its file
}

// kindFunction is the Kind of CREATE FUNCTION.
const kindFunction = "function"

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
	if err := replaceFile(s.path, text, s.durable); err != nil {
		return unusable(filepath.Dir(s.path), err)
	}
	return nil
}

// replaceFile writes a file whole or not at all; durable: it survives the machine.
func replaceFile(path string, data []byte, durable bool) error {
	next := path + ".next"
	f, err := os.Create(next)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if durable && err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(next, path)
	}
	if err == nil && durable {
		err = syncDir(filepath.Dir(path))
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// find gives the statement that made a relation or job.
func (s *statementStore) find(name string) *storedStatement { return s.findKind("", name) }

func (s *statementStore) findKind(kind, name string) *storedStatement {
	i := slices.IndexFunc(s.data.Statements, func(x storedStatement) bool { return x.Kind == kind && x.Name == strings.ToLower(name) })
	if i < 0 {
		return nil
	}
	return &s.data.Statements[i]
}

// put adds a statement, or replaces the one of the same name in its place.
func (s *statementStore) put(x storedStatement) error {
	x.Name = strings.ToLower(x.Name)
	if old := s.findKind(x.Kind, x.Name); old != nil {
		*old = x
	} else {
		s.data.Statements = append(s.data.Statements, x)
	}
	return s.save()
}

// remove forgets the statement of a relation or job.
func (s *statementStore) remove(name string) error { return s.removeKind("", name) }

func (s *statementStore) removeKind(kind, name string) error {
	s.data.Statements = slices.DeleteFunc(s.data.Statements, func(x storedStatement) bool { return x.Kind == kind && x.Name == strings.ToLower(name) })
	return s.save()
}

// nextJob makes the identity of a new job.
func (s *statementStore) nextJob(name string) string {
	s.data.Sequence++
	return fmt.Sprintf("millrace-%s-%d-%s", s.data.EngineID, s.data.Sequence, strings.ToLower(name))
}
