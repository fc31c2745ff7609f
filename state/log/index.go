package log

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"sort"
)

// indexEntry points at one batch. timestamps only grow along the index, which makes it an index over time as well.
type indexEntry struct {
	offset uint32 // of the batch, relative to the segment
	pos    uint32 // of the batch in the file
	before int64  // newest timestamp among the batches before this one
}

const indexEntrySize = 16

// indexMagic opens an index file; the last byte is the format version.
var indexMagic = [8]byte{'M', 'R', 'I', 'D', 'X', 0, 0, 1}

var errBadIndex = errors.New("index file is missing or damaged")

// index is the sparse offset and time index of one segment: one entry per indexIntervalBytes. It can always be rebuilt.
type index struct {
	loaded  bool
	entries []indexEntry
	size    int64 // bytes of the segment described
	maxTs   int64 // newest timestamp noted
}

// note takes the next batch; the first batch and every batch that starts an interval later gets an entry.
func (x *index) note(offset, pos uint32, h *Header) {
	if !x.loaded {
		x.loaded = true
	}
	if len(x.entries) == 0 {
		x.maxTs = -1
	}
	if n := len(x.entries); n == 0 || pos-x.entries[n-1].pos >= indexIntervalBytes {
		x.entries = append(x.entries, indexEntry{offset: offset, pos: pos, before: x.maxTs})
	}
	x.maxTs = max(x.maxTs, h.MaxTimestamp)
	x.size = int64(pos) + int64(h.Length)
}

// position returns where the last indexed batch with a base ≤ offset starts.
func (x *index) position(offset uint32) int64 {
	i := sort.Search(len(x.entries), func(i int) bool { return x.entries[i].offset > offset })
	if i == 0 {
		return 0
	}
	return int64(x.entries[i-1].pos)
}

// positionOfTime returns a position with no timestamp ≥ ts in front of it.
func (x *index) positionOfTime(ts int64) int64 {
	i := sort.Search(len(x.entries), func(i int) bool { return x.entries[i].before >= ts })
	if i == 0 {
		return 0
	}
	return int64(x.entries[i-1].pos)
}

// save writes the index file: magic, segment size, newest timestamp, count, entries, checksum. It is not fsynced: the checksum
// and the segment size tell a stale or torn file, and the segment can rebuild it.
func (x *index) save(path string) error {
	b := make([]byte, 0, 32+len(x.entries)*indexEntrySize)
	b = append(b, indexMagic[:]...)
	be := binary.BigEndian
	b = be.AppendUint64(b, uint64(x.size))
	b = be.AppendUint64(b, uint64(x.maxTs))
	b = be.AppendUint32(b, uint32(len(x.entries)))
	for _, e := range x.entries {
		b = be.AppendUint32(b, e.offset)
		b = be.AppendUint32(b, e.pos)
		b = be.AppendUint64(b, uint64(e.before))
	}
	b = be.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return os.WriteFile(path, b, 0o644)
}

// load reads an index file that must describe exactly size bytes of its segment.
func (x *index) load(path string, size int64) error {
	b, err := os.ReadFile(path)
	if err != nil || len(b) < 32 || [8]byte(b) != indexMagic {
		return errBadIndex
	}
	be := binary.BigEndian
	body, sum := b[:len(b)-4], be.Uint32(b[len(b)-4:])
	n := int(be.Uint32(b[24:]))
	if crc32.Checksum(body, castagnoli) != sum || len(body) != 28+n*indexEntrySize || int64(be.Uint64(b[8:])) != size {
		return errBadIndex
	}
	*x = index{loaded: true, size: size, maxTs: int64(be.Uint64(b[16:])), entries: make([]indexEntry, n)}
	for i := range x.entries {
		e := body[28+i*indexEntrySize:]
		x.entries[i] = indexEntry{offset: be.Uint32(e), pos: be.Uint32(e[4:]), before: int64(be.Uint64(e[8:]))}
	}
	return nil
}
