package log

import (
	"fmt"
	"sort"
	"time"
)

// rememberedBatches is how many of a producer's last batches are recognised when sent again; clients keep at most five in flight.
const rememberedBatches = 5

// producerBatch is what is remembered of one batch.
type producerBatch struct {
	firstSeq, lastSeq       int32
	firstOffset, lastOffset int64
}

// producer is the sequence state of one producer id in this partition. Guarded by Log.appendMu.
type producer struct {
	id       int64
	epoch    int16
	coordEp  int32           // epoch of the coordinator that wrote the last marker, -1 if none
	lastMs   int64           // newest activity, for expiry
	txnFirst int64           // first offset of the open transaction, -1 if none
	marked   int64           // offset of the last marker seen since opening, -1 if none
	batches  []producerBatch // oldest first, at most rememberedBatches
}

// lastSeq is the newest sequence number, -1 if nothing was written in this epoch.
func (p *producer) lastSeq() int32 {
	if len(p.batches) == 0 {
		return -1
	}
	return p.batches[len(p.batches)-1].lastSeq
}

// follows reports whether sequence next comes right after last; numbers wrap from 2^31-1 to 0.
func follows(last, next int32) bool {
	return next == last+1 || (last == 1<<31-1 && next == 0)
}

// checkProducer decides whether a client batch may be appended. dup is the earlier copy of it, or nil.
func (l *Log) checkProducer(h *Header, o *AppendOptions) (dup *producerBatch, err error) {
	p := l.producers[h.ProducerID]
	if p == nil {
		return nil, nil // unknown producers start anywhere: their history may have been deleted by retention
	}
	if h.ProducerEpoch < p.epoch {
		return nil, fmt.Errorf("%w: producer %d epoch %d, current %d", ErrProducerFenced, h.ProducerID, h.ProducerEpoch, p.epoch)
	}
	if dup, err = p.checkSequence(h); dup != nil || err != nil {
		return dup, err
	}
	return nil, p.checkTransaction(h, o)
}

// checkTransaction keeps a producer's open transaction in one piece: only its marker ends it. A batch outside it or of a raised epoch
// would otherwise move the producer past the marker, which would then be refused, and the transaction would stay open for ever.
func (p *producer) checkTransaction(h *Header, o *AppendOptions) error {
	switch {
	case p.txnFirst >= 0 && !h.Transactional():
		return fmt.Errorf("%w: plain batch inside a transaction of producer %d", ErrTxnState, h.ProducerID)
	case p.txnFirst >= 0 && h.ProducerEpoch > p.epoch:
		return fmt.Errorf("%w: producer %d sent epoch %d inside a transaction of epoch %d", ErrTxnState, h.ProducerID, h.ProducerEpoch, p.epoch)
	case p.txnFirst < 0 && h.Transactional() && o.TxnVerified && p.marked >= o.VerifiedAt:
		return fmt.Errorf("%w: the transaction of producer %d ended meanwhile", ErrTxnState, h.ProducerID)
	}
	return nil
}

// checkSequence compares a batch with those before it. The epoch is not older than the producer's.
func (p *producer) checkSequence(h *Header) (dup *producerBatch, err error) {
	if h.ProducerEpoch > p.epoch {
		if h.BaseSequence != 0 {
			return nil, fmt.Errorf("%w: producer %d starts epoch %d at %d", ErrSequenceGap, h.ProducerID, h.ProducerEpoch, h.BaseSequence)
		}
		return nil, nil
	}
	for i := range p.batches {
		if b := &p.batches[i]; b.firstSeq == h.BaseSequence && b.lastSeq == h.LastSequence() {
			return b, nil
		}
	}
	if last := p.lastSeq(); !follows(last, h.BaseSequence) {
		return nil, fmt.Errorf("%w: producer %d sent %d after %d", ErrSequenceGap, h.ProducerID, h.BaseSequence, last)
	}
	return nil, nil
}

// noteProducer records an appended client batch.
func (l *Log) noteProducer(h *Header, nowMs int64) {
	p := l.producerFor(h.ProducerID, h.ProducerEpoch)
	p.lastMs = nowMs
	if h.BaseSequence >= 0 {
		if len(p.batches) == rememberedBatches {
			p.batches = append(p.batches[:0], p.batches[1:]...)
		}
		p.batches = append(p.batches, producerBatch{h.BaseSequence, h.LastSequence(), h.BaseOffset, h.LastOffset()})
	}
	if h.opensTxn() && p.txnFirst < 0 {
		p.txnFirst = h.BaseOffset
	}
}

// noteMarker records a commit or abort marker at an offset.
func (l *Log) noteMarker(m Marker, offset, nowMs int64) {
	p := l.producerFor(m.ProducerID, m.ProducerEpoch)
	p.txnFirst, p.marked, p.coordEp, p.lastMs = -1, offset, m.CoordinatorEpoch, nowMs
}

// producerFor returns the state of a producer, moved to the given epoch. A newer epoch forgets the sequences of the older one.
func (l *Log) producerFor(id int64, epoch int16) *producer {
	p := l.producers[id]
	if p == nil {
		l.boundProducers()
		p = &producer{id: id, epoch: epoch, coordEp: -1, txnFirst: -1, marked: -1}
		l.producers[id] = p
	}
	if epoch > p.epoch {
		p.epoch, p.batches = epoch, p.batches[:0]
	}
	return p
}

// boundProducers makes room at MaxProducers by dropping the longest idle tenth, so that the scan is rare.
func (l *Log) boundProducers() {
	if len(l.producers) < MaxProducers {
		return
	}
	idle := make([]*producer, 0, len(l.producers))
	for _, p := range l.producers {
		if p.txnFirst < 0 {
			idle = append(idle, p)
		}
	}
	sort.Slice(idle, func(i, j int) bool { return idle[i].lastMs < idle[j].lastMs })
	for _, p := range idle[:min(len(idle), MaxProducers/10)] {
		delete(l.producers, p.id)
	}
}

// expireProducers forgets producers idle for longer than allowed and without an open transaction.
func (l *Log) expireProducers(now time.Time, idle time.Duration) {
	before := now.Add(-idle).UnixMilli()
	for id, p := range l.producers {
		if p.txnFirst < 0 && p.lastMs < before {
			delete(l.producers, id)
		}
	}
}

// ProducerInfo describes one producer known to the log.
type ProducerInfo struct {
	ID               int64
	Epoch            int16
	LastSequence     int32
	LastTimestampMs  int64
	CoordinatorEpoch int32
	TxnFirstOffset   int64 // -1 without an open transaction
}

// Producers lists the producers with sequence state, by id.
func (l *Log) Producers() []ProducerInfo {
	l.appendMu.Lock()
	defer l.appendMu.Unlock()
	out := make([]ProducerInfo, 0, len(l.producers))
	for _, p := range l.producers {
		out = append(out, ProducerInfo{p.id, p.epoch, p.lastSeq(), p.lastMs, p.coordEp, p.txnFirst})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}

// InTransaction reports whether the producer has a transaction open in this partition under that epoch.
func (l *Log) InTransaction(producerID int64, epoch int16) bool {
	l.appendMu.Lock()
	defer l.appendMu.Unlock()
	p := l.producers[producerID]
	return p != nil && p.txnFirst >= 0 && p.epoch == epoch
}
