package log

import (
	"errors"
	"fmt"
	"syscall"
)

// AppendOptions qualify one append. The zero value is a plain batch from a client in leader epoch 0.
type AppendOptions struct {
	LeaderEpoch int32
	// Control admits a control batch; without it a control batch is refused, since clients may not write markers.
	Control bool
	// Keyed refuses records without a key if the log is compacted: compaction could never replace them.
	Keyed bool
	// TxnVerified says that the coordinator found the batch's transaction open when the log ended at VerifiedAt. The batch does not
	// begin a transaction if a marker of its producer came since: nobody would ever end it.
	TxnVerified bool
	VerifiedAt  int64
}

// AppendResult says where a batch went.
type AppendResult struct {
	First, Last int64 // offsets of the first and last record
	TimestampMs int64 // broker time given to the batch, -1 if it kept its own
	Duplicate   bool  // the batch was there already; First and Last are of the earlier copy
}

// Append verifies one batch, gives it the next offsets and writes it. It patches base offset and leader epoch inside batch, which
// the caller may reuse afterwards. The batch is not durable yet: wait with WaitVisible(Last+1).
func (l *Log) Append(batch []byte, o AppendOptions) (AppendResult, error) {
	h, err := CheckBatch(batch)
	if err != nil {
		return AppendResult{}, err
	}
	if h.NumRecords == 0 || h.NumRecords != h.LastOffsetDelta+1 || h.Control() != o.Control {
		return AppendResult{}, fmt.Errorf("%w: %d records, last offset delta %d, attributes %#x",
			ErrInvalidBatch, h.NumRecords, h.LastOffsetDelta, h.Attributes)
	}
	if h.Transactional() && !h.HasProducer() {
		return AppendResult{}, fmt.Errorf("%w: transactional batch without a producer", ErrInvalidBatch)
	}
	l.appendMu.Lock()
	defer l.appendMu.Unlock()
	opts := l.Options()
	if int64(h.Length) > opts.MaxBatchBytes {
		return AppendResult{}, fmt.Errorf("%w: %d bytes, limit %d", ErrBatchTooLarge, h.Length, opts.MaxBatchBytes)
	}
	if o.Keyed && opts.Compact {
		if err := requireKeys(batch, &h); err != nil {
			return AppendResult{}, err
		}
	}
	marker, isMarker, dup, err := l.admit(batch, &h, &o)
	if err != nil {
		return AppendResult{}, err
	}
	if dup != nil {
		return AppendResult{First: dup.firstOffset, Last: dup.lastOffset, TimestampMs: -1, Duplicate: true}, nil
	}
	res := AppendResult{TimestampMs: -1}
	if opts.LogAppendTime && !h.Control() {
		res.TimestampMs = l.nowMs()
		stampAppendTime(batch, &h, res.TimestampMs)
	}
	if err := l.write(batch, &h, o.LeaderEpoch); err != nil {
		return AppendResult{}, nameDiskFull(err)
	}
	l.noteBatch(&h, marker, isMarker)
	if l.flushDue() {
		l.committer.mark(l)
	}
	res.First, res.Last = h.BaseOffset, h.LastOffset()
	return res, nil
}

// nameDiskFull makes an error of a full disk, or of a used-up quota, an ErrDiskFull. One that stopped the log stays what it is.
func nameDiskFull(err error) error {
	if (errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)) && !errors.Is(err, ErrFailed) {
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	}
	return err
}

// AppendMarker ends a producer's transaction in this partition. It is accepted from any epoch ≥ the producer's.
func (l *Log) AppendMarker(m Marker, leaderEpoch int32) (AppendResult, error) {
	if m.TimestampMs == 0 {
		m.TimestampMs = l.nowMs()
	}
	return l.Append(MarkerBatch(nil, m), AppendOptions{LeaderEpoch: leaderEpoch, Control: true})
}

// AppendRecord appends one record in a batch of its own and returns its offset. Meant for a log used as a journal.
func (l *Log) AppendRecord(key, value []byte) (int64, error) {
	rec := [1]Record{{TimestampMs: l.nowMs(), Key: key, Value: value}}
	res, err := l.Append(BuildBatch(make([]byte, 0, HeaderSize+len(key)+len(value)+32), rec[:], BatchOptions{}), AppendOptions{})
	return res.First, err
}

