package opensearch

import "time"

// limits are how much is asked of the cluster at once.
type limits struct {
	docs     int // of a bulk request
	bytes    int // of a bulk request
	inFlight int // bulk requests
}

// Limits of adapting and of backing off.
const (
	minDocs      = 16
	minBytes     = 64 << 10
	rampSteps    = 10 // answers without overload that bring docs and bytes from nothing to the maximum
	inFlightStep = 8  // answers without overload per request in flight more
	backoffMin   = 50 * time.Millisecond
	backoffMax   = 10 * time.Second
)

// pacer adapts the limits: additive increase with every answer, halving when the cluster says that it is overloaded. It keeps what it
// has learnt from one epoch to the next. It belongs to the goroutine that delivers.
//
// Invariants: min <= current <= most for each of the three limits; pause == 0 or backoffMin <= pause <= backoffMax.
type pacer struct {
	most    limits
	current limits
	good    int           // answers without overload since inFlight last changed
	pause   time.Duration // before the next request; 0: none
}

func newPacer(most limits) *pacer {
	return &pacer{most: most, current: most}
}

// succeeded is told of an answer without overload.
func (p *pacer) succeeded() {
	p.pause = 0
	p.current.docs = min(p.most.docs, p.current.docs+max(1, p.most.docs/rampSteps))
	p.current.bytes = min(p.most.bytes, p.current.bytes+max(1, p.most.bytes/rampSteps))
	if p.good++; p.good >= inFlightStep {
		p.good = 0
		p.current.inFlight = min(p.most.inFlight, p.current.inFlight+1)
	}
}

// overloaded is told of an answer, or the lack of one, that asks for less.
func (p *pacer) overloaded() {
	p.good = 0
	p.current.docs = max(min(minDocs, p.most.docs), p.current.docs/2)
	p.current.bytes = max(min(minBytes, p.most.bytes), p.current.bytes/2)
	p.current.inFlight = max(1, p.current.inFlight/2)
	p.backOff()
}

// tooLarge is told of a request that was refused for its size.
func (p *pacer) tooLarge(bytes int) {
	p.current.bytes = max(min(minBytes, p.most.bytes), min(p.current.bytes, bytes)/2)
}

// backOff doubles the pause.
func (p *pacer) backOff() {
	p.pause = min(backoffMax, max(backoffMin, 2*p.pause))
}
