package group

import (
	"maps"
	"slices"
	"time"
)

// txnEnd is an EndTxn that waits for appends under way.
type txnEnd struct {
	ticket Ticket
	groups []string
	commit bool
}

// CommitTxn handles TxnOffsetCommit: the offsets become pending, durably, and
// take effect only if EndTxn commits. The caller has checked that producerID
// has a transaction open that includes the group, and calls EndTxn for that
// transaction only after this; nothing here can tell.
func (c *Coordinator) CommitTxn(now time.Time, t Ticket, producerID int64, r CommitRequest) {
	if code := c.checkCommit(now, r, true); code != None {
		c.emit(CommitReply{Ticket: t, Code: code})
		return
	}
	changes, codes := commitChanges(now, r, change{kind: kindPending, producerID: producerID})
	if len(changes) == 0 {
		c.emit(CommitReply{Ticket: t, Codes: codes})
		return
	}
	c.txnWrites[producerID]++
	c.persist(changes, func(ok bool) {
		reply := CommitReply{Ticket: t, Codes: codes}
		if !ok {
			reply = CommitReply{Ticket: t, Code: CoordinatorNotAvailable}
		}
		c.emit(reply)
		c.txnWritten(producerID)
	})
}

func (c *Coordinator) txnWritten(producerID int64) {
	c.txnWrites[producerID]--
	if c.txnWrites[producerID] > 0 {
		return
	}
	delete(c.txnWrites, producerID)
	ends := c.txnEnds[producerID]
	delete(c.txnEnds, producerID)
	for _, e := range ends {
		c.endTxn(producerID, e)
	}
}

// EndTxn settles the pending offsets of a producer in the groups: they become
// the committed ones, or vanish, all in one append. TxnDone answers when that
// is durable. Repeating it is harmless, as it must be for recovery: what is
// settled is no longer pending.
func (c *Coordinator) EndTxn(t Ticket, producerID int64, groups []string, commit bool) {
	e := txnEnd{t, groups, commit}
	if c.txnWrites[producerID] > 0 {
		c.txnEnds[producerID] = append(c.txnEnds[producerID], e)
		return
	}
	c.endTxn(producerID, e)
}

func (c *Coordinator) endTxn(producerID int64, e txnEnd) {
	var changes []change
	for _, id := range e.groups {
		g := c.groups[id]
		if g == nil {
			continue
		}
		for _, tp := range sortedKeys(g.pending[producerID]) {
			if e.commit {
				changes = append(changes, change{kind: kindOffset, group: id, partition: tp, offset: g.pending[producerID][tp]})
			}
			changes = append(changes, change{kind: kindPending, tombstone: true, group: id, producerID: producerID, partition: tp})
		}
	}
	if len(changes) == 0 {
		c.emit(TxnDone{Ticket: e.ticket})
		return
	}
	c.persist(changes, func(ok bool) {
		code := None
		if !ok {
			code = CoordinatorNotAvailable
		}
		c.emit(TxnDone{Ticket: e.ticket, Code: code})
	})
}

func sortedKeys(m map[TopicPartition]Offset) []TopicPartition {
	out := make([]TopicPartition, 0, len(m))
	for tp := range m {
		out = append(out, tp)
	}
	sortPartitions(out)
	return out
}

// OpenTxn is a group in which a producer has offsets pending.
type OpenTxn struct {
	ProducerID int64
	Group      string
}

// OpenTxns lists the pending offsets that wait for EndTxn, by group.
func (c *Coordinator) OpenTxns() []OpenTxn {
	var out []OpenTxn
	for _, g := range c.sortedGroups() {
		for _, pid := range slices.Sorted(maps.Keys(g.pending)) {
			out = append(out, OpenTxn{pid, g.id})
		}
	}
	return out
}
