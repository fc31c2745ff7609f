package session

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Error is a protocol error code; 0 is success.
type Error int16

// The errors of sessions.
const (
	None         Error = 0
	NotFound     Error = 70  // the session was evicted or never was: the client sends everything again
	InvalidEpoch Error = 71  // a request was lost or repeated
	TopicIDError Error = 106 // the client changed between names and ids
)

// Defaults of Options.
const (
	defaultMaxSessions   = 1000
	defaultMaxPartitions = 1_000_000
	defaultEviction      = 2 * time.Minute
)

// Options bound a cache.
type Options struct {
	// MaxSessions is the number of sessions kept. Default 1000, as Kafka's max.incremental.fetch.session.cache.slots.
	MaxSessions int
	// MaxPartitions bounds the partitions of all sessions together. Default one million.
	MaxPartitions int
	// Eviction is how long a session is safe: it must go only if it has been idle, or has existed beside a larger newcomer, for
	// longer. Default 2 minutes.
	Eviction time.Duration
}

// Cache holds the sessions of a broker.
type Cache struct {
	opts Options

	mu         sync.Mutex
	sessions   map[int32]*Session // guarded by mu
	partitions int                // guarded by mu; the sum of sizes
	evicted    int64              // guarded by mu
}

// NewCache makes an empty cache.
func NewCache(o Options) *Cache {
	if o.MaxSessions == 0 {
		o.MaxSessions = defaultMaxSessions
	}
	if o.MaxPartitions == 0 {
		o.MaxPartitions = defaultMaxPartitions
	}
	if o.Eviction == 0 {
		o.Eviction = defaultEviction
	}
	return &Cache{opts: o, sessions: map[int32]*Session{}}
}

// Stats are numbers for operators.
type Stats struct {
	Sessions, Partitions int
	Evicted              int64
}

// Stats returns the numbers of this moment.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{len(c.sessions), c.partitions, c.evicted}
}

// Item is one partition of a request.
type Item struct {
	Key
	Want
}

// Open makes a session of a full request and returns its first round, or nil if there is no room: the client then goes on
// without one.
func (c *Cache) Open(now time.Time, byID bool, items []Item) *Round {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(items) == 0 || len(items) > c.opts.MaxPartitions || !c.makeRoom(now, len(items)) {
		return nil
	}
	id := rand.Int32()
	for id <= 0 || c.sessions[id] != nil {
		id = rand.Int32()
	}
	s := newSession(id, byID, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, it := range items {
		s.set(it.Key, it.Want)
	}
	c.sessions[id] = s
	c.resize(s, len(s.entries))
	return s.round(true)
}

// Continue applies an incremental request to its session and returns the round, nil and None if nothing is left in the session,
// which then ends.
func (c *Cache) Continue(now time.Time, id, epoch int32, r Change) (*Round, Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sessions[id]
	if s == nil {
		return nil, NotFound
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch != epoch {
		return nil, InvalidEpoch
	}
	if s.byID != r.ByID {
		return nil, TopicIDError
	}
	for _, it := range r.Items {
		s.set(it.Key, it.Want)
	}
	for _, k := range r.Forgotten {
		s.forget(k)
	}
	c.resize(s, len(s.entries))
	if len(s.entries) == 0 || c.partitions > c.opts.MaxPartitions {
		c.drop(s)
		if len(s.entries) > 0 {
			return nil, NotFound // grew too large: the client begins anew, without a session if need be
		}
		return nil, None
	}
	s.used = now
	s.epoch = nextEpoch(epoch)
	return s.round(false), None
}

// Change is what an incremental request says.
type Change struct {
	ByID      bool
	Items     []Item // new, or wanted differently
	Forgotten []Key
}

// Remove ends a session, if it is there.
func (c *Cache) Remove(id int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.sessions[id]; s != nil {
		c.drop(s)
	}
}

// drop takes a session out. Caller holds mu.
func (c *Cache) drop(s *Session) {
	delete(c.sessions, s.id)
	c.resize(s, 0)
}

// resize notes the size of a session. Caller holds mu.
func (c *Cache) resize(s *Session, size int) {
	c.partitions += size - s.size
	s.size = size
}

// makeRoom evicts sessions until one of that many partitions fits, or reports that it cannot. Caller holds mu.
func (c *Cache) makeRoom(now time.Time, size int) bool {
	for len(c.sessions) >= c.opts.MaxSessions || c.partitions+size > c.opts.MaxPartitions {
		victim := c.victim(now, size)
		if victim == nil {
			return false
		}
		c.drop(victim)
		c.evicted++
	}
	return true
}

// victim is the session idle for longest if that is long enough, or else the smallest of the old ones that a larger newcomer may
// replace. nil: nobody. Caller holds mu.
func (c *Cache) victim(now time.Time, size int) *Session {
	var idle, small *Session
	for _, s := range c.sessions {
		if now.Sub(s.used) > c.opts.Eviction && (idle == nil || s.used.Before(idle.used)) {
			idle = s
		}
		if s.size < size && now.Sub(s.created) > c.opts.Eviction && (small == nil || s.size < small.size) {
			small = s
		}
	}
	if idle != nil {
		return idle
	}
	return small
}
