package log

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"time"
)

// Limits of compaction.
const (
	// defaultCompactionKeys is how many keys one pass holds in memory, about 50 bytes each. More keys take more passes.
	defaultCompactionKeys = 1 << 20
	// maxCompactionPasses ends one call of Compact; the next call goes on where it stopped.
	maxCompactionPasses = 64
)

// CompactStats says what one call of Compact did.
type CompactStats struct {
	Passes      int
	Rewritten   int   // segments replaced
	BytesBefore int64 // of the segments replaced
	BytesAfter  int64
	Dropped     int64 // records
}

// keyHash stands for a key: 128 bits of SHA-256, so that no two keys meet by chance or by intent.
type keyHash [16]byte

func hashKey(key []byte) keyHash {
	sum := sha256.Sum256(key)
	return keyHash(sum[:16])
}

// compaction is one pass over the closed segments of a log.
//
// A pass learns the newest offset of every key in the dirty range [from, mapEnd) and rewrites the segments from the log's beginning
// up to mapEnd without the records that a newer one replaces. Below from each key is there once already, so the map of the dirty
// range is enough. The pass ends early where the map is full; mapEnd always is a batch boundary.
type compaction struct {
	log  *Log
	ctx  context.Context
	now  int64
	opts Options

	segs   []*segment // closed, durable, decided; each with a reference
	sizes  []int64    // of segs
	end    int64      // offset after segs
	start  int64      // log start: records before it go
	from   int64
	mapEnd int64

	keys      map[keyHash]int64
	aborted   map[int64][]AbortedTxn // by producer
	lastBatch map[int64]int64        // producer → last offset of its newest batch, which keeps its header for the sequence numbers

	verdicts []bool // of the records of the batch at hand

	holds   map[int64]bool // producers with data of a transaction kept, whose marker was not met yet
	horizon int64          // earliest time at which a kept tombstone or marker may go, 0 if there is none
	done    []AbortedTxn   // aborted transactions without data, whose marker waits for its time
	stats   CompactStats
}

// Compact rewrites closed segments of a log with Options.Compact so that of each key only the newest record stays. Offsets of the
// records kept, their order and their timestamps do not change. Records without a key are all kept. Nothing is done unless enough is
// dirty (Options.MinDirtyRatio) or a tombstone's time has come. Reads go on meanwhile; one in progress keeps the files it has.
//
// Never touched: the active segment, what is not yet durable and visible, anything from the last stable offset on, and segments with
// records younger than Options.MinCompactionLag.
func (l *Log) Compact(ctx context.Context, now time.Time) (CompactStats, error) {
	l.compactMu.Lock()
	defer l.compactMu.Unlock()
	var total CompactStats
	if !l.Options().Compact {
		return total, nil
	}
	l.saveCheckpoints()
	for more := true; more && total.Passes < maxCompactionPasses; {
		c := l.planCompaction(ctx, now, total.Passes > 0)
		if c == nil {
			return total, nil
		}
		err := c.run()
		releaseAll(c.segs)
		total.Passes++
		total.add(c.stats)
		if err != nil {
			return total, fmt.Errorf("compacting %s: %w", l.dir, err)
		}
		more = c.mapEnd < c.end
	}
	return total, nil
}

func (s *CompactStats) add(t CompactStats) {
	s.Rewritten += t.Rewritten
	s.BytesBefore += t.BytesBefore
	s.BytesAfter += t.BytesAfter
	s.Dropped += t.Dropped
}

// planCompaction decides whether a pass is due and takes references to its segments. eager goes on with what a pass before left.
func (l *Log) planCompaction(ctx context.Context, now time.Time, eager bool) *compaction {
	l.swapMu.Lock()
	state := l.compacted
	l.swapMu.Unlock()
	lastBatch := l.lastBatches()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.failed != nil {
		return nil
	}
	c := &compaction{log: l, ctx: ctx, now: now.UnixMilli(), opts: l.opts, start: l.start, lastBatch: lastBatch, holds: map[int64]bool{}}
	n := l.cleanable(c.now)
	if n == 0 {
		return nil
	}
	c.end = l.segments[n].base
	c.from = min(max(state.cleanUntil, l.segments[0].base), c.end)
	var total, dirty int64
	for _, s := range l.segments[:n] {
		total += s.size
		if s.end > c.from {
			dirty += s.size
		}
	}
	due := state.horizon > 0 && c.now >= state.horizon || l.overdue(l.segments[:n], c.from, c.now)
	if !due && (dirty == 0 || !eager && float64(dirty) < c.opts.MinDirtyRatio*float64(total)) {
		return nil
	}
	c.aborted = map[int64][]AbortedTxn{}
	for _, a := range l.txns.aborted {
		c.aborted[a.ProducerID] = append(c.aborted[a.ProducerID], a)
	}
	for _, s := range l.segments[:n] {
		s.acquire()
		c.segs, c.sizes = append(c.segs, s), append(c.sizes, s.size)
	}
	return c
}

