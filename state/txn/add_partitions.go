package txn

import "time"

// Add puts partitions and groups into a transaction, starting one if none is
// open: AddPartitionsToTxn and AddOffsetsToTxn, and what newer clients imply by
// producing. The reply means that the transaction's end will reach them.
//
// The reply does not wait for this record, only for those of what came before.
// Were this one lost, what the transaction has written would still be found
// where it was written, and [Coordinator.Adopt] would take it up. But what came
// before must be over on disk too, or its markers, written again after a crash,
// would end this transaction.
func (c *Coordinator) Add(now time.Time, tk Ticket, id string, p Producer, partitions []Partition, groups []string) {
	if c.failed {
		c.refuse(tk, CoordinatorNotAvailable)
		return
	}
	t := c.txns[id]
	if id == "" {
		c.refuse(tk, InvalidRequest)
		return
	}
	if code := t.check(p); code != None {
		c.refuse(tk, code)
		return
	}
	if t.state.preparing() {
		c.refuse(tk, ConcurrentTransactions)
		return
	}
	changed := t.state != Ongoing
	if changed {
		t.begin(now)
	}
	for _, part := range partitions {
		changed = changed || !t.partitions[part]
		t.partitions[part] = true
	}
	for _, g := range groups {
		changed = changed || !t.groups[g]
		t.groups[g] = true
	}
	t.updated = now
	if changed {
		c.persist(t, func(bool) {})
	}
	c.replyAfter(t.before, Reply{Ticket: tk, Producer: p})
}

// begin starts a transaction; everything persisted so far belongs to others.
func (t *transaction) begin(now time.Time) {
	t.state = Ongoing
	t.started = now
	t.before = t.written
}

// Verify says whether a producer may write to a partition, or commit offsets
// of a group, in its transaction: it must be open and include them. Without
// this check a request that arrives after the markers would start a transaction
// in that partition that nobody ever ends.
func (c *Coordinator) Verify(id string, p Producer, part *Partition, group string) Code {
	t := c.txns[id]
	if code := t.check(p); code != None {
		return code
	}
	switch {
	case t.state.preparing():
		return ConcurrentTransactions
	case t.state != Ongoing,
		part != nil && !t.partitions[*part],
		group != "" && !t.groups[group]:
		return InvalidTxnState
	}
	return None
}
