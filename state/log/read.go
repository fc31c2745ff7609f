package log

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Isolation says how far a reader may see.
type Isolation int8

const (
	// ReadVisible reads to the high watermark: the protocol's read_uncommitted.
	ReadVisible Isolation = iota
	// ReadCommitted reads to the last stable offset.
	ReadCommitted
	// ReadAll reads to the log end, durable or not. For the owner of the log, never for clients.
	ReadAll
)

// ReadOptions bound one read.
type ReadOptions struct {
	// MaxBytes is the most to return; 0 means 1 MiB. A first batch larger than this is returned whole if AtLeastOne is set.
	MaxBytes   int
	AtLeastOne bool
	Isolation  Isolation
	// UpTo, if positive, ends the read before this offset even if more is visible by now. A caller that took watermarks before
	// passes the one it will report, so that data and report agree.
	UpTo int64
}

const defaultReadBytes = 1 << 20

// Read appends to dst whole batches, starting with the one that holds offset. Nothing is parsed but headers: the bytes go from the
// page cache straight into dst. Nothing appended and no error means there is nothing visible yet.
func (l *Log) Read(dst []byte, offset int64, o ReadOptions) ([]byte, error) {
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultReadBytes
	}
	for {
		seg, size, bound, err := l.segmentFor(offset, o)
		if seg == nil {
			return dst, err
		}
		n := len(dst)
		var gap bool
		dst, gap, err = seg.read(dst, offset, readBounds{size: size, offset: bound}, o)
		seg.release()
		next := l.after(seg)
		if err != nil || len(dst) > n || !gap || next <= offset || next >= bound {
			return dst, err
		}
		offset = next // go on with the segment behind; never past a batch that only did not fit
	}
}

// readBounds end a read: bytes in the file and the first offset that must not be returned.
type readBounds struct {
	size   int64
	offset int64
}

// segmentFor returns the segment to read offset from, with a reference, or nil if nothing is visible there.
func (l *Log) segmentFor(offset int64, o ReadOptions) (*segment, int64, int64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return nil, 0, 0, ErrClosed
	}
	if offset < l.start || offset > l.next {
		return nil, 0, 0, fmt.Errorf("%w: %d, log holds %d to %d", ErrOffsetOutOfRange, offset, l.start, l.next)
	}
	bound := l.bound(o.Isolation)
	if o.UpTo > 0 {
		bound = min(bound, o.UpTo)
	}
	if offset >= bound {
		return nil, 0, 0, nil
	}
	s := l.segments[l.find(offset)]
	s.acquire()
	return s, s.size, bound, nil
}

// after is the base of the segment behind s, or s.base if s is the last.
func (l *Log) after(s *segment) int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, t := range l.segments {
		if t.base > s.base {
			return t.base
		}
	}
	return s.base
}

// bound is the first offset a reader of that isolation may not see. Caller holds mu.
func (l *Log) bound(iso Isolation) int64 {
	switch iso {
	case ReadCommitted:
		return l.stable()
	case ReadAll:
		return l.next
	}
	return l.hw
}

// read appends the segment's batches from the one holding offset. gap reports that the segment ends before offset.
func (s *segment) read(dst []byte, offset int64, b readBounds, o ReadOptions) (out []byte, gap bool, err error) {
	pos, err := s.lookup(offset, b.size)
	if err != nil {
		return dst, false, fmt.Errorf("looking up offset %d in segment %d: %w", offset, s.base, err)
	}
	pos, first, err := s.seek(dst, pos, offset, b.size)
	if err != nil || pos < 0 || first.BaseOffset >= b.offset {
		return dst, pos < 0, err
	}
	want := int64(o.MaxBytes)
	if want < int64(first.Length) {
		if !o.AtLeastOne {
			return dst, false, nil
		}
		want = int64(first.Length)
	}
	want = min(want, b.size-pos)
	start := len(dst)
	dst = slices.Grow(dst, int(want))
	got := dst[start : start+int(want)]
	if n, err := s.file.ReadAt(got, pos); n < len(got) {
		return dst[:start], false, fmt.Errorf("reading %d bytes at %d of segment %d: %w", want, pos, s.base, err)
	}
	return dst[:start+wholeBatches(got, b.offset)], false, nil
}

