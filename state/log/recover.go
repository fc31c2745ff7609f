package log

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sort"
)

// scanChunkBytes is how much of a segment recovery reads at a time; a larger batch grows the buffer for itself.
const scanChunkBytes = 1 << 20

// recover reads the folder: newest usable checkpoint, then every batch after it, checked by CRC. The first bad batch ends the log.
func (l *Log) recover() error {
	if err := l.finishSwaps(); err != nil {
		return fmt.Errorf("finishing compaction: %w", err)
	}
	bases, err := listOffsets(l.dir, extSegment)
	if err != nil {
		return fmt.Errorf("listing segments: %w", err)
	}
	l.start = l.readStart()
	if len(bases) == 0 {
		return l.create()
	}
	for _, base := range bases {
		s, err := openSegment(l.dir, base)
		if err != nil {
			return err
		}
		l.segments = append(l.segments, s)
	}
	first, pos, err := l.resume()
	if err != nil {
		return err
	}
	clean := first == len(l.segments)-1 && pos > 0 && pos == l.segments[first].size
	if err := l.scan(first, pos); err != nil {
		return err
	}
	l.start = max(l.start, l.segments[0].base)
	if l.start > l.next { // a start file ahead of a tail that was lost
		l.start = l.next
	}
	if !clean { // a checkpoint that reaches the end says that all is synced
		if err := l.syncFiles(l.segments[first:], true); err != nil {
			return err
		}
	}
	if err := l.dropOrphanAborts(); err != nil {
		return err
	}
	l.durable, l.hw = l.next, l.next
	l.txns.settle(l.hw)
	if first < len(l.segments)-1 {
		// Segments were closed behind the checkpoint. Were they dropped before the next one is written, what they say about producers
		// and open transactions would be lost.
		return l.checkpoint()
	}
	return nil
}

// create starts an empty log at its start offset.
func (l *Log) create() error {
	s, err := openSegment(l.dir, l.start)
	if err != nil {
		return err
	}
	s.index.loaded = true
	l.segments = []*segment{s}
	l.next, l.hw, l.durable = l.start, l.start, l.start
	if err := syncDir(l.dir); err != nil {
		return err
	}
	return syncDir(filepath.Dir(l.dir)) // or a power cut could lose the folder with everything acknowledged in it
}

// resume restores the newest usable checkpoint and returns where scanning goes on: segment number and position.
func (l *Log) resume() (int, int64, error) {
	offsets, err := listOffsets(l.dir, extSnapshot)
	if err != nil {
		return 0, 0, fmt.Errorf("listing checkpoints: %w", err)
	}
	for i := len(offsets) - 1; i >= 0; i-- {
		data, err := os.ReadFile(fileName(l.dir, offsets[i], extSnapshot))
		if err != nil {
			return 0, 0, fmt.Errorf("reading checkpoint %d: %w", offsets[i], err)
		}
		snap, err := decodeSnapshot(data)
		if err != nil || snap.segments[len(snap.segments)-1].base < l.segments[0].base {
			continue // damaged, or of segments that retention has dropped since
		}
		n, pos, err := l.matchSegments(snap)
		if err != nil {
			return 0, 0, err
		}
		l.restore(snap)
		return n, pos, nil
	}
	l.next = l.segments[0].base
	return 0, 0, nil
}

// matchSegments compares the files with the checkpoint and returns where scanning goes on: the number of the segment and the position
// inside. Closed segments must have exactly the size noted, by the checkpoint or by the compaction that replaced them since, the last
// at least that: anything less is lost data, which must not pass in silence.
func (l *Log) matchSegments(snap *snapshot) (int, int64, error) {
	byBase := make(map[int64]segmentInfo, len(snap.segments))
	for _, info := range snap.segments {
		byBase[info.base] = info
	}
	tail := snap.segments[len(snap.segments)-1]
	n := sort.Search(len(l.segments), func(i int) bool { return l.segments[i].base > tail.base }) - 1
	inside := n >= 0 && l.compacted.holds(l.segments[n].base) // the checkpoint's last segment was compacted since, perhaps merged
	if n < 0 || l.segments[n].base != tail.base && !inside {
		return 0, 0, fmt.Errorf("%w: segment %d is missing", ErrCorrupt, tail.base)
	}
	for i, s := range l.segments[:n+1] {
		info, ok := byBase[s.base]
		closed := i < n
		if c, replaced := l.compacted.segments[s.base]; replaced {
			info, ok, closed = c, true, true
		}
		if !ok || s.size < info.size || (closed && s.size != info.size) {
			return 0, 0, fmt.Errorf("%w: segment %d has %d bytes, checkpoint %d says %d", ErrCorrupt, s.base, s.size, snap.offset, info.size)
		}
		s.maxTs, s.firstMs = info.maxTs, info.firstMs
		s.end = snap.offset
		if i < len(l.segments)-1 && (closed || inside) {
			s.end = l.segments[i+1].base
		}
	}
	if !inside {
		return n, tail.size, nil
	}
	pos, err := l.segments[n].positionOf(snap.offset)
	return n, pos, err
}

// scan verifies the batches from position pos of segment number first on and rebuilds what the checkpoint does not know. Everything
// behind the first bad batch is removed: it was never acknowledged, since syncs run in order.
func (l *Log) scan(first int, pos int64) error {
	for i := first; i < len(l.segments); i++ {
		s := l.segments[i]
		if s.base > l.next { // a hole: the segment before lost its tail
			return l.cut(i)
		}
		good, err := l.scanSegment(s, pos)
		if err != nil {
			return err
		}
		if good < s.size {
			if err := s.file.Truncate(good); err != nil {
				return fmt.Errorf("cutting torn tail of segment %d: %w", s.base, err)
			}
			s.size = good
			return l.cut(i + 1)
		}
		if i < len(l.segments)-1 {
			s.seal()
		}
		pos = 0
	}
	return nil
}

