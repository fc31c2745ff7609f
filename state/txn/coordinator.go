package txn

import (
	"sort"
	"time"

	"github.com/millrace/millrace/state/record"
)

// Options tunes a coordinator; the zero value is Kafka's defaults.
type Options struct {
	// MaxTimeout bounds the transaction timeout clients may ask for. Default: 15 min.
	MaxTimeout time.Duration
	// IDRetention is how long an unused transactional id is remembered. Default: 7 days.
	IDRetention time.Duration
	// NewProducerID hands out a producer id never handed out before, crashes
	// included. Required.
	NewProducerID func() (int64, error)
}

func (o Options) withDefaults() Options {
	if o.MaxTimeout == 0 {
		o.MaxTimeout = 15 * time.Minute
	}
	if o.IDRetention == 0 {
		o.IDRetention = 7 * 24 * time.Hour
	}
	return o
}

// Ticket names a request that waits for its answer; the caller chooses it and
// finds it again in exactly one [Reply].
type Ticket uint64

// Action is something the caller must do: [Append], [WriteMarkers] or [Reply].
type Action interface{ action() }

// Append asks for records to be written to the transaction topic.
type Append struct {
	ID      uint64
	Records []record.Record
}

// WriteMarkers asks for the outcome of a transaction to be written to all it
// touched: control batches to partitions, settled offsets to groups. It may be
// asked twice for one transaction, after a crash or a failure.
type WriteMarkers struct {
	TransactionalID string
	Producer        Producer
	Commit          bool
	Partitions      []Partition
	Groups          []string
}

// Reply answers a request. Producer is the one to go on with.
type Reply struct {
	Ticket   Ticket
	Code     Code
	Producer Producer
}

func (Append) action()       {}
func (WriteMarkers) action() {}
func (Reply) action()        {}

// Coordinator holds all transactional ids of a node. It is not safe for
// concurrent use.
//
// Memory runs ahead of the log: a change takes effect at once, but everything
// that leaves (replies, markers) waits until the change is durable, and appends
// keep their order. Hence nothing seen outside can be lost; and if an append
// fails the coordinator must stop answering, for its memory is no longer true.
// The one exception is what a transaction touches, see [Coordinator.Add].
type Coordinator struct {
	opts     Options
	txns     map[string]*transaction
	actions  []Action
	appendID uint64
	inflight map[uint64][]func(ok bool)
	failed   bool
}

// New makes an empty coordinator.
func New(opts Options) *Coordinator {
	return &Coordinator{
		opts:     opts.withDefaults(),
		txns:     map[string]*transaction{},
		inflight: map[uint64][]func(ok bool){},
	}
}

// Actions hands over what is to be done and forgets it.
func (c *Coordinator) Actions() []Action {
	a := c.actions
	c.actions = nil
	return a
}

// Replay takes one durable record of the transaction topic.
func (c *Coordinator) Replay(r record.Record) error {
	id, t, err := decodeRecord(r)
	if err != nil {
		return err
	}
	if t == nil {
		delete(c.txns, id)
		return nil
	}
	c.txns[id] = t
	return nil
}

// Start ends replay: transactions found prepared get their markers.
func (c *Coordinator) Start() {
	for _, t := range c.sorted() {
		if t.state.preparing() {
			c.writeMarkers(t)
		}
	}
}

// Appended reports the outcome of an Append, in order; ok means durable.
func (c *Coordinator) Appended(id uint64, ok bool) {
	if !ok {
		c.failed = true
	}
	done := c.inflight[id]
	delete(c.inflight, id)
	for _, f := range done {
		f(ok)
	}
}

func (c *Coordinator) emit(a Action) { c.actions = append(c.actions, a) }

func (c *Coordinator) append(r record.Record, done func(ok bool)) uint64 {
	c.appendID++
	c.inflight[c.appendID] = []func(bool){done}
	c.emit(Append{ID: c.appendID, Records: []record.Record{r}})
	return c.appendID
}

// persist appends the transaction as it is now.
func (c *Coordinator) persist(t *transaction, done func(ok bool)) {
	t.written = c.append(encodeTransaction(t), done)
}

// reply answers when all that was persisted of t so far is durable.
func (c *Coordinator) reply(t *transaction, r Reply) { c.replyAfter(t.written, r) }

// replyAfter answers when an append is durable.
func (c *Coordinator) replyAfter(id uint64, r Reply) {
	done := func(ok bool) {
		if !ok {
			r = Reply{Ticket: r.Ticket, Code: CoordinatorNotAvailable, Producer: noProducer}
		}
		c.emit(r)
	}
	if _, ok := c.inflight[id]; ok {
		c.inflight[id] = append(c.inflight[id], done)
		return
	}
	done(true)
}

func (c *Coordinator) refuse(t Ticket, code Code) {
	c.emit(Reply{Ticket: t, Code: code, Producer: noProducer})
}

func (c *Coordinator) sorted() []*transaction {
	out := make([]*transaction, 0, len(c.txns))
	for _, t := range c.txns {
		out = append(out, t)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].id < out[j].id })
	return out
}
