package broker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/millrace/millrace/state/log"
	"github.com/millrace/millrace/state/txn"
)

// txnTopic keeps transactional ids; its records are described in state/txn/FORMAT.md.
const txnTopic = "__transaction_state"

// txnService drives the transaction coordinator: it brings requests, time, and the outcome of appends and markers to it, and its
// answers back.
//
// Lock order: mu → groupService.mu. Whoever writes into a transaction's group does so under mu, after asking the coordinator, so
// that the write comes before the end of the transaction or not at all.
type txnService struct {
	b       *Broker
	journal *journal
	markers sync.WaitGroup // marker writers under way

	mu      sync.Mutex
	c       *txn.Coordinator               // guarded by mu
	next    txn.Ticket                     // guarded by mu
	waiting map[txn.Ticket]chan txn.Action // guarded by mu
	live    int                            // guarded by mu; records of the last snapshot
	stopped bool                           // guarded by mu
}

func startTxns(b *Broker) error {
	s := &txnService{
		b: b, waiting: map[txn.Ticket]chan txn.Action{},
		c: txn.New(txn.Options{NewProducerID: b.pids.take}),
	}
	if err := b.ensureInternalTopic(txnTopic, 1, internalTopicConfig()); err != nil {
		return err
	}
	tp := topicPartition{txnTopic, 0}
	records := 0
	err := b.readAll(tp, func(r *log.Record) error {
		records++
		return s.c.Replay(txn.Record{Key: r.Key, Value: r.Value})
	})
	if err != nil {
		return err
	}
	s.journal = startJournal(b, tp, records, s.appended)
	b.txns, b.transactions = s, s
	if err := s.adoptOpen(); err != nil {
		return err
	}
	s.mu.Lock()
	s.c.Start()
	s.settle()
	s.mu.Unlock()
	// Transactions that were decided before the crash end before the first client comes.
	s.markers.Wait()
	b.tasks.Go(func() { b.everyTick(s.tick) })
	return nil
}

func stopTxns(b *Broker, _ context.Context) {
	s := b.transactions
	if s == nil {
		return
	}
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.markers.Wait()
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
func (s *txnService) ask(f func(now time.Time, c *txn.Coordinator, tk txn.Ticket)) <-chan txn.Action {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := make(chan txn.Action, 1)
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

// answer waits for the reply to an ask; a stopping broker counts as an unavailable coordinator.
func (s *txnService) answer(ctx context.Context, ch <-chan txn.Action) txn.Reply {
	a, ok := await[txn.Action, txn.Reply](ctx, ch)
	if !ok {
		return txn.Reply{Code: txn.CoordinatorNotAvailable, Producer: txn.Producer{ID: -1, Epoch: -1}}
	}
	return a
}

// do runs a request that is answered at once.
func (s *txnService) do(f func(now time.Time, c *txn.Coordinator)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s.b.opts.Now(), s.c)
	s.settle()
}

func (s *txnService) tick() {
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
func (s *txnService) compact() {
	if !s.journal.needsSnapshot(s.live) {
		return
	}
	records, ok := s.c.Snapshot()
	if !ok {
		return
	}
	s.live = len(records)
	if s.journal.needsSnapshot(s.live) {
		s.journal.compact(txnRecords(records))
	}
}

func txnRecords(rs []txn.Record) []log.Record {
	out := make([]log.Record, len(rs))
	for i, r := range rs {
		out[i] = log.Record{Key: r.Key, Value: r.Value}
	}
	return out
}

func (s *txnService) appended(ids []uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		s.c.Appended(id, ok)
	}
	s.settle()
	s.compact() // under load this may be the only moment without appends under way
}

// settle carries out what the coordinator asks for. Caller holds mu.
func (s *txnService) settle() {
	for _, a := range s.c.Actions() {
		switch a := a.(type) {
		case txn.Append:
			s.journal.enqueue(a.ID, txnRecords(a.Records))
		case txn.WriteMarkers:
			if !s.stopped { // else the next start does it
				s.markers.Go(func() { s.writeMarkers(a) })
			}
		case txn.Reply:
			if ch := s.waiting[a.Ticket]; ch != nil {
				delete(s.waiting, a.Ticket)
				ch <- a
			}
		default:
			panic(fmt.Sprintf("transaction coordinator asks for %T", a))
		}
	}
}
