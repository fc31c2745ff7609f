package log

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// File name endings inside a log's folder. The stem is an offset with 20 digits, so that names sort like offsets.
const (
	extSegment  = ".log"
	extIndex    = ".idx"
	extSnapshot = ".snap"
	startFile   = "start"
)

// segment is one file of batches and its index.
//
// The log owns one reference; each reader takes another, so a segment that retention unlinks stays readable until the last
// reader is done. path is removed by retention, the file is closed by the last release.
type segment struct {
	base int64
	path string
	file *os.File
	refs atomic.Int32

	size    int64 // guarded by Log.mu; bytes of whole batches
	maxTs   int64 // guarded by Log.mu; newest timestamp inside, -1 if empty
	firstMs int64 // guarded by Log.mu; clock at the first append, 0 if empty or unknown
	end     int64 // guarded by Log.mu; offset after the last record

	indexMu sync.Mutex
	index   index // guarded by indexMu
	sealed  bool  // guarded by indexMu; the index file is complete and the entries may be dropped from memory
	used    bool  // guarded by indexMu; looked at since the last retention round
}

func fileName(dir string, offset int64, ext string) string {
	return filepath.Join(dir, fmt.Sprintf("%020d%s", offset, ext))
}

// parseFileName returns the offset in a name made by fileName.
func parseFileName(name, ext string) (int64, bool) {
	stem, ok := strings.CutSuffix(name, ext)
	if !ok || len(stem) != 20 {
		return 0, false
	}
	n, err := strconv.ParseInt(stem, 10, 64)
	return n, err == nil && n >= 0
}

// openSegment opens or creates the file of the segment that starts at base. Its size is taken from the file.
func openSegment(dir string, base int64) (*segment, error) {
	path := fileName(dir, base, extSegment)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening segment %d: %w", base, err)
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("opening segment %d: %w", base, err)
	}
	s := &segment{base: base, path: path, file: f, size: st.Size(), maxTs: -1, end: base}
	s.refs.Store(1)
	return s, nil
}

func (s *segment) acquire() { s.refs.Add(1) }

func (s *segment) release() {
	if s.refs.Add(-1) == 0 {
		s.file.Close() // nothing unsynced is left to lose: writers sync before they let go
	}
}

// unlink removes the segment's files. Readers holding a reference can go on reading.
func (s *segment) unlink() error {
	os.Remove(strings.TrimSuffix(s.path, extSegment) + extIndex) // rebuilt from the segment if ever missed
	if err := os.Remove(s.path); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("removing segment %d: %w", s.base, err)
	}
	return nil
}

// lookup returns the position of a batch at or before offset, from the sparse index.
func (s *segment) lookup(offset, size int64) (int64, error) {
	s.indexMu.Lock()
	defer s.indexMu.Unlock()
	if err := s.loadIndex(size); err != nil {
		return 0, err
	}
	return s.index.position(uint32(min(offset-s.base, 1<<32-1))), nil
}

// lookupTime returns the position from where the first batch with a timestamp ≥ ts can be found by scanning.
func (s *segment) lookupTime(ts, size int64) (int64, error) {
	s.indexMu.Lock()
	defer s.indexMu.Unlock()
	if err := s.loadIndex(size); err != nil {
		return 0, err
	}
	return s.index.positionOfTime(ts), nil
}

// note adds an appended batch to the index.
func (s *segment) note(h *Header, pos int64) {
	s.indexMu.Lock()
	defer s.indexMu.Unlock()
	s.index.note(uint32(h.BaseOffset-s.base), uint32(pos), h)
}

// seal writes the index file of a segment that takes no more appends. A failure costs a rebuild later, nothing else.
func (s *segment) seal() {
	s.indexMu.Lock()
	defer s.indexMu.Unlock()
	if s.index.save(strings.TrimSuffix(s.path, extSegment)+extIndex) == nil {
		s.sealed = true
	}
}

// loadIndex reads a sealed segment's index back, or rebuilds it from the batches. Caller holds indexMu.
func (s *segment) loadIndex(size int64) error {
	s.used = true
	if s.index.loaded {
		return nil
	}
	if s.index.load(strings.TrimSuffix(s.path, extSegment)+extIndex, size) == nil {
		s.sealed = true
		return nil
	}
	s.index = index{loaded: true}
	return scanHeaders(s.file, 0, size, func(h *Header, pos int64) error {
		s.index.note(uint32(h.BaseOffset-s.base), uint32(pos), h)
		return nil
	})
}

// forget drops the entries of a sealed segment nobody looked at since the last call.
func (s *segment) forget() {
	s.indexMu.Lock()
	defer s.indexMu.Unlock()
	if s.sealed && !s.used {
		s.index = index{}
	}
	s.used = false
}