// cut removes the segments from number i on.
func (l *Log) cut(i int) error {
	for _, s := range l.segments[i:] {
		if err := s.unlink(); err != nil {
			return err
		}
		s.release()
	}
	l.segments = l.segments[:i]
	return nil
}

// scanSegment replays the batches of s from pos and returns the position after the last good one.
func (l *Log) scanSegment(s *segment, pos int64) (int64, error) {
	s.indexMu.Lock()
	defer s.indexMu.Unlock()
	if err := s.loadForScan(pos); err != nil {
		return 0, err
	}
	good := pos
	err := scanBatches(s.file, pos, s.size, func(h *Header, batch []byte) error {
		if h.BaseOffset < l.next || crc32.Checksum(batch[posAttributes:], castagnoli) != h.CRC {
			return errStopScan
		}
		m, isMarker, err := markerOf(h, batch)
		if err != nil {
			return errStopScan
		}
		s.index.note(uint32(h.BaseOffset-s.base), uint32(good), h)
		good += int64(h.Length)
		l.next, s.end = h.LastOffset()+1, h.LastOffset()+1
		s.maxTs = max(s.maxTs, h.MaxTimestamp)
		if s.firstMs == 0 {
			s.firstMs = l.nowMs()
		}
		l.noteEpoch(h.LeaderEpoch, h.BaseOffset)
		if h.opensTxn() {
			l.txns.begin(h.ProducerID, h.BaseOffset)
		}
		l.noteBatch(h, m, isMarker)
		return nil
	})
	return good, err
}

func markerOf(h *Header, batch []byte) (Marker, bool, error) {
	if !h.Control() {
		return Marker{}, false, nil
	}
	return parseMarker(batch)
}

// loadForScan brings the index to the state it had at pos. Caller holds indexMu.
func (s *segment) loadForScan(pos int64) error {
	s.index = index{}
	if pos > 0 && s.index.load(fileName(filepath.Dir(s.path), s.base, extIndex), pos) == nil {
		return nil
	}
	s.index = index{loaded: true}
	if pos == 0 {
		return nil
	}
	return scanHeaders(s.file, 0, pos, func(h *Header, at int64) error {
		s.index.note(uint32(h.BaseOffset-s.base), uint32(at), h)
		return nil
	})
}

var errStopScan = errors.New("scan ends here")

// scanBatches reads whole batches from pos up to size and stops without error at the first that is cut short or misshapen, or when
// fn returns errStopScan. The batch passed to fn is valid until fn returns.
func scanBatches(r io.ReaderAt, pos, size int64, fn func(h *Header, batch []byte) error) error {
	buf := make([]byte, scanChunkBytes)
	for pos < size {
		n, err := readAtMost(r, buf, pos, size)
		if err != nil {
			return err
		}
		b := buf[:n]
		for {
			h, err := ParseHeader(b)
			if err != nil && !errors.Is(err, ErrShortBatch) {
				return nil
			}
			if err != nil || h.Length > len(b) {
				if pos+int64(len(b)) >= size || (err == nil && pos+int64(h.Length) > size) {
					return nil // the file ends inside this batch
				}
				if err == nil && h.Length > len(buf) {
					buf = make([]byte, h.Length)
				}
				break // read on from the start of this batch
			}
			if err := fn(&h, b[:h.Length]); err != nil {
				if errors.Is(err, errStopScan) {
					return nil
				}
				return err
			}
			pos += int64(h.Length)
			b = b[h.Length:]
		}
	}
	return nil
}

// scanHeaders walks batch headers from pos to size without reading the records.
func scanHeaders(r io.ReaderAt, pos, size int64, fn func(h *Header, pos int64) error) error {
	var buf [HeaderSize]byte
	for pos < size {
		if n, err := readAtMost(r, buf[:], pos, size); err != nil {
			return err
		} else if n < HeaderSize {
			return fmt.Errorf("%w: at position %d", ErrShortBatch, pos)
		}
		h, err := ParseHeader(buf[:])
		if err != nil {
			return fmt.Errorf("reading batch at position %d: %w", pos, err)
		}
		if err := fn(&h, pos); err != nil {
			return err
		}
		pos += int64(h.Length)
	}
	return nil
}

// readAtMost fills buf from pos but not beyond size.
func readAtMost(r io.ReaderAt, buf []byte, pos, size int64) (int, error) {
	n := int(min(int64(len(buf)), size-pos))
	if m, err := r.ReadAt(buf[:n], pos); m < n {
		return 0, fmt.Errorf("reading %d bytes at position %d: %w", n, pos, err)
	}
	return n, nil
}

// readStart returns the persisted start offset, 0 if there is none. A damaged file counts as none: only data meant to be deleted
// come back.
func (l *Log) readStart() int64 {
	b, err := os.ReadFile(filepath.Join(l.dir, startFile))
	if err != nil || len(b) != 12 || crc32.Checksum(b[:8], castagnoli) != binary.BigEndian.Uint32(b[8:]) {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

// writeStart persists the start offset.
func (l *Log) writeStart(start int64) error {
	b := binary.BigEndian.AppendUint64(nil, uint64(start))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return writeFileSync(l.dir, filepath.Join(l.dir, startFile), b)
}
