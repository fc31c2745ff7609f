package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"sync"
)

// producerIDBlock is how many ids are reserved with one write; those unused at a crash are skipped.
const producerIDBlock = 1000

// producerIDs hands out producer ids, each once in the life of the data directory.
type producerIDs struct {
	path string

	mu    sync.Mutex
	next  int64 // guarded by mu
	limit int64 // guarded by mu; ids below it are reserved on disk
}

type producerIDState struct {
	Reserved int64 `json:"reserved"` // all ids below may have been handed out
}

func openProducerIDs(path string) (*producerIDs, error) {
	p := &producerIDs{path: path}
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading producer ids: %w", err)
	}
	var s producerIDState
	if err := json.Unmarshal(data, &s); err != nil || s.Reserved < 0 {
		return nil, fmt.Errorf("reading producer ids %s: reserved %d: %w", path, s.Reserved, err)
	}
	p.next, p.limit = s.Reserved, s.Reserved
	return p, nil
}

// take returns a new producer id.
func (p *producerIDs) take() (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == p.limit {
		if p.limit > math.MaxInt64-producerIDBlock {
			return 0, errors.New("producer ids are used up")
		}
		if err := writeJSON(p.path, producerIDState{p.limit + producerIDBlock}); err != nil {
			return 0, fmt.Errorf("reserving producer ids: %w", err)
		}
		p.limit += producerIDBlock
	}
	p.next++
	return p.next - 1, nil
}
