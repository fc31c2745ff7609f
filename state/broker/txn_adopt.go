package broker

import (
	"errors"
	"fmt"
	"time"

	"github.com/millrace/millrace/state/group"
	"github.com/millrace/millrace/state/log"
	"github.com/millrace/millrace/state/txn"
)

// adoptOpen tells the coordinator which transactions are open in partitions and groups, before it starts. Those it knows nothing of
// are aborted, or readers of committed data would wait at them for ever.
func (s *txnService) adoptOpen() error {
	now := s.b.opts.Now()
	tickets, err := s.adoptPartitions(now)
	if err != nil {
		return err
	}
	settled := s.adoptGroups(now)
	for _, t := range tickets {
		if err := t.wait(s.b.ctx); err != nil {
			return fmt.Errorf("aborting transaction nobody runs: %w", err)
		}
	}
	for _, ch := range settled {
		if a, ok := await[group.Action, group.TxnDone](s.b.ctx, ch); !ok || a.Code != group.None {
			return errors.New("aborting offsets of a transaction nobody runs: journal failed")
		}
	}
	return nil
}

func (s *txnService) adoptPartitions(now time.Time) (aborts []ticket, err error) {
	for _, p := range s.b.allPartitions() {
		part := txn.Partition{Topic: p.topic.name, Partition: p.index}
		for _, info := range p.log.Producers() {
			if info.TxnFirstOffset < 0 || s.c.Adopt(now, txn.Producer{ID: info.ID, Epoch: info.Epoch}, &part, "") {
				continue
			}
			s.b.opts.Logger.Warn("aborting transaction nobody runs", "topic", part.Topic, "partition", part.Partition, "producer", info.ID)
			t, err := s.b.appendControl(topicPartition{part.Topic, part.Partition}, log.Marker{ProducerID: info.ID, ProducerEpoch: info.Epoch})
			if err != nil {
				return nil, err
			}
			aborts = append(aborts, t)
		}
	}
	return aborts, nil
}

func (s *txnService) adoptGroups(now time.Time) (aborts []<-chan group.Action) {
	var open []group.OpenTxn
	s.b.groups.do(func(_ time.Time, c *group.Coordinator) { open = c.OpenTxns() })
	for _, o := range open {
		if s.c.Adopt(now, txn.Producer{ID: o.ProducerID, Epoch: txn.AnyEpoch}, nil, o.Group) {
			continue
		}
		s.b.opts.Logger.Warn("dropping offsets of a transaction nobody runs", "group", o.Group, "producer", o.ProducerID)
		aborts = append(aborts, s.b.groups.ask(func(_ time.Time, c *group.Coordinator, tk group.Ticket) {
			c.EndTxn(tk, o.ProducerID, []string{o.Group}, false)
		}))
	}
	return aborts
}
