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
		id, err := c.opts.NewProducerID()
		if err != nil {
			c.refuse(tk, CoordinatorNotAvailable)
			return
		}
		c.emit(Reply{Ticket: tk, Producer: Producer{id, 0}})
		return
	}
	if code := c.checkInit(r); code != None {
		c.refuse(tk, code)
		return
	}
	t := c.txns[r.TransactionalID]
	if t == nil {
		c.create(now, tk, r)
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
	case !c.raise(t, r):
		c.refuse(tk, CoordinatorNotAvailable)
	default:
		c.initDone(now, tk, t, r)
	}
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

// create meets a transactional id for the first time. What producer the client
// has does not matter: the id was forgotten, and nothing of it can be open.
func (c *Coordinator) create(now time.Time, tk Ticket, r InitRequest) {
	id, err := c.opts.NewProducerID()
	if err != nil {
		c.refuse(tk, CoordinatorNotAvailable)
		return
	}
	t := newTransaction(r.TransactionalID)
	t.producer = Producer{id, 0}
	c.txns[t.id] = t
	c.initDone(now, tk, t, r)
}

// raise moves to the next epoch, or the next id where epochs are used up. It
// fails, changing nothing, if there is no such id.
func (c *Coordinator) raise(t *transaction, r InitRequest) bool {
	next := Producer{t.producer.ID, t.producer.Epoch + 1}
	if t.producer.Epoch >= maxEpoch {
		id, err := c.opts.NewProducerID()
		if err != nil {
			return false
		}
		next = Producer{id, 0}
	}
	t.previous = noProducer
	if r.Current.ID >= 0 {
		t.previous = t.producer
	}
	t.producer = next
	return true
}

func (c *Coordinator) initDone(now time.Time, tk Ticket, t *transaction, r InitRequest) {
	t.state = Empty
	t.timeout = r.Timeout
	t.updated = now
	c.persist(t, func(bool) {})
	c.reply(t, Reply{Ticket: tk, Producer: t.producer})
}