// admit checks the batch against its producer's history. Caller holds appendMu.
func (l *Log) admit(batch []byte, h *Header, o *AppendOptions) (m Marker, isMarker bool, dup *producerBatch, err error) {
	if h.Control() {
		m, isMarker, err = parseMarker(batch)
		if p := l.producers[h.ProducerID]; err == nil && p != nil && h.ProducerEpoch < p.epoch {
			err = fmt.Errorf("%w: marker of producer %d epoch %d, current %d", ErrProducerFenced, h.ProducerID, h.ProducerEpoch, p.epoch)
		}
		return m, isMarker, nil, err
	}
	if h.HasProducer() {
		dup, err = l.checkProducer(h, o)
	}
	return m, false, dup, err
}

// write puts the batch at the end of the active segment, rolling first if it is full. On return the header carries its offsets.
func (l *Log) write(batch []byte, h *Header, leaderEpoch int32) error {
	l.mu.RLock()
	if l.failed != nil {
		defer l.mu.RUnlock()
		return l.failed
	}
	seg, opts, next := l.active(), l.opts, l.next
	l.mu.RUnlock()
	if l.mustRoll(seg, opts, next, int64(h.Length)) {
		var err error
		if seg, err = l.roll(next); err != nil {
			return err
		}
	}
	h.BaseOffset, h.LeaderEpoch = next, leaderEpoch
	patchBatch(batch, next, leaderEpoch)
	pos := seg.size // only appends change it, and appendMu is held
	if _, err := seg.file.WriteAt(batch, pos); err != nil {
		err = fmt.Errorf("writing batch at offset %d: %w", next, err)
		if terr := seg.file.Truncate(pos); terr != nil {
			return l.fail(err)
		}
		return err // e.g. the disk is full: nothing of the batch is left, so the log stays usable
	}
	seg.note(h, pos)
	l.mu.Lock()
	defer l.mu.Unlock()
	seg.size = pos + int64(h.Length)
	seg.maxTs = max(seg.maxTs, h.MaxTimestamp)
	if seg.firstMs == 0 {
		seg.firstMs = l.nowMs()
	}
	seg.end = h.LastOffset() + 1
	l.next = seg.end
	l.noteEpoch(leaderEpoch, h.BaseOffset)
	if h.opensTxn() {
		l.txns.begin(h.ProducerID, h.BaseOffset)
	}
	return nil
}

// noteBatch updates producer and transaction state after a batch is in the log. Recovery calls it too.
func (l *Log) noteBatch(h *Header, m Marker, isMarker bool) {
	nowMs := h.MaxTimestamp
	switch {
	case isMarker:
		l.noteMarker(m, h.BaseOffset, nowMs)
		l.mu.Lock()
		l.txns.end(m, h.BaseOffset)
		l.mu.Unlock()
	case h.HasProducer() && !h.Control():
		l.noteProducer(h, max(nowMs, 0))
	}
}

// mustRoll reports whether the batch belongs into a new segment.
func (l *Log) mustRoll(seg *segment, o Options, next, length int64) bool {
	if seg.size == 0 {
		return false
	}
	aged := o.SegmentAge > 0 && seg.firstMs > 0 && l.nowMs()-seg.firstMs > o.SegmentAge.Milliseconds()
	return aged || seg.size+length > o.SegmentBytes || next-seg.base > 1<<31
}

// roll closes the active segment and opens the next one at offset next. The old file is fsynced by the next Sync, which also
// writes the checkpoint taken here. Caller holds appendMu.
func (l *Log) roll(next int64) (*segment, error) {
	seg, err := openSegment(l.dir, next)
	if err != nil {
		return nil, err
	}
	if seg.size > 0 { // left behind by a failed roll
		if err := seg.file.Truncate(0); err != nil {
			seg.release()
			return nil, fmt.Errorf("emptying segment %d: %w", next, err)
		}
		seg.size = 0
	}
	seg.index.loaded = true
	l.mu.Lock()
	old := l.active()
	old.acquire()
	l.unsynced = append(l.unsynced, old)
	l.segments = append(l.segments, seg)
	l.dirDirty = true
	l.pending = append(l.pending, snapshotFile{next, l.encodeSnapshot()})
	l.mu.Unlock()
	old.seal()
	return seg, nil
}
