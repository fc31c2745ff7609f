package broker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/millrace/millrace/state/group"
	"github.com/millrace/millrace/state/log"
)

// offsetsTopic keeps committed offsets; its records are described in state/group/FORMAT.md.
const offsetsTopic = "__consumer_offsets"

// coordinatorTick is how often coordinators look at the clock: how late a timeout may be.
const coordinatorTick = 50 * time.Millisecond

// groupService drives the group coordinator: it brings requests, time and the outcome of appends to it, and its answers back.
type groupService struct {
	b       *Broker
	journal *journal

	mu      sync.Mutex
	c       *group.Coordinator                 // guarded by mu
	next    group.Ticket                       // guarded by mu
	waiting map[group.Ticket]chan group.Action // guarded by mu
	live    int                                // guarded by mu; records of the last snapshot
	stopped bool                               // guarded by mu
}

func startGroups(b *Broker) error {
	s := &groupService{
		b: b, waiting: map[group.Ticket]chan group.Action{},
		c: group.New(group.Options{NewMemberID: newMemberID}),
	}
	if err := b.ensureInternalTopic(offsetsTopic, 1, internalTopicConfig()); err != nil {
		return err
	}
	tp := topicPartition{offsetsTopic, 0}
	records := 0
	err := b.readAll(tp, func(r *log.Record) error {
		records++
		return s.c.Replay(group.Record{Key: r.Key, Value: r.Value})
	})
	if err != nil {
		return err
	}
	s.c.SetTopics(b.opts.Now(), b.topicMetas())
	s.c.Start(b.opts.Now())
	s.journal = startJournal(b, tp, records, s.appended)
	b.groups = s
	b.tasks.Go(func() { b.everyTick(s.tick) })
	return nil
}

// newMemberID makes an id that never comes twice, with the client's name in front for those who read it.
func newMemberID(clientID string) string {
	var id [16]byte
	rand.Read(id[:]) // never fails: the runtime stops the program instead
	return clientID + "-" + hex.EncodeToString(id[:])
}

// everyTick calls fn until the broker closes.
func (b *Broker) everyTick(fn func()) {
	tick := time.NewTicker(coordinatorTick)
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

func stopGroups(b *Broker, _ context.Context) {
	s := b.groups
	if s == nil {
		return
	}
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.journal.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ch := range s.waiting {
		close(ch)
	}
	clear(s.waiting)
}

// ask starts a request that is answered later, by one action on the channel; a closed channel means the broker is stopping.
// It does not block, so requests of one connection reach the coordinator in their order.
func (s *groupService) ask(f func(now time.Time, c *group.Coordinator, tk group.Ticket)) <-chan group.Action {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := make(chan group.Action, 1)
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
func (s *groupService) do(f func(now time.Time, c *group.Coordinator)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s.b.opts.Now(), s.c)
	s.settle()
}

func (s *groupService) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	s.c.Tick(s.b.opts.Now())
	s.settle()
	s.compact()
}

// compact replaces the journal by a snapshot of the state if it is mostly garbage and no appends are under way. Caller holds mu.
func (s *groupService) compact() {
	if !s.journal.needsSnapshot(s.live) {
		return
	}
	records, ok := s.c.Snapshot()
	if !ok {
		return
	}
	s.live = len(records)
	if s.journal.needsSnapshot(s.live) {
		s.journal.compact(groupRecords(records))
	}
}

func groupRecords(rs []group.Record) []log.Record {
	out := make([]log.Record, len(rs))
	for i, r := range rs {
		out[i] = log.Record{Key: r.Key, Value: r.Value}
	}
	return out
}

func (s *groupService) appended(ids []uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		s.c.Appended(id, ok)
	}
	s.settle()
	s.compact() // under load this may be the only moment without appends under way
}

// settle carries out what the coordinator asks for. Caller holds mu.
func (s *groupService) settle() {
	for _, a := range s.c.Actions() {
		switch a := a.(type) {
		case group.Append:
			s.journal.enqueue(a.ID, groupRecords(a.Records))
		case group.JoinReply:
			s.answer(a.Ticket, a)
		case group.SyncReply:
			s.answer(a.Ticket, a)
		case group.CommitReply:
			s.answer(a.Ticket, a)
		case group.ConsumerHeartbeatReply:
			s.answer(a.Ticket, a)
		case group.TxnDone:
			s.answer(a.Ticket, a)
		default:
			panic(fmt.Sprintf("group coordinator asks for %T", a))
		}
	}
}

// answer passes an action to who waits for it. Caller holds mu.
func (s *groupService) answer(tk group.Ticket, a group.Action) {
	if ch := s.waiting[tk]; ch != nil {
		delete(s.waiting, tk)
		ch <- a
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
