package broker

import (
	"context"
	"fmt"
	"sync"

	"github.com/millrace/millrace/state/txn"
)

// txnTopic keeps transactional ids; its records are described in state/txn/FORMAT.md.
const txnTopic = "__transaction_state"

// txnService drives the transaction coordinator, and writes its markers.
//
// Lock order: mu → groupService.mu. Whoever writes into a transaction's group does so under mu, after asking the coordinator, so
// that the write comes before the end of the transaction or not at all.
type txnService struct {
	*coordinator[*txn.Coordinator, txn.Ticket, txn.Action]
	markers sync.WaitGroup // marker writers under way
}

func startTxns(b *Broker) error {
	s := &txnService{}
	s.coordinator = newCoordinator[*txn.Coordinator, txn.Ticket, txn.Action](b, txn.New(txn.Options{NewProducerID: b.pids.take}), s.settle)
	tp, records, err := s.replay(txnTopic)
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
	b.tasks.Go(func() { b.everyTick(coordinatorTick, s.tick) })
	return nil
}

func stopTxns(b *Broker, _ context.Context) {
	if s := b.transactions; s != nil {
		s.stop()
		s.markers.Wait()
		s.finish()
	}
}

// answer waits for the reply to an ask; a stopping broker counts as an unavailable coordinator.
func (s *txnService) answer(ctx context.Context, ch <-chan txn.Action) txn.Reply {
	a, ok := await[txn.Action, txn.Reply](ctx, ch)
	if !ok {
		return txn.Reply{Code: txn.CoordinatorNotAvailable, Producer: txn.Producer{ID: -1, Epoch: -1}}
	}
	return a
}

// settle carries out what the coordinator asks for. Caller holds mu.
func (s *txnService) settle() {
	for _, a := range s.c.Actions() {
		switch a := a.(type) {
		case txn.Append:
			s.journal.enqueue(a.ID, logRecords(a.Records))
		case txn.WriteMarkers:
			if !s.stopped { // else the next start does it
				s.markers.Go(func() { s.writeMarkers(a) })
			}
		case txn.Reply:
			s.reply(a.Ticket, a)
		default:
			panic(fmt.Sprintf("transaction coordinator asks for %T", a))
		}
	}
}
