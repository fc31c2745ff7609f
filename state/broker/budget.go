package broker

import "sync"

// byteBudget bounds the bytes of requests in flight. Readers wait for room, which pushes back on the senders.
type byteBudget struct {
	mu     sync.Mutex
	freed  sync.Cond
	limit  int64
	used   int64 // guarded by mu; used ≤ limit
	closed bool  // guarded by mu
}

func (b *byteBudget) init(limit int64) {
	b.limit = limit
	b.freed.L = &b.mu
}

// take waits for n bytes. A request larger than the whole budget takes all of it. It returns what to give back, and false when the
// broker closes.
func (b *byteBudget) take(n int64) (int64, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n = min(n, b.limit)
	for b.used+n > b.limit && !b.closed {
		b.freed.Wait()
	}
	if b.closed {
		return 0, false
	}
	b.used += n
	return n, true
}

// tryTake is take that does not wait.
func (b *byteBudget) tryTake(n int64) (int64, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n = min(n, b.limit)
	if b.closed || b.used+n > b.limit {
		return 0, false
	}
	b.used += n
	return n, true
}

func (b *byteBudget) give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n
	b.freed.Broadcast()
}

func (b *byteBudget) inUse() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

func (b *byteBudget) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.freed.Broadcast()
}