// wholeBatches returns the length of the prefix of b made of complete batches that begin before offset bound.
func wholeBatches(b []byte, bound int64) int {
	n := 0
	for len(b)-n >= frameSize {
		length := frameSize + int(binary.BigEndian.Uint32(b[n+posBatchLength:]))
		if length > len(b)-n || int64(binary.BigEndian.Uint64(b[n:])) >= bound {
			break
		}
		n += length
	}
	return n
}

// seek walks headers from pos to the batch that holds offset, or the first after it. Position -1 means the segment ends before.
// The free space behind dst, if any, serves as scratch.
func (s *segment) seek(dst []byte, pos, offset, size int64) (int64, Header, error) {
	var small [HeaderSize]byte
	buf := small[:]
	if free := dst[len(dst):cap(dst)]; len(free) >= indexIntervalBytes {
		buf = free[:indexIntervalBytes]
	}
	for pos < size {
		n := min(int64(len(buf)), size-pos)
		if m, err := s.file.ReadAt(buf[:n], pos); int64(m) < n && !errors.Is(err, io.EOF) {
			return -1, Header{}, fmt.Errorf("reading segment %d at %d: %w", s.base, pos, err)
		}
		for b := buf[:n]; len(b) >= HeaderSize; {
			h, err := ParseHeader(b)
			if err != nil {
				return -1, Header{}, fmt.Errorf("%w: segment %d at %d: %w", ErrCorrupt, s.base, pos, err)
			}
			if h.LastOffset() >= offset {
				return pos, h, nil
			}
			pos += int64(h.Length)
			if h.Length >= len(b) {
				break
			}
			b = b[h.Length:]
		}
		if n < HeaderSize {
			break
		}
	}
	return -1, Header{}, nil
}

// Available estimates the bytes a reader at offset could get, up to limit. It is exact about zero and otherwise errs by at most
// one index interval: good enough to decide how long a fetch waits.
func (l *Log) Available(offset int64, iso Isolation, limit int64) int64 {
	l.mu.RLock()
	bound := l.bound(iso)
	if l.closed || offset < l.start || offset >= bound {
		l.mu.RUnlock()
		return 0
	}
	i := l.find(offset)
	s, size := l.segments[i], l.segments[i].size
	var later int64
	for _, t := range l.segments[i+1:] {
		later += t.size
	}
	s.acquire()
	l.mu.RUnlock()
	defer s.release()
	pos, err := s.lookup(offset, size)
	if err != nil {
		return 1
	}
	return min(max(size-pos+later, 1), limit)
}

// Each calls fn for every record from offset on that is visible now, in order, skipping control batches. The record and its bytes
// are valid until fn returns. Iteration ends at the first error, which is returned.
func (l *Log) Each(offset int64, fn func(r *Record) error) error {
	var buf []byte
	bound := l.HighWatermark()
	offset = max(offset, l.StartOffset())
	for offset < bound {
		var err error
		if buf, err = l.Read(buf[:0], offset, ReadOptions{AtLeastOne: true}); err != nil {
			return err
		}
		if len(buf) == 0 {
			return nil
		}
		from := offset
		for b := buf; len(b) > 0; {
			h, err := CheckBatch(firstBatch(b))
			if err != nil {
				return fmt.Errorf("%w: batch after offset %d: %w", ErrCorrupt, offset, err)
			}
			if !h.Control() {
				err = EachRecord(b[:h.Length], func(r *Record) error {
					if r.Offset < from {
						return nil
					}
					return fn(r)
				})
				if err != nil {
					return err
				}
			}
			offset = h.LastOffset() + 1
			b = b[h.Length:]
		}
	}
	return nil
}

// firstBatch cuts b after its first batch, or returns it whole if it is malformed.
func firstBatch(b []byte) []byte {
	if h, err := ParseHeader(b); err == nil && h.Length <= len(b) {
		return b[:h.Length]
	}
	return b
}
