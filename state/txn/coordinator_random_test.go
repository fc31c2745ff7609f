package txn

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// session is a producer that does random things.
type session struct {
	p     Producer
	asked Ticket // unanswered request; 0 = none
	what  string // what it asked
}

// TestRandom lets two producers with one transactional id run into each other,
// with slow disks, failed markers and crashes, and checks after each step what
// must always hold: a decision that markers carried is never contradicted, an
// answered EndTxn has had its markers, epochs only rise.
func TestRandom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &random{t: t, w: newWorld(Options{}), decided: map[string]bool{}, written: map[int]Producer{}, best: noProducer}
		r.sessions = []*session{{p: noProducer}, {p: noProducer}}
		for range rapid.IntRange(20, 200).Draw(t, "steps") {
			r.step()
			r.settle()
		}
		r.quiesce()
	})
}

type random struct {
	t        *rapid.T
	w        *world
	sessions []*session
	best     Producer        // highest told so far
	decided  map[string]bool // marker producer/round → commit
	pending  []WriteMarkers
	held     []Append
	round    int // transactions begun
	// written has the transactions with data in their partition that no durable
	// marker ends, and who wrote them.
	written map[int]Producer
}

func (r *random) step() {
	s := rapid.SampledFrom(r.sessions).Draw(r.t, "session")
	switch rapid.IntRange(0, 9).Draw(r.t, "what") {
	case 0:
		r.ask(s, "init", func(tk Ticket) {
			r.w.c.Init(r.w.now, tk, InitRequest{Transactional: true, TransactionalID: "x", Timeout: time.Minute, Current: noProducer})
		})
	case 1, 2, 3:
		r.add(s)
	case 4, 5:
		r.end(s, rapid.Bool().Draw(r.t, "commit"))
	case 6, 7:
		r.disk()
	case 8:
		r.markers(rapid.Bool().Draw(r.t, "ok"))
		r.w.now = r.w.now.Add(time.Duration(rapid.IntRange(0, 30).Draw(r.t, "seconds")) * time.Second)
		r.w.c.Tick(r.w.now)
	case 9:
		if rapid.IntRange(0, 3).Draw(r.t, "crash") == 0 {
			r.crash()
		}
	}
}

func (r *random) ask(s *session, what string, f func(Ticket)) {
	if s.asked != 0 {
		return
	}
	s.asked, s.what = r.w.next(what), what
	f(s.asked)
}

// open is the number of the open transaction, 0 if there is none.
func (r *random) open() int {
	if x := r.w.c.txns["x"]; x != nil && x.state == Ongoing {
		return int(x.sortedPartitions()[0].Partition)
	}
	return 0
}

// add gives every transaction a partition number of its own, so that markers
// tell which one they end.
func (r *random) add(s *session) {
	if s.asked != 0 {
		return
	}
	n := r.open()
	if n == 0 {
		r.round++
		n = r.round
	}
	r.ask(s, fmt.Sprint("add ", n), func(tk Ticket) { r.w.c.Add(r.w.now, tk, "x", s.p, []Partition{{"t", int32(n)}}, nil) })
}

func (r *random) end(s *session, commit bool) {
	what := "abort"
	if commit {
		what = "commit"
	}
	if n := r.open(); n != 0 {
		what = fmt.Sprint(what, " ", n)
	}
	r.ask(s, what, func(tk Ticket) { r.w.c.End(r.w.now, tk, "x", s.p, commit, false) })
}

func (r *random) settle() {
	for {
		actions := r.w.c.Actions()
		if len(actions) == 0 {
			return
		}
		for _, a := range actions {
			switch a := a.(type) {
			case Append:
				r.held = append(r.held, a)
			case WriteMarkers:
				r.decide(a)
			case Reply:
				r.answer(a)
			}
		}
	}
}

