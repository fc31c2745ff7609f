package log

import "fmt"

// TimestampOffset is the answer to a look-up by time. Offset is -1 if nothing matches.
type TimestampOffset struct {
	Offset      int64
	TimestampMs int64
	LeaderEpoch int32
}

var noTimestamp = TimestampOffset{-1, -1, -1}

// OffsetForTime finds the first visible record with a timestamp ≥ ts.
func (l *Log) OffsetForTime(ts int64, iso Isolation) (TimestampOffset, error) {
	l.mu.RLock()
	start, bound := l.start, l.bound(iso)
	segs, sizes := l.candidates(func(s *segment) bool { return s.maxTs >= ts && s.end > start })
	l.mu.RUnlock()
	defer releaseAll(segs)
	for i, s := range segs {
		pos, err := s.lookupTime(ts, sizes[i])
		if err != nil {
			return noTimestamp, err
		}
		found, err := l.scanForTime(s, pos, sizes[i], timeQuery{ts, start, bound})
		if err != nil || found.Offset >= 0 {
			return found, err
		}
	}
	return noTimestamp, nil
}

// OffsetOfMaxTime finds the visible record with the largest timestamp; the first of them if there are several.
func (l *Log) OffsetOfMaxTime(iso Isolation) (TimestampOffset, error) {
	l.mu.RLock()
	newest := int64(-1)
	for _, s := range l.segments {
		newest = max(newest, s.maxTs)
	}
	l.mu.RUnlock()
	if newest < 0 {
		return noTimestamp, nil
	}
	return l.OffsetForTime(newest, iso)
}

// candidates collects segments with a reference each. Caller holds mu.
func (l *Log) candidates(keep func(*segment) bool) (segs []*segment, sizes []int64) {
	for _, s := range l.segments {
		if keep(s) {
			s.acquire()
			segs, sizes = append(segs, s), append(sizes, s.size)
		}
	}
	return segs, sizes
}

func releaseAll(segs []*segment) {
	for _, s := range segs {
		s.release()
	}
}

// timeQuery asks for the first record with offset in [start, bound) and timestamp ≥ ts.
type timeQuery struct {
	ts, start, bound int64
}

func (l *Log) scanForTime(s *segment, pos, size int64, q timeQuery) (TimestampOffset, error) {
	found := noTimestamp
	err := scanHeaders(s.file, pos, size, func(h *Header, at int64) error {
		if h.BaseOffset >= q.bound {
			return errStopScan
		}
		if h.MaxTimestamp < q.ts || h.LastOffset() < q.start || h.Control() {
			return nil
		}
		batch := make([]byte, h.Length)
		if _, err := readAtMost(s.file, batch, at, size); err != nil {
			return err
		}
		found = firstInBatch(h, batch, q)
		if found.Offset < 0 {
			return nil
		}
		return errStopScan
	})
	if err != nil && err != errStopScan {
		return noTimestamp, fmt.Errorf("searching segment %d by time: %w", s.base, err)
	}
	return found, nil
}

// firstInBatch finds the record inside a batch. A batch that cannot be opened answers with its first offset, which is never too
// late: the reader gets a few older records in front.
func firstInBatch(h *Header, batch []byte, q timeQuery) TimestampOffset {
	found := noTimestamp
	err := EachRecord(batch, func(r *Record) error {
		if r.TimestampMs >= q.ts && r.Offset >= q.start {
			found = TimestampOffset{r.Offset, r.TimestampMs, h.LeaderEpoch}
			return errStopScan
		}
		return nil
	})
	if err != nil && err != errStopScan {
		return TimestampOffset{max(h.BaseOffset, q.start), h.MaxTimestamp, h.LeaderEpoch}
	}
	return found
}

// TimestampAt is the timestamp of the batch that holds offset, or of the first visible one after it: its largest, in milliseconds.
// It reads headers only. false: there is none, or it cannot be read.
func (l *Log) TimestampAt(offset int64) (int64, bool) {
	seg, size, bound, err := l.segmentFor(offset, ReadOptions{})
	if err != nil || seg == nil {
		return 0, false
	}
	defer seg.release()
	pos, err := seg.lookup(offset, size)
	if err != nil {
		return 0, false
	}
	pos, h, err := seg.seek(nil, pos, offset, size)
	if err != nil || pos < 0 || h.BaseOffset >= bound {
		return 0, false
	}
	return h.MaxTimestamp, true
}
