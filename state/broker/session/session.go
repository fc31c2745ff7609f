package session

import (
	"math"
	"sync"
	"time"
)

// Key names a partition as the client did: by the topic's name up to Fetch version 12, by its id from 13 on; the other is zero.
type Key struct {
	Topic     string
	TopicID   [16]byte
	Partition int32
}

// Want is what a client asks of one partition.
type Want struct {
	FetchOffset      int64
	MaxBytes         int32
	LeaderEpoch      int32 // the client's idea of the current one, -1 for none
	LastFetchedEpoch int32 // -1: do not check for divergence
}

// entry is a partition of a session, in a ring whose order is the order of answering.
type entry struct {
	key        Key
	want       Want
	hw, start  int64 // last told to the client; hw -1: tell it again
	prev, next *entry
}

// Session is the state kept for one client. Everything below mu is guarded by it.
type Session struct {
	id      int32
	byID    bool // the client names topics by id
	created time.Time
	used    time.Time // guarded by Cache.mu
	size    int       // partitions; guarded by Cache.mu, for eviction

	mu      sync.Mutex
	epoch   int32 // of the request expected next
	entries map[Key]*entry
	ring    entry // sentinel
}

func newSession(id int32, byID bool, now time.Time) *Session {
	s := &Session{id: id, byID: byID, created: now, used: now, epoch: nextEpoch(0), entries: map[Key]*entry{}}
	s.ring.prev, s.ring.next = &s.ring, &s.ring
	return s
}

// nextEpoch counts up and begins again at 1, since 0 opens a session.
func nextEpoch(e int32) int32 {
	if e == math.MaxInt32 {
		return 1
	}
	return e + 1
}

// set adds a partition or changes what is wanted of it. Caller holds mu.
func (s *Session) set(k Key, w Want) {
	e := s.entries[k]
	if e == nil {
		e = &entry{key: k, hw: -1, start: -1}
		s.entries[k] = e
		s.append(e)
	}
	e.want = w
}

// forget removes a partition. Caller holds mu.
func (s *Session) forget(k Key) {
	if e := s.entries[k]; e != nil {
		delete(s.entries, k)
		e.prev.next, e.next.prev = e.next, e.prev
	}
}

// append puts an entry that is in no ring at the end. Caller holds mu.
func (s *Session) append(e *entry) {
	e.prev, e.next = s.ring.prev, &s.ring
	e.prev.next, s.ring.prev = e, e
}
