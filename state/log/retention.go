package log

import (
	"fmt"
	"time"
)

// ApplyRetention drops closed segments that are too old or too many, forgets idle producers, and frees unused index memory. It
// never drops the active segment nor anything not yet visible. It returns the number of segments dropped.
func (l *Log) ApplyRetention(now time.Time) (int, error) {
	l.rollAged(now)
	l.saveCheckpoints()
	l.swapMu.Lock()
	defer l.swapMu.Unlock()
	l.mu.Lock()
	if l.closed || l.failed != nil {
		l.mu.Unlock()
		return 0, nil
	}
	n := l.expired(now)
	dropped, err := l.dropFront(n)
	segs, _ := l.candidates(func(*segment) bool { return true })
	idle := l.opts.ProducerExpiry
	l.mu.Unlock()
	for _, s := range segs {
		s.forget()
	}
	releaseAll(segs)
	l.appendMu.Lock()
	l.expireProducers(now, idle)
	l.appendMu.Unlock()
	return dropped, err
}

// saveCheckpoints writes the checkpoints still waiting for their segments to be synced. Segments are dropped only after that: what
// they say about producers and open transactions must not exist in memory alone.
func (l *Log) saveCheckpoints() {
	l.mu.RLock()
	waiting := len(l.unsynced) > 0
	l.mu.RUnlock()
	if waiting {
		_ = l.Sync() // a failure stops the log, which then drops nothing
	} else { // a sync in progress may have taken them along
		l.awaitSync()
	}
}

// awaitSync returns when no sync is in progress.
func (l *Log) awaitSync() {
	l.syncMu.Lock()
	defer l.syncMu.Unlock()
}

// rollAged closes an active segment that is past SegmentAge, wholly past RetentionAge, or due for compaction, so that a quiet log is cleaned too.
func (l *Log) rollAged(now time.Time) {
	l.appendMu.Lock()
	defer l.appendMu.Unlock()
	l.mu.RLock()
	if l.closed || l.failed != nil {
		l.mu.RUnlock()
		return
	}
	s, o, next := l.active(), l.opts, l.next
	ageMs := now.UnixMilli() - s.firstMs
	roll := s.size > 0 && s.firstMs > 0 && ((o.SegmentAge > 0 && ageMs > o.SegmentAge.Milliseconds()) ||
		(o.RetentionAge > 0 && ageMs > o.RetentionAge.Milliseconds()) ||
		(o.Compact && o.MaxCompactionLag > 0 && ageMs > o.MaxCompactionLag.Milliseconds()))
	l.mu.RUnlock()
	if !roll {
		return
	}
	if _, err := l.roll(next); err == nil {
		l.committer.mark(l)
	}
}

// expired counts the leading segments retention may drop. Age counts from the newest record or the arrival of the segment's first
// batch, whichever is later: replayed history with old timestamps is not dropped as soon as it is written. Caller holds mu.
func (l *Log) expired(now time.Time) int {
	o := &l.opts
	var total int64
	for _, s := range l.segments {
		total += s.size
	}
	limit := l.droppable()
	n := 0
	for ; n < limit; n++ {
		s := l.segments[n]
		newest := max(s.maxTs, s.firstMs)
		old := o.RetentionAge > 0 && now.UnixMilli()-newest > o.RetentionAge.Milliseconds()
		big := o.RetentionBytes > 0 && total-s.size >= o.RetentionBytes
		if !old && !big {
			break
		}
		total -= s.size
	}
	return n
}

// droppable counts the leading segments that are closed and wholly visible. Caller holds mu.
func (l *Log) droppable() int {
	n := 0
	for n < len(l.segments)-1 && l.segments[n+1].base <= l.hw {
		n++
	}
	return n
}

// dropFront removes the first n segments. Caller holds mu.
func (l *Log) dropFront(n int) (int, error) {
	if l.failed != nil {
		return 0, l.failed
	}
	for i, s := range l.segments[:n] {
		if err := s.unlink(); err != nil {
			l.segments = append([]*segment(nil), l.segments[i:]...)
			return i, err
		}
		s.release()
	}
	if n > 0 {
		l.segments = append([]*segment(nil), l.segments[n:]...)
		l.start = max(l.start, l.segments[0].base)
		l.afterStart()
	}
	return n, nil
}

// afterStart drops what only described offsets before the new start. Caller holds mu.
func (l *Log) afterStart() {
	l.txns.trim(l.start)
	for len(l.epochs) > 1 && l.epochs[1].start <= l.start {
		l.epochs = l.epochs[1:]
	}
}

// DeleteBefore moves the log start to offset (protocol: DeleteRecords) and removes segments wholly before it. offset -1 means the
// high watermark. It returns the new start, which survives a restart.
func (l *Log) DeleteBefore(offset int64) (int64, error) {
	l.swapMu.Lock()
	defer l.swapMu.Unlock()
	l.appendMu.Lock()
	defer l.appendMu.Unlock()
	l.mu.Lock()
	if l.failed != nil {
		defer l.mu.Unlock()
		return 0, l.failed
	}
	if offset == -1 {
		offset = l.hw
	}
	if offset < 0 || offset > l.hw {
		defer l.mu.Unlock()
		return 0, fmt.Errorf("%w: cannot delete before %d, high watermark is %d", ErrOffsetOutOfRange, offset, l.hw)
	}
	if offset <= l.start {
		defer l.mu.Unlock()
		return l.start, nil
	}
	next, empties, behind := l.next, offset == l.next && l.active().size > 0, offset > l.durable
	l.mu.Unlock()
	if behind { // start ≤ durable, or a power cut could leave a start offset beyond the end
		if err := l.Sync(); err != nil {
			return 0, err
		}
	}
	if err := l.writeStart(offset); err != nil {
		return 0, fmt.Errorf("persisting log start: %w", err)
	}
	if empties { // every record goes, so let the file go too
		if _, err := l.roll(next); err != nil {
			return 0, err
		}
	}
	l.saveCheckpoints()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.start = max(l.start, offset)
	n := 0
	for limit := l.droppable(); n < limit && l.segments[n+1].base <= offset; n++ {
	}
	_, err := l.dropFront(n)
	l.afterStart()
	return l.start, err
}
