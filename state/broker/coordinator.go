package broker

import (
	"context"
	"sync"
	"time"

	"github.com/millrace/millrace/state/log"
	"github.com/millrace/millrace/state/record"
)

// coordinatorTick is how often coordinators look at the clock: how late a timeout may be.
const coordinatorTick = 50 * time.Millisecond

// stateMachine is what the coordinators of groups and transactions have in common; neither has a lock, a clock or a file.
type stateMachine interface {
	Replay(r record.Record) error
	Tick(now time.Time)
	Appended(id uint64, ok bool)
	Snapshot() (records []record.Record, ok bool)
}

// coordinator drives a state machine of requests that are answered later: it brings requests, time and the outcome of appends to it,
// and lets settle carry out what it asks for. C is the machine, T its tickets, A its actions.
type coordinator[C stateMachine, T ~uint64, A any] struct {
	b       *Broker
	journal *journal
	settle  func() // carries out the machine's actions; called with mu held

	mu      sync.Mutex
	c       C            // guarded by mu
	next    T            // guarded by mu
	waiting map[T]chan A // guarded by mu
	live    int          // guarded by mu; records of the last snapshot
	stopped bool         // guarded by mu
}

func newCoordinator[C stateMachine, T ~uint64, A any](b *Broker, c C, settle func()) *coordinator[C, T, A] {
	return &coordinator[C, T, A]{b: b, c: c, settle: settle, waiting: map[T]chan A{}}
}

// replay feeds the machine what its topic holds, which is made if need be, and returns how many records that were. The journal starts later, so
// that the machine may be prepared in between.
func (s *coordinator[C, T, A]) replay(topic string) (topicPartition, int, error) {
	tp := topicPartition{topic, 0}
	if err := s.b.ensureInternalTopic(topic, 1, internalTopicConfig()); err != nil {
		return tp, 0, err
	}
	records := 0
	err := s.b.readAll(tp, func(r *log.Record) error {
		records++
		return s.c.Replay(record.Record{Key: r.Key, Value: r.Value})
	})
	return tp, records, err
}

// stop refuses new requests; finish then ends the journal and leaves those that wait without an answer.
func (s *coordinator[C, T, A]) stop() {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
}

func (s *coordinator[C, T, A]) finish() {
	s.journal.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ch := range s.waiting {
		close(ch)
	}
	clear(s.waiting)
}

// ask starts a request that is answered later, by one action on the channel; a closed channel means the broker is stopping.
// It does not block, so requests of one connection reach the machine in their order.
func (s *coordinator[C, T, A]) ask(f func(now time.Time, c C, tk T)) <-chan A {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := make(chan A, 1)
	if s.stopped {
		close(ch)
		return ch
	}
	s.next++
	s.waiting[s.next] = ch
	f(s.b.opts.Now(), s.c, s.next)
	s.settle()
	return ch
}

// do runs a request that is answered at once.
func (s *coordinator[C, T, A]) do(f func(now time.Time, c C)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s.b.opts.Now(), s.c)
	s.settle()
}

func (s *coordinator[C, T, A]) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	s.c.Tick(s.b.opts.Now())
	s.settle()
	s.compact()
}

// appended takes the outcome of appends from the journal.
func (s *coordinator[C, T, A]) appended(ids []uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		s.c.Appended(id, ok)
	}
	s.settle()
	s.compact() // under load this may be the only moment without appends under way
}

// compact replaces the journal by a snapshot of the state if it is mostly garbage and no appends are under way. Caller holds mu.
func (s *coordinator[C, T, A]) compact() {
	if !s.journal.needsSnapshot(s.live) {
		return
	}
	records, ok := s.c.Snapshot()
	if !ok {
		return
	}
	s.live = len(records)
	if s.journal.needsSnapshot(s.live) {
		s.journal.compact(logRecords(records))
	}
}

// reply passes an action to who waits for it. Caller holds mu.
func (s *coordinator[C, T, A]) reply(tk T, a A) {
	if ch := s.waiting[tk]; ch != nil {
		delete(s.waiting, tk)
		ch <- a
	}
}

func logRecords(rs []record.Record) []log.Record {
	out := make([]log.Record, len(rs))
	for i, r := range rs {
		out[i] = log.Record{Key: r.Key, Value: r.Value}
	}
	return out
}

// everyTick calls fn from time to time, until the broker closes.
func (b *Broker) everyTick(interval time.Duration, fn func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-b.ctx.Done():
			return
		case <-tick.C:
			fn()
		}
	}
}

// await waits for the answer to an ask. ok is false if the broker stops first.
func await[A, T any](ctx context.Context, ch <-chan A) (answer T, ok bool) {
	select {
	case a, open := <-ch:
		if open {
			answer, ok = any(a).(T)
		}
	case <-ctx.Done():
	}
	return answer, ok
}
