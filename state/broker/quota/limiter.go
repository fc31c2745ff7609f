package quota

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Window is how many seconds of a rate may be taken at once: Kafka looks at the average of the last ten.
	Window = 10
	// maxRequestThrottle bounds how long somebody over a request percentage is held back at a time.
	maxRequestThrottle = time.Second
	// maxBuckets bounds the clients remembered. Beyond it those whose buckets are full are forgotten, and if there are none the
	// newcomers are not limited.
	maxBuckets = 100_000
)

// Limiter holds clients to their limits. All methods are safe for concurrent use.
type Limiter struct {
	table atomic.Pointer[table]

	mu      sync.Mutex
	buckets map[bucketKey]*bucket // guarded by mu
}

type bucketKey struct {
	kind Kind
	who
}

// bucket holds the tokens of those who share a limit: at most Window seconds' worth, and below zero after somebody took more.
type bucket struct {
	tokens, rate float64
	at           time.Time
}

// NewLimiter makes one without limits.
func NewLimiter() *Limiter {
	l := &Limiter{buckets: map[bucketKey]*bucket{}}
	l.table.Store(newTable(nil))
	return l
}

// Set replaces all limits. Whoever is being held back is so no longer than his next request.
func (l *Limiter) Set(all map[Entity]Limits) { l.table.Store(newTable(maps.Clone(all))) }

// Charge takes amount from a client's allowance (bytes; seconds of processing for Request; a count for the others) and returns how
// long the client must be held back, 0 if it is within its limit.
func (l *Limiter) Charge(now time.Time, k Kind, user, client string, amount float64) time.Duration {
	return l.charge(now, k, who{user: user, client: client}, amount)
}

// ChargeConnection is Charge for a new connection from an address.
func (l *Limiter) ChargeConnection(now time.Time, ip string) time.Duration {
	return l.charge(now, Connect, who{ip: ip}, 1)
}

func (l *Limiter) charge(now time.Time, k Kind, w who, amount float64) time.Duration {
	t := l.table.Load()
	if !t.any[k] {
		return 0
	}
	rate, shared, ok := t.find(k, w)
	if !ok {
		return 0
	}
	if k == Request {
		rate /= 100
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(now, bucketKey{k, shared}, rate)
	if b == nil {
		return 0
	}
	b.refill(now, rate)
	b.tokens -= amount
	if b.tokens >= 0 {
		return 0
	}
	wait := time.Duration(min(-b.tokens/rate, 3600) * float64(time.Second))
	if k == Request {
		wait = min(wait, maxRequestThrottle)
	}
	return wait
}

// Burst is how much a client may take at once, false if it has no limit.
func (l *Limiter) Burst(k Kind, user, client string) (float64, bool) {
	t := l.table.Load()
	if !t.any[k] {
		return 0, false
	}
	rate, _, ok := t.find(k, who{user: user, client: client})
	return rate * Window, ok
}

// bucket finds or makes a bucket, nil if there are too many. Caller holds mu.
func (l *Limiter) bucket(now time.Time, key bucketKey, rate float64) *bucket {
	if b := l.buckets[key]; b != nil {
		return b
	}
	if len(l.buckets) >= maxBuckets {
		for k, b := range l.buckets {
			if b.refill(now, b.rate); b.tokens >= b.rate*Window {
				delete(l.buckets, k)
			}
		}
		if len(l.buckets) >= maxBuckets {
			return nil
		}
	}
	b := &bucket{tokens: rate * Window, rate: rate, at: now}
	l.buckets[key] = b
	return b
}

// refill adds what has come since the last time. A clock that goes back adds nothing.
func (b *bucket) refill(now time.Time, rate float64) {
	if d := now.Sub(b.at).Seconds(); d > 0 {
		b.tokens += d * rate
	}
	b.at, b.rate = now, rate
	b.tokens = min(b.tokens, rate*Window)
}
