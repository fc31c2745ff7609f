package log

import "sort"

// unstableTxn is a transaction whose outcome readers may not rely on yet.
type unstableTxn struct {
	producerID int64
	first      int64 // offset of its first batch
	marker     int64 // offset of its marker, -1 while open
}

// AbortedTxn is a range readers of committed data must skip: batches of the producer from First up to the marker at Last.
type AbortedTxn struct {
	ProducerID  int64
	First, Last int64
}

// txnState is the transaction index of a log. Guarded by Log.mu.
type txnState struct {
	unstable []unstableTxn // ascending first
	aborted  []AbortedTxn  // ascending Last
}

// begin notes the first batch of a transaction; repeated calls for an open one change nothing.
func (t *txnState) begin(producerID, first int64) {
	for i := range t.unstable {
		if u := &t.unstable[i]; u.producerID == producerID && u.marker < 0 {
			return
		}
	}
	t.unstable = append(t.unstable, unstableTxn{producerID, first, -1})
}

// end notes a marker.
func (t *txnState) end(m Marker, marker int64) {
	for i := range t.unstable {
		u := &t.unstable[i]
		if u.producerID != m.ProducerID || u.marker >= 0 {
			continue
		}
		u.marker = marker
		if !m.Commit {
			t.aborted = append(t.aborted, AbortedTxn{m.ProducerID, u.first, marker})
		}
		return
	}
}

// settle drops the transactions whose marker is visible.
func (t *txnState) settle(hw int64) {
	kept := t.unstable[:0]
	for _, u := range t.unstable {
		if u.marker < 0 || u.marker >= hw {
			kept = append(kept, u)
		}
	}
	t.unstable = kept
}

// trim forgets aborted transactions wholly before start.
func (t *txnState) trim(start int64) {
	i := sort.Search(len(t.aborted), func(i int) bool { return t.aborted[i].Last >= start })
	t.aborted = append([]AbortedTxn(nil), t.aborted[i:]...)
}

// stable is the last stable offset. It is never before the start, even if the beginning of an open transaction has been deleted.
// Caller holds mu.
func (l *Log) stable() int64 {
	if len(l.txns.unstable) > 0 {
		return max(l.start, min(l.hw, l.txns.unstable[0].first))
	}
	return l.hw
}

// Aborted appends to dst the aborted transactions that overlap offsets from ≤ o < to.
func (l *Log) Aborted(dst []AbortedTxn, from, to int64) []AbortedTxn {
	l.mu.RLock()
	defer l.mu.RUnlock()
	a := l.txns.aborted
	for i := sort.Search(len(a), func(i int) bool { return a[i].Last >= from }); i < len(a); i++ {
		if a[i].First < to {
			dst = append(dst, a[i])
		}
	}
	return dst
}
