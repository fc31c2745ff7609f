package log

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Files of a compaction under way. FORMAT.md says what each step makes durable.
const (
	extClean      = ".clean" // being written; worthless after a crash
	extSwap       = ".swap"  // complete and durable: it replaces the segments whose offsets it covers
	compactedFile = "compacted"
	// cleanBufferBytes gathers small batches into large writes.
	cleanBufferBytes = 256 << 10
)

// compactedMagic opens the file; the last byte is the format version.
var compactedMagic = [8]byte{'M', 'R', 'C', 'M', 'P', 'C', 0, 1}

// compactedState is what compaction remembers over a restart.
type compactedState struct {
	cleanUntil int64 // below it every key is there once
	horizon    int64 // earliest time at which a tombstone or marker may go, 0 if there is none
	segments   map[int64]segmentInfo
}

// holds reports whether the segment that starts at base is the work of compaction.
func (s *compactedState) holds(base int64) bool {
	_, ok := s.segments[base]
	return ok
}

// cleaned is a segment being written by compaction.
type cleaned struct {
	seg *segment
	w   *bufio.Writer
	pos int64
}

// rewrite filters the n segments from number i on into one and swaps it in if that changes anything.
func (c *compaction) rewrite(i, n int) error {
	group, end := c.segs[i:i+n], c.endOf(i+n-1)
	out, err := c.createClean(group[0].base)
	if err != nil {
		return err
	}
	changed := n > 1
	var before int64
	for k := range group {
		before += c.sizes[i+k]
		err = c.eachBatch(i+k, func(h *Header, batch []byte) error {
			kept, err := c.filter(h, batch, h.LastOffset() == end-1)
			if err != nil {
				return err
			}
			changed = changed || len(kept) != len(batch) || &kept[0] != &batch[0]
			return out.write(kept)
		})
		if err != nil {
			out.discard()
			return fmt.Errorf("filtering segment %d: %w", group[k].base, err)
		}
	}
	if !changed {
		out.discard()
		return nil
	}
	if err := out.finish(group, end); err != nil {
		out.discard()
		return err
	}
	swapped, err := c.log.swap(group, out.seg)
	if err != nil || !swapped {
		return err
	}
	c.stats.Rewritten += n
	c.stats.BytesBefore += before
	c.stats.BytesAfter += out.pos
	return nil
}

func (c *compaction) createClean(base int64) (*cleaned, error) {
	path := fileName(c.log.dir, base, extClean)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, fmt.Errorf("creating %s: %w", path, err)
	}
	s := &segment{base: base, path: path, file: f, maxTs: -1}
	s.index.loaded = true
	s.refs.Store(1)
	return &cleaned{seg: s, w: bufio.NewWriterSize(f, cleanBufferBytes)}, nil
}

// write appends a batch, nil being none.
func (o *cleaned) write(batch []byte) error {
	if len(batch) == 0 {
		return nil
	}
	h, err := ParseHeader(batch)
	if err != nil {
		return err
	}
	if _, err := o.w.Write(batch); err != nil {
		return fmt.Errorf("writing compacted segment: %w", err)
	}
	o.seg.note(&h, o.pos)
	o.pos += int64(h.Length)
	if h.NumRecords > 0 {
		o.seg.maxTs = max(o.seg.maxTs, h.MaxTimestamp)
	}
	return nil
}

// finish makes the file durable and describes it.
func (o *cleaned) finish(group []*segment, end int64) error {
	err := o.w.Flush()
	if err = errors.Join(err, o.seg.file.Sync()); err != nil {
		return fmt.Errorf("writing compacted segment %d: %w", o.seg.base, err)
	}
	o.seg.size, o.seg.end = o.pos, end
	for _, s := range group {
		o.seg.firstMs = max(o.seg.firstMs, s.firstMs)
	}
	return nil
}

func (o *cleaned) discard() {
	os.Remove(o.seg.path)
	o.seg.release()
}

// swap puts fresh in the place of group, on disk and in memory. It reports false if the log closed or retention has dropped one of them
// meanwhile. An error after the .swap file is durable stops the log: the disk is half way, and only opening finishes it.
func (l *Log) swap(group []*segment, fresh *segment) (bool, error) {
	l.swapMu.Lock()
	defer l.swapMu.Unlock()
	if err := l.step("clean"); err != nil {
		return false, err
	}
	if ok, err := l.mayReplace(group); !ok {
		(&cleaned{seg: fresh}).discard()
		return false, err
	}
	swapPath := fileName(l.dir, fresh.base, extSwap)
	if err := os.Rename(fresh.path, swapPath); err != nil {
		(&cleaned{seg: fresh}).discard()
		return false, fmt.Errorf("renaming compacted segment %d: %w", fresh.base, err)
	}
	fresh.path = fileName(l.dir, fresh.base, extSegment)
	info := segmentInfo{fresh.base, fresh.size, fresh.maxTs, fresh.firstMs}
	bases := make([]int64, len(group))
	for i, s := range group {
		bases[i] = s.base
	}
	if err := l.completeSwap(info, bases); err != nil {
		fresh.release()
		return false, l.fail(err)
	}
	l.mu.Lock()
	at := slices.Index(l.segments, group[0]) // swapMu keeps it there
	l.segments = slices.Concat(l.segments[:at], []*segment{fresh}, l.segments[at+len(group):])
	l.mu.Unlock()
	releaseAll(group)
	fresh.seal()
	return true, nil
}