// decide checks that a transaction's markers never change their mind, and that
// the decision is durable before they go out.
func (r *random) decide(m WriteMarkers) {
	r.pending = append(r.pending, m)
	if len(m.Partitions) != 1 {
		r.t.Fatalf("markers to %v: transactions got mixed up", m.Partitions)
	}
	key := fmt.Sprint(m.Partitions)
	if was, ok := r.decided[key]; ok && was != m.Commit {
		r.t.Fatalf("markers of %s: first commit=%v, now commit=%v", key, was, m.Commit)
	}
	r.decided[key] = m.Commit
	for n, p := range r.written { // really all are in one partition
		if n > int(m.Partitions[0].Partition) && p.ID == m.Producer.ID && p.Epoch <= m.Producer.Epoch {
			r.t.Fatalf("markers of %s would end transaction %d", key, n)
		}
	}
	again := New(r.w.opts)
	for _, rec := range r.w.log {
		if err := again.Replay(rec); err != nil {
			r.t.Fatal(err)
		}
	}
	if x := again.txns["x"]; x == nil || !x.state.preparing() {
		r.t.Fatalf("markers of %s before the decision was durable", key)
	}
}

func (r *random) answer(a Reply) {
	for _, s := range r.sessions {
		if s.asked != a.Ticket {
			continue
		}
		s.asked = 0
		if a.Code != None {
			return
		}
		if s.what == "init" {
			if a.Producer.ID < r.best.ID || a.Producer.ID == r.best.ID && a.Producer.Epoch <= r.best.Epoch {
				r.t.Fatalf("told %v after %v", a.Producer, r.best)
			}
			r.best, s.p = a.Producer, a.Producer
		}
		var what string
		var round int
		if n, _ := fmt.Sscan(s.what, &what, &round); n == 2 && what == "add" {
			if _, done := r.decided[fmt.Sprint([]Partition{{"t", int32(round)}})]; !done {
				r.written[round] = s.p
			}
		} else if n == 2 {
			key := fmt.Sprint([]Partition{{"t", int32(round)}})
			if commit, ok := r.decided[key]; !ok || commit != (what == "commit") {
				r.t.Fatalf("%s answered, markers say %v %v", s.what, commit, ok)
			}
		}
		return
	}
	r.t.Fatalf("ticket %d answered, nobody waits for it", a.Ticket)
}

func (r *random) disk() {
	held := r.held
	r.held = nil
	for _, h := range held {
		r.w.log = append(r.w.log, h.Records...)
		r.w.c.Appended(h.ID, true)
		r.settle()
	}
}

func (r *random) markers(ok bool) {
	pending := r.pending
	r.pending = nil
	for _, m := range pending {
		if ok {
			delete(r.written, int(m.Partitions[0].Partition))
		}
		r.w.c.MarkersWritten(r.w.now, m.TransactionalID, ok)
	}
}

func (r *random) crash() {
	r.held, r.pending = nil, nil
	for _, s := range r.sessions {
		s.asked = 0
	}
	r.w.replay(nil)
	for n, p := range r.written {
		if !r.w.c.Adopt(r.w.now, p, &Partition{"t", int32(n)}, "") {
			r.t.Fatalf("transaction %d of %v is nobody's", n, p)
		}
	}
	r.w.c.Start()
}

// quiesce: when disks work again, every request has its answer and no
// transaction stays open.
func (r *random) quiesce() {
	for range 10 {
		r.settle()
		r.disk()
		r.settle()
		r.markers(true)
		r.settle()
		r.w.now = r.w.now.Add(time.Minute)
		r.w.c.Tick(r.w.now)
	}
	for _, s := range r.sessions {
		if s.asked != 0 {
			r.t.Fatalf("%s was never answered", s.what)
		}
	}
	if len(r.written) > 0 {
		r.t.Fatalf("transactions that never end: %v", r.written)
	}
	if x := r.w.c.txns["x"]; x != nil && (x.state == Ongoing || x.state.preparing()) {
		r.t.Fatalf("transaction stays %v", x.state)
	}
}
