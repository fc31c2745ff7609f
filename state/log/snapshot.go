package log

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"sort"
)

// snapshotMagic opens a checkpoint file; the last byte is the format version.
var snapshotMagic = [8]byte{'M', 'R', 'S', 'N', 'A', 'P', 0, 1}

var errBadSnapshot = errors.New("checkpoint is damaged")

// segmentInfo is what a checkpoint keeps of a segment.
type segmentInfo struct {
	base, size, maxTs, firstMs int64
}

// snapshot is a decoded checkpoint: everything below offset is durable, verified and described here. Recovery goes on from the
// end of the last segment listed.
type snapshot struct {
	offset    int64
	segments  []segmentInfo
	epochs    []epochEntry
	producers []*producer
	aborted   []AbortedTxn
}

// encodeSnapshot describes the log as it is now. Caller holds appendMu and mu.
func (l *Log) encodeSnapshot() []byte {
	be := binary.BigEndian
	b := append(make([]byte, 0, 1024), snapshotMagic[:]...)
	b = be.AppendUint64(b, uint64(l.next))
	b = be.AppendUint32(b, uint32(len(l.segments)))
	for _, s := range l.segments {
		for _, v := range [4]int64{s.base, s.size, s.maxTs, s.firstMs} {
			b = be.AppendUint64(b, uint64(v))
		}
	}
	b = be.AppendUint32(b, uint32(len(l.epochs)))
	for _, e := range l.epochs {
		b = be.AppendUint32(b, uint32(e.epoch))
		b = be.AppendUint64(b, uint64(e.start))
	}
	b = be.AppendUint32(b, uint32(len(l.producers)))
	for _, p := range l.producers {
		b = appendProducer(b, p)
	}
	b = be.AppendUint32(b, uint32(len(l.txns.aborted)))
	for _, a := range l.txns.aborted {
		for _, v := range [3]int64{a.ProducerID, a.First, a.Last} {
			b = be.AppendUint64(b, uint64(v))
		}
	}
	return be.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func appendProducer(b []byte, p *producer) []byte {
	be := binary.BigEndian
	b = be.AppendUint64(b, uint64(p.id))
	b = be.AppendUint32(b, uint32(p.epoch))
	b = be.AppendUint32(b, uint32(p.coordEp))
	b = be.AppendUint64(b, uint64(p.lastMs))
	b = be.AppendUint64(b, uint64(p.txnFirst))
	b = be.AppendUint32(b, uint32(len(p.batches)))
	for _, x := range p.batches {
		b = be.AppendUint32(b, uint32(x.firstSeq))
		b = be.AppendUint32(b, uint32(x.lastSeq))
		b = be.AppendUint64(b, uint64(x.firstOffset))
		b = be.AppendUint64(b, uint64(x.lastOffset))
	}
	return b
}

// snapReader reads fixed-width fields; an overrun makes it bad and every later read zero.
type snapReader struct {
	b   []byte
	bad bool
}

func (r *snapReader) u32() uint32 {
	if len(r.b) < 4 {
		r.bad, r.b = true, nil
		return 0
	}
	v := binary.BigEndian.Uint32(r.b)
	r.b = r.b[4:]
	return v
}

func (r *snapReader) i64() int64 {
	hi, lo := r.u32(), r.u32()
	return int64(uint64(hi)<<32 | uint64(lo))
}

// count reads a number of items of at least size bytes each, so that a bad count cannot ask for more memory than the file has.
func (r *snapReader) count(size int) int {
	n := int(r.u32())
	if n < 0 || n > len(r.b)/size {
		r.bad, r.b = true, nil
		return 0
	}
	return n
}

func decodeSnapshot(b []byte) (*snapshot, error) {
	if len(b) < 16 || [8]byte(b) != snapshotMagic {
		return nil, errBadSnapshot
	}
	body, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, errBadSnapshot
	}
	r := snapReader{b: body[8:]}
	s := &snapshot{offset: r.i64()}
	for n := r.count(32); n > 0; n-- {
		s.segments = append(s.segments, segmentInfo{r.i64(), r.i64(), r.i64(), r.i64()})
	}
	for n := r.count(12); n > 0; n-- {
		s.epochs = append(s.epochs, epochEntry{int32(r.u32()), r.i64()})
	}
	for n := r.count(36); n > 0; n-- {
		p := &producer{id: r.i64(), epoch: int16(r.u32()), coordEp: int32(r.u32()), lastMs: r.i64(), txnFirst: r.i64(), marked: -1}
		for m := r.count(24); m > 0; m-- {
			p.batches = append(p.batches, producerBatch{int32(r.u32()), int32(r.u32()), r.i64(), r.i64()})
		}
		s.producers = append(s.producers, p)
	}
	for n := r.count(24); n > 0; n-- {
		s.aborted = append(s.aborted, AbortedTxn{r.i64(), r.i64(), r.i64()})
	}
	if r.bad || len(r.b) > 0 || len(s.segments) == 0 {
		return nil, errBadSnapshot
	}
	return s, nil
}

// checkpoint writes a checkpoint of the log as it is. Everything must be synced; caller holds appendMu.
func (l *Log) checkpoint() error {
	l.mu.RLock()
	snap := snapshotFile{l.next, l.encodeSnapshot()}
	active := l.active()
	l.mu.RUnlock()
	active.saveIndex()
	return l.writeSnapshot(snap)
}

// saveIndex writes the active segment's index for the next Open.
func (s *segment) saveIndex() {
	s.indexMu.Lock()
	defer s.indexMu.Unlock()
	_ = s.index.save(fileName(filepath.Dir(s.path), s.base, extIndex)) // rebuilt if it is missing
}

// writeSnapshot stores a checkpoint and removes those no longer needed. A failure only makes the next recovery longer.
func (l *Log) writeSnapshot(s snapshotFile) error {
	if err := writeFileSync(l.dir, fileName(l.dir, s.offset, extSnapshot), s.data); err != nil {
		return err
	}
	offsets, err := listOffsets(l.dir, extSnapshot)
	if err != nil {
		return err
	}
	for _, o := range offsets[:max(0, len(offsets)-keptSnapshots)] {
		os.Remove(fileName(l.dir, o, extSnapshot))
	}
	return nil
}

// restore puts a checkpoint's state into the log being opened.
func (l *Log) restore(s *snapshot) {
	l.next, l.epochs = s.offset, s.epochs
	l.txns.aborted = s.aborted
	for _, p := range s.producers {
		l.producers[p.id] = p
		if p.txnFirst >= 0 {
			l.txns.unstable = append(l.txns.unstable, unstableTxn{p.id, p.txnFirst, -1})
		}
	}
	slices.SortFunc(l.txns.unstable, func(a, b unstableTxn) int { return int(a.first - b.first) })
}

// listOffsets returns the offsets in the names of the folder's files with that ending, ascending.
func listOffsets(dir, ext string) ([]int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []int64
	for _, e := range entries {
		if o, ok := parseFileName(e.Name(), ext); ok {
			out = append(out, o)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return out, nil
}