// mayReplace checks that the log still is as the pass found it, and loads the indexes of the segments for readers that will go on to
// use them. Caller holds swapMu.
func (l *Log) mayReplace(group []*segment) (bool, error) {
	l.mu.RLock()
	at := slices.Index(l.segments, group[0])
	held := !l.closed && l.failed == nil && at >= 0 && at+len(group) < len(l.segments) && slices.Equal(l.segments[at:at+len(group)], group)
	l.mu.RUnlock()
	if !held {
		return false, nil
	}
	for _, s := range group {
		if err := s.pin(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// completeSwap does what follows the rename to .swap; each step can be done again. Caller holds swapMu or is opening the log.
func (l *Log) completeSwap(info segmentInfo, replaced []int64) error {
	if err := syncDir(l.dir); err != nil {
		return err
	}
	if err := l.step("swap"); err != nil {
		return err
	}
	if l.compacted.segments == nil {
		l.compacted.segments = map[int64]segmentInfo{}
	}
	for _, base := range replaced {
		delete(l.compacted.segments, base)
	}
	l.compacted.segments[info.base] = info
	if err := l.writeCompacted(); err != nil {
		return err
	}
	if err := l.step("noted"); err != nil {
		return err
	}
	for _, base := range replaced {
		if err := l.removeReplaced(base, info.base); err != nil {
			return err
		}
	}
	if err := syncDir(l.dir); err != nil {
		return err
	}
	if err := l.step("unlinked"); err != nil {
		return err
	}
	if err := os.Rename(fileName(l.dir, info.base, extSwap), fileName(l.dir, info.base, extSegment)); err != nil {
		return fmt.Errorf("swapping in compacted segment %d: %w", info.base, err)
	}
	if err := l.step("renamed"); err != nil {
		return err
	}
	return syncDir(l.dir)
}

// removeReplaced removes the files of a segment, except the file the rename will replace: with it in place, no step leaves a gap.
func (l *Log) removeReplaced(base, into int64) error {
	names := []string{fileName(l.dir, base, extIndex)} // it might fit the new file by its size
	if base != into {
		names = append(names, fileName(l.dir, base, extSegment))
	}
	for _, name := range names {
		if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("removing replaced segment %d: %w", base, err)
		}
		if err := l.step("unlinking"); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) step(name string) error {
	if l.steps == nil {
		return nil
	}
	return l.steps(name)
}

// pin loads the index for good, since the index file will soon be another's.
func (s *segment) pin() error {
	s.indexMu.Lock()
	defer s.indexMu.Unlock()
	if err := s.loadIndex(s.size); err != nil {
		return fmt.Errorf("loading index of segment %d: %w", s.base, err)
	}
	s.sealed = false
	return nil
}

// positionOf returns the position of the first batch that begins at offset or after it.
func (s *segment) positionOf(offset int64) (int64, error) {
	found := s.size
	err := scanHeaders(s.file, 0, s.size, func(h *Header, pos int64) error {
		if h.BaseOffset >= offset {
			found = pos
			return errStopScan
		}
		return nil
	})
	if err != nil && !errors.Is(err, errStopScan) {
		return 0, fmt.Errorf("finding offset %d in segment %d: %w", offset, s.base, err)
	}
	return found, nil
}

// finishPass records how far a pass got and forgets aborted transactions that have no data left.
func (l *Log) finishPass(c *compaction) error {
	l.swapMu.Lock()
	defer l.swapMu.Unlock()
	l.mu.Lock()
	if l.closed || l.failed != nil {
		defer l.mu.Unlock()
		return l.failed
	}
	l.txns.aborted = slices.DeleteFunc(l.txns.aborted, func(a AbortedTxn) bool { return slices.Contains(c.done, a) })
	for base := range l.compacted.segments {
		if !slices.ContainsFunc(l.segments, func(s *segment) bool { return s.base == base }) {
			delete(l.compacted.segments, base)
		}
	}
	l.mu.Unlock()
	l.compacted.cleanUntil, l.compacted.horizon = c.mapEnd, c.horizon
	return l.writeCompacted()
}

// writeCompacted stores l.compacted. Caller holds swapMu or is opening the log.
func (l *Log) writeCompacted() error {
	be := binary.BigEndian
	b := append([]byte(nil), compactedMagic[:]...)
	b = be.AppendUint64(b, uint64(l.compacted.cleanUntil))
	b = be.AppendUint64(b, uint64(l.compacted.horizon))
	b = be.AppendUint32(b, uint32(len(l.compacted.segments)))
	for _, s := range l.compacted.segments {
		for _, v := range [4]int64{s.base, s.size, s.maxTs, s.firstMs} {
			b = be.AppendUint64(b, uint64(v))
		}
	}
	b = be.AppendUint32(b, crc32.Checksum(b, castagnoli))
	if err := writeFileSync(l.dir, filepath.Join(l.dir, compactedFile), b); err != nil {
		return fmt.Errorf("noting compaction: %w", err)
	}
	return nil
}

// readCompacted loads l.compacted. A missing file means that nothing was ever compacted; a damaged one is reported, since the sizes of
// segments could not be told from loss without it.
func (l *Log) readCompacted() error {
	b, err := os.ReadFile(filepath.Join(l.dir, compactedFile))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading notes of compaction: %w", err)
	}
	if len(b) < 32 || [8]byte(b) != compactedMagic || crc32.Checksum(b[:len(b)-4], castagnoli) != binary.BigEndian.Uint32(b[len(b)-4:]) {
		return fmt.Errorf("%w: notes of compaction are unreadable", ErrCorrupt)
	}
	r := snapReader{b: b[8 : len(b)-4]}
	l.compacted = compactedState{cleanUntil: r.i64(), horizon: r.i64(), segments: map[int64]segmentInfo{}}
	for n := r.count(32); n > 0; n-- {
		s := segmentInfo{r.i64(), r.i64(), r.i64(), r.i64()}
		l.compacted.segments[s.base] = s
	}
	if r.bad || len(r.b) > 0 {
		return fmt.Errorf("%w: notes of compaction are inconsistent", ErrCorrupt)
	}
	return nil
}

// finishSwaps brings a compaction that a crash cut short to an end, before the log is read: what was not complete goes, what was
// complete takes its place.
func (l *Log) finishSwaps() error {
	if err := l.readCompacted(); err != nil {
		return err
	}
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return fmt.Errorf("listing log folder: %w", err)
	}
	var swaps []int64
	for _, e := range entries {
		if base, ok := parseFileName(e.Name(), extSwap); ok {
			swaps = append(swaps, base)
		}
		if strings.HasSuffix(e.Name(), extClean) {
			if err := os.Remove(filepath.Join(l.dir, e.Name())); err != nil {
				return fmt.Errorf("removing unfinished segment: %w", err)
			}
		}
	}
	for _, base := range swaps {
		info, end, err := l.inspectSwap(base)
		if err != nil {
			return err
		}
		bases, err := listOffsets(l.dir, extSegment)
		if err != nil {
			return fmt.Errorf("listing segments: %w", err)
		}
		bases = slices.DeleteFunc(bases, func(o int64) bool { return o < base || o >= end })
		if err := l.completeSwap(info, bases); err != nil {
			return err
		}
	}
	return nil
}

// inspectSwap verifies a .swap file and returns its description and the offset after it.
func (l *Log) inspectSwap(base int64) (segmentInfo, int64, error) {
	path := fileName(l.dir, base, extSwap)
	f, err := os.Open(path)
	if err != nil {
		return segmentInfo{}, 0, fmt.Errorf("opening %s: %w", path, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return segmentInfo{}, 0, fmt.Errorf("opening %s: %w", path, err)
	}
	info, end, read := segmentInfo{base: base, size: st.Size(), maxTs: -1, firstMs: l.nowMs()}, base, int64(0)
	err = scanBatches(f, 0, st.Size(), func(h *Header, batch []byte) error {
		if crc32.Checksum(batch[posAttributes:], castagnoli) != h.CRC || h.BaseOffset < end {
			return errStopScan
		}
		if h.NumRecords > 0 {
			info.maxTs = max(info.maxTs, h.MaxTimestamp)
		}
		end, read = h.LastOffset()+1, read+int64(h.Length)
		return nil
	})
	if err == nil && read != st.Size() {
		err = fmt.Errorf("%w: %s reads to %d of %d bytes", ErrCorrupt, path, read, st.Size())
	}
	return info, end, err
}

// dropOrphanAborts forgets aborted transactions of the checkpoint whose marker compaction has removed since. Readers would otherwise
// wait in vain for the marker and skip what the producer committed later. Called while opening.
func (l *Log) dropOrphanAborts() error {
	if len(l.compacted.segments) == 0 {
		return nil
	}
	kept := l.txns.aborted[:0]
	for _, a := range l.txns.aborted {
		s := l.segments[l.find(a.Last)]
		if l.compacted.holds(s.base) {
			pos, err := s.lookup(a.Last, s.size)
			if err != nil {
				return fmt.Errorf("looking up marker %d: %w", a.Last, err)
			}
			pos, h, err := s.seek(nil, pos, a.Last, s.size)
			if err != nil {
				return err
			}
			if pos < 0 || h.BaseOffset != a.Last || h.NumRecords == 0 {
				continue
			}
		}
		kept = append(kept, a)
	}
	l.txns.aborted = kept
	return nil
}
