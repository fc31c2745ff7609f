package broker

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Files of the broker in its data directory, besides the folder topics/.
const (
	stateFile      = "broker.json"
	producerIDFile = "producer-ids.json"
	lockFile       = "lock"
)

// topicRecord is a topic as it is stored.
type topicRecord struct {
	Name       string            `json:"name"`
	ID         topicID           `json:"id"`
	Partitions int               `json:"partitions"`
	Internal   bool              `json:"internal,omitempty"`
	Config     map[string]string `json:"config,omitempty"`
}

// brokerState is the content of broker.json.
type brokerState struct {
	Version   int           `json:"version"`
	ClusterID string        `json:"cluster_id"`
	Topics    []topicRecord `json:"topics"`
}

const stateVersion = 1

func (s *brokerState) topic(name string) *topicRecord {
	for i := range s.Topics {
		if s.Topics[i].Name == name {
			return &s.Topics[i]
		}
	}
	return &topicRecord{} // callers checked; a change to the stray record is lost
}

func (s *brokerState) removeTopic(name string) {
	s.Topics = slices.DeleteFunc(s.Topics, func(r topicRecord) bool { return r.Name == name })
}

// topicStore keeps the state file. Guarded by Broker.adminMu after Open.
type topicStore struct {
	path  string
	state brokerState
}

// openTopicStore reads the state file, or makes one in a fresh directory. A directory with topics but without the file is refused:
// starting empty would delete them as left-overs.
func openTopicStore(dir string) (*topicStore, error) {
	s := &topicStore{path: filepath.Join(dir, stateFile)}
	data, err := os.ReadFile(s.path)
	if errors.Is(err, os.ErrNotExist) {
		if entries, err := os.ReadDir(filepath.Join(dir, "topics")); err == nil && len(entries) > 0 {
			return nil, fmt.Errorf("%s is missing but topics/ is not empty", s.path)
		}
		return s, s.update(func(st *brokerState) { st.Version, st.ClusterID = stateVersion, newClusterID() })
	}
	if err != nil {
		return nil, fmt.Errorf("reading broker state: %w", err)
	}
	if err := json.Unmarshal(data, &s.state); err != nil {
		return nil, fmt.Errorf("reading broker state %s: %w", s.path, err)
	}
	if s.state.Version != stateVersion {
		return nil, fmt.Errorf("broker state %s has version %d, this program knows %d", s.path, s.state.Version, stateVersion)
	}
	return s, nil
}

// update changes the state and writes it durably; on error nothing has changed.
func (s *topicStore) update(change func(*brokerState)) error {
	next := s.state
	next.Topics = slices.Clone(s.state.Topics)
	change(&next)
	if err := writeJSON(s.path, &next); err != nil {
		return fmt.Errorf("storing broker state: %w", err)
	}
	s.state = next
	return nil
}

// newClusterID makes 16 random bytes in the spelling Kafka uses for ids.
func newClusterID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails: the runtime stops the program instead
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// writeJSON replaces the file at path so that a crash leaves the old or the new content.
func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncFolders(filepath.Dir(path))
}

// syncFolders makes what was created, renamed or removed in the folders durable.
func syncFolders(dirs ...string) error {
	for _, dir := range dirs {
		d, err := os.Open(dir)
		if err != nil {
			return fmt.Errorf("opening folder to sync: %w", err)
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return fmt.Errorf("syncing folder: %w", err)
		}
	}
	return nil
}
