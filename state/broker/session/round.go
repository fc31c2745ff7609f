package session

// Round is one request of a session: the partitions it fetches, in the order of answering, and the way to note what is answered.
type Round struct {
	s       *Session
	epoch   int32 // the session's when the round began; another one since means that the client sent again
	full    bool  // the answer to an opening request holds every partition
	entries []*entry
	wants   []Want
}

// round begins one. Caller holds mu.
func (s *Session) round(full bool) *Round {
	r := &Round{s: s, epoch: s.epoch, full: full, entries: make([]*entry, 0, len(s.entries)), wants: make([]Want, 0, len(s.entries))}
	for e := s.ring.next; e != &s.ring; e = e.next {
		r.entries = append(r.entries, e)
		r.wants = append(r.wants, e.want)
	}
	return r
}

// ID is the id of the session.
func (r *Round) ID() int32 { return r.s.id }

// Len is the number of partitions.
func (r *Round) Len() int { return len(r.entries) }

// Item is partition i.
func (r *Round) Item(i int) Item { return Item{r.entries[i].key, r.wants[i]} }

// Superseded reports that the session has gone on to a later request: this one is answered with InvalidEpoch.
func (r *Round) Superseded() bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.s.epoch != r.epoch
}

// Answer is what is known of a partition when the answer is made.
type Answer struct {
	HighWatermark, Start int64
	Records              bool // there are some to send
	Told                 bool // an error or something else that must be said in any case
	Failed               bool // it is an error: say so, or that it is over, next time too
}

// Note records the answer for partition i and reports whether it must be in the response. A partition that gets records goes to the
// end, so that those behind it come first next time.
func (r *Round) Note(i int, a Answer) bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	e := r.entries[i]
	must := r.full || a.Records || a.Told || e.hw != a.HighWatermark || e.start != a.Start
	e.hw, e.start = a.HighWatermark, a.Start
	if a.Failed {
		e.hw = -1
		must = true
	}
	if a.Records && r.s.entries[e.key] == e && !r.full {
		e.prev.next, e.next.prev = e.next, e.prev
		r.s.append(e)
	}
	return must
}