// lastBatches maps each producer to the last offset of its newest batch.
func (l *Log) lastBatches() map[int64]int64 {
	l.appendMu.Lock()
	defer l.appendMu.Unlock()
	out := make(map[int64]int64, len(l.producers))
	for id, p := range l.producers {
		if n := len(p.batches); n > 0 {
			out[id] = p.batches[n-1].lastOffset
		}
	}
	return out
}

// overdue reports whether a dirty segment was begun longer than MaxCompactionLag ago. Caller holds mu.
func (l *Log) overdue(segs []*segment, from, nowMs int64) bool {
	lag := l.opts.MaxCompactionLag.Milliseconds()
	for _, s := range segs {
		if lag > 0 && s.end > from && s.firstMs > 0 && nowMs-s.firstMs > lag {
			return true
		}
	}
	return false
}

// cleanable counts the leading segments a pass may touch. Caller holds mu.
func (l *Log) cleanable(nowMs int64) int {
	stable, lag := l.stable(), l.opts.MinCompactionLag.Milliseconds()
	n := 0
	for ; n < l.droppable(); n++ {
		s := l.segments[n]
		if l.segments[n+1].base > min(stable, l.durable) || (lag > 0 && max(s.maxTs, s.firstMs) > nowMs-lag) || l.isUnsynced(s) {
			break
		}
	}
	return n
}

// isUnsynced reports whether a closed segment still waits for its fsync. Caller holds mu.
func (l *Log) isUnsynced(s *segment) bool {
	for _, u := range l.unsynced {
		if u == s {
			return true
		}
	}
	return false
}

// run does the pass: learn the keys, rewrite group after group, note how far it got.
func (c *compaction) run() error {
	if err := c.learn(); err != nil {
		return err
	}
	for i := 0; i < len(c.segs) && c.segs[i].base < c.mapEnd; {
		n := c.groupAt(i)
		if err := c.rewrite(i, n); err != nil {
			return err
		}
		i += n
	}
	return c.log.finishPass(c)
}

// groupAt counts the segments from number i on that together still fit one segment; they become one.
func (c *compaction) groupAt(i int) int {
	n, size := 1, c.sizes[i]
	for ; i+n < len(c.segs) && c.segs[i+n].base < c.mapEnd; n++ {
		size += c.sizes[i+n]
		if size > c.opts.SegmentBytes || c.endOf(i+n)-c.segs[i].base > 1<<31 {
			break
		}
	}
	return n
}

// endOf is the offset after segment number i of the pass.
func (c *compaction) endOf(i int) int64 {
	if i+1 < len(c.segs) {
		return c.segs[i+1].base
	}
	return c.end
}

// learn fills the map from the dirty range and sets mapEnd.
func (c *compaction) learn() error {
	c.keys = map[keyHash]int64{}
	c.mapEnd = c.end
	for i, s := range c.segs {
		if c.endOf(i) <= c.from {
			continue
		}
		err := c.eachBatch(i, func(h *Header, batch []byte) error {
			if h.LastOffset() < c.from || h.Control() || h.NumRecords == 0 || c.isAborted(h) {
				return nil
			}
			if len(c.keys) >= c.opts.CompactionKeys {
				c.mapEnd = h.BaseOffset
				return errStopScan
			}
			body, err := decompress(h.Compression(), batch[HeaderSize:])
			if err != nil {
				return nil // such batches are kept as they are
			}
			return eachRaw(body, h, func(r *rawRecord) error {
				if r.hasKey {
					c.keys[hashKey(r.key)] = h.BaseOffset + r.offsetDelta
				}
				return nil
			})
		})
		if err != nil {
			return fmt.Errorf("reading keys of segment %d: %w", s.base, err)
		}
		if c.mapEnd < c.end {
			break
		}
	}
	return nil
}

// isAborted reports whether a data batch belongs to an aborted transaction. All transactions below the stable offset are decided.
func (c *compaction) isAborted(h *Header) bool {
	if !h.Transactional() {
		return false
	}
	for _, a := range c.aborted[h.ProducerID] {
		if a.First <= h.BaseOffset && h.BaseOffset < a.Last {
			return true
		}
	}
	return false
}

// eachBatch calls fn for every batch of segment number i, verified, and insists on reaching the segment's end: what does not read
// back must not be dropped as if it were old. fn may stop with errStopScan.
func (c *compaction) eachBatch(i int, fn func(h *Header, batch []byte) error) error {
	s, size := c.segs[i], c.sizes[i]
	var read int64
	stopped := false
	err := scanBatches(s.file, 0, size, func(h *Header, batch []byte) error {
		if crc32.Checksum(batch[posAttributes:], castagnoli) != h.CRC {
			return fmt.Errorf("%w: batch at offset %d fails its checksum", ErrCorrupt, h.BaseOffset)
		}
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if c.log.stopping.Load() {
			return ErrClosed
		}
		read += int64(h.Length)
		err := fn(h, batch)
		stopped = err == errStopScan
		return err
	})
	if err == nil && !stopped && read != size {
		err = fmt.Errorf("%w: segment %d reads to %d of %d bytes", ErrCorrupt, s.base, read, size)
	}
	return err
}
