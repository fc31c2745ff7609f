package broker

import (
	"errors"
	"time"

	"github.com/millrace/millrace/state/group"
	"github.com/millrace/millrace/state/log"
	"github.com/millrace/millrace/state/txn"
)

// writeMarkers ends a transaction in all partitions and groups it touched, and reports when that is durable and visible.
func (s *txnService) writeMarkers(m txn.WriteMarkers) {
	err := s.endEverywhere(m)
	if err != nil {
		s.b.opts.Logger.Error("ending transaction failed", "id", m.TransactionalID, "commit", m.Commit, "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.c.MarkersWritten(s.b.opts.Now(), m.TransactionalID, err == nil)
	s.settle()
}

func (s *txnService) endEverywhere(m txn.WriteMarkers) error {
	settled := s.b.groups.ask(func(_ time.Time, c *group.Coordinator, tk group.Ticket) {
		c.EndTxn(tk, m.Producer.ID, m.Groups, m.Commit)
	})
	// All partitions first, then the wait: one sync serves many.
	var tickets []ticket
	for _, p := range m.Partitions {
		t, err := s.b.appendControl(topicPartition{p.Topic, p.Partition}, log.Marker{
			ProducerID: m.Producer.ID, ProducerEpoch: m.Producer.Epoch, Commit: m.Commit,
		})
		switch {
		case errors.Is(err, ErrUnknownTopic), errors.Is(err, log.ErrClosed):
			// The topic was deleted, and its part of the transaction with it.
		case errors.Is(err, log.ErrProducerFenced):
			// A marker of this transaction is there from before a crash, and the producer has moved on since.
		case err != nil:
			return err
		default:
			tickets = append(tickets, t)
		}
	}
	for _, t := range tickets {
		if err := t.wait(s.b.ctx); err != nil && !errors.Is(err, log.ErrClosed) {
			return err
		}
	}
	if a, ok := await[group.Action, group.TxnDone](s.b.ctx, settled); !ok || a.Code != group.None {
		return errors.New("settling offsets of the transaction failed")
	}
	return nil
}
