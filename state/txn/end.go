package txn

import "time"

// End handles EndTxn. With bump (EndTxn v5 and later) every transaction gets
// an epoch of its own, told in the reply. The reply means that the outcome is
// durable everywhere and visible to readers.
func (c *Coordinator) End(now time.Time, tk Ticket, id string, p Producer, commit, bump bool) {
	if c.failed {
		c.refuse(tk, CoordinatorNotAvailable)
		return
	}
	t := c.txns[id]
	if id == "" {
		c.refuse(tk, InvalidRequest)
		return
	}
	if bump && t != nil && t.previous == p {
		c.endAgain(tk, t, commit)
		return
	}
	if code := t.check(p); code != None {
		c.refuse(tk, code)
		return
	}
	prepare, complete := PrepareAbort, CompleteAbort
	if commit {
		prepare, complete = PrepareCommit, CompleteCommit
	}
	switch {
	case t.state == Ongoing, bump && !commit && !t.state.preparing():
		// With bump, aborting nothing is fine: the client cannot know whether
		// its first write reached us.
		t.enders = append(t.enders, tk)
		c.prepare(now, t, prepare, bump)
	case t.state == prepare:
		c.refuse(tk, ConcurrentTransactions)
	case t.state == complete && !bump:
		c.reply(t, Reply{Ticket: tk, Producer: t.producer})
	default:
		c.refuse(tk, InvalidTxnState)
	}
}

// endAgain answers a client that shows the epoch it had before a bump: either
// it repeats the EndTxn that bumped, or it is late.
func (c *Coordinator) endAgain(tk Ticket, t *transaction, commit bool) {
	switch {
	case commit && t.state == CompleteCommit, !commit && t.state == CompleteAbort:
		c.reply(t, Reply{Ticket: tk, Producer: t.producer})
	case commit && t.state == PrepareCommit, !commit && t.state == PrepareAbort:
		c.refuse(tk, ConcurrentTransactions)
	case t.state == Ongoing || t.state == Empty:
		c.refuse(tk, ProducerFenced)
	default:
		c.refuse(tk, InvalidTxnState)
	}
}

// prepare decides the outcome. Durable, it is irrevocable, and the markers go
// out. An abort nobody asked for by EndTxn (fencing, timeout) raises the epoch,
// so that the markers lock the old producer out of every partition it touched.
func (c *Coordinator) prepare(now time.Time, t *transaction, s State, bump bool) {
	fence := len(t.enders) == 0
	if bump {
		t.previous = t.producer
	} else if fence {
		t.previous = noProducer
	}
	if bump || fence {
		t.rotates = bump && t.producer.Epoch >= maxEpoch
		t.producer.Epoch++
	}
	t.state = s
	t.updated = now
	c.persist(t, func(ok bool) {
		if ok {
			c.writeMarkers(t)
			return
		}
		c.answerEnders(t, CoordinatorNotAvailable)
		if w := t.waiter; w != nil {
			t.waiter = nil
			c.refuse(w.ticket, CoordinatorNotAvailable)
		}
	})
}

func (c *Coordinator) writeMarkers(t *transaction) {
	t.retry = false
	c.emit(WriteMarkers{
		TransactionalID: t.id, Producer: t.producer, Commit: t.state == PrepareCommit,
		Partitions: t.sortedPartitions(), Groups: t.sortedGroups(),
	})
}

// MarkersWritten reports on WriteMarkers: ok means all are durable. Otherwise
// the next Tick asks again; a prepared transaction never changes its mind.
func (c *Coordinator) MarkersWritten(now time.Time, id string, ok bool) {
	t := c.txns[id]
	if t == nil || !t.state.preparing() {
		return
	}
	if !ok {
		t.retry = true
		return
	}
	if t.rotates {
		id, err := c.opts.NewProducerID()
		if err != nil {
			t.retry = true
			return
		}
		t.rotates = false
		t.producer = Producer{id, 0}
	}
	c.complete(now, t)
}

// complete ends a transaction whose markers are written.
//
// The answer need not wait for the record, unless it tells of a new producer
// id: were the record lost, recovery would write the markers once more, and
// before anything new gets in, as the next transaction's first record comes
// after this one.
func (c *Coordinator) complete(now time.Time, t *transaction) {
	if t.state == PrepareCommit {
		t.state = CompleteCommit
	} else {
		t.state = CompleteAbort
	}
	rotated := t.previous.ID >= 0 && t.previous.ID != t.producer.ID
	clear(t.partitions)
	clear(t.groups)
	t.updated = now
	if !rotated {
		c.answerEnders(t, None)
	}
	c.persist(t, func(bool) {})
	if rotated {
		c.answerEnders(t, None)
	}
	if w := t.waiter; w != nil {
		t.waiter = nil
		c.Init(now, w.ticket, w.request)
	}
}

func (c *Coordinator) answerEnders(t *transaction, code Code) {
	for _, tk := range t.enders {
		if code != None {
			c.refuse(tk, code)
			continue
		}
		c.reply(t, Reply{Ticket: tk, Producer: t.producer})
	}
	t.enders = nil
}
