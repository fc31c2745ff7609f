package txn

import "time"

// InitRequest asks for a producer id.
type InitRequest struct {
	// Transactional is false for a producer that is idempotent only.
	Transactional   bool
	TransactionalID string
	Timeout         time.Duration
	// Current is what the client has, {-1, -1} if nothing. A client that has
	// something is fenced unless it is the latest.
	Current Producer
}

// Init handles InitProducerId. A transaction the id still has open is aborted
// first, under a raised epoch that fences whoever runs it.
func (c *Coordinator) Init(now time.Time, tk Ticket, r InitRequest) {
	if c.failed {
		c.refuse(tk, CoordinatorNotAvailable)
		return
	}
	if !r.Transactional {
		c.withProducerID(func(ok bool) {
			if !ok {
				c.refuse(tk, CoordinatorNotAvailable)
				return
			}
			c.emit(Reply{Ticket: tk, Producer: Producer{c.takeProducerID(), 0}})
		})
		return
	}
	if code := c.checkInit(r); code != None {
		c.refuse(tk, code)
		return
	}
	t := c.txns[r.TransactionalID]
	if t == nil || t.epochsUsedUp(r) {
		c.withProducerID(func(ok bool) {
			if !ok {
				c.refuse(tk, CoordinatorNotAvailable)
				return
			}
			// Look again: another Init may have come first meanwhile.
			c.initWithID(now, tk, r)
		})
		return
	}
	c.initWithID(now, tk, r)
}

func (c *Coordinator) checkInit(r InitRequest) Code {
	switch {
	case r.TransactionalID == "", (r.Current.ID < 0) != (r.Current.Epoch < 0):
		return InvalidRequest
	case r.Timeout <= 0 || r.Timeout > c.opts.MaxTimeout:
		return InvalidTransactionTimeout
	}
	return None
}

// epochsUsedUp says whether answering r will take a new producer id.
func (t *transaction) epochsUsedUp(r InitRequest) bool {
	return t.producer.Epoch >= maxEpoch && !t.state.preparing() && t.state != Ongoing
}

// initWithID goes on where a producer id is at hand if it takes one.
func (c *Coordinator) initWithID(now time.Time, tk Ticket, r InitRequest) {
	t := c.txns[r.TransactionalID]
	if t == nil {
		t = newTransaction(r.TransactionalID)
		c.txns[t.id] = t
		t.producer = Producer{c.takeProducerID(), 0}
		c.initDone(now, tk, t, r)
		return
	}
	anew := r.Current.ID < 0 || r.Current == t.producer
	switch {
	case !anew && r.Current != t.previous:
		c.refuse(tk, ProducerFenced)
	case t.state.preparing():
		c.refuse(tk, ConcurrentTransactions)
	case t.state == Ongoing:
		r.Current = noProducer // proven; the abort raises the epoch
		t.waiter = &initWaiter{tk, r}
		c.prepare(now, t, PrepareAbort, false)
	case !anew:
		// The client missed our answer to what it asks again.
		c.reply(t, Reply{Ticket: tk, Producer: t.producer})
	default:
		c.raise(t, r)
		c.initDone(now, tk, t, r)
	}
}

// raise moves to the next epoch, or the next id where epochs are used up.
func (c *Coordinator) raise(t *transaction, r InitRequest) {
	t.previous = noProducer
	if r.Current.ID >= 0 {
		t.previous = t.producer
	}
	if t.producer.Epoch >= maxEpoch {
		t.producer = Producer{c.takeProducerID(), 0}
		return
	}
	t.producer.Epoch++
}

func (c *Coordinator) initDone(now time.Time, tk Ticket, t *transaction, r InitRequest) {
	t.state = Empty
	t.timeout = r.Timeout
	t.updated = now
	c.persist(t, func(bool) {})
	c.reply(t, Reply{Ticket: tk, Producer: t.producer})
}
