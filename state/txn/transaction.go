package txn

import (
	"sort"
	"time"
)

// State is where a transactional id stands.
//
//	                add partition or group
//	Empty ─────────────────▶ Ongoing ◀───────────────────────┐
//	                          │   │ abort, fencing, timeout  │
//	                   commit │   └──▶ PrepareAbort ──▶ CompleteAbort
//	                          ▼                              │
//	                    PrepareCommit ──▶ CompleteCommit ────┘
//
// Prepare is the point of no return: it is durable before the first marker is
// written, and whoever finds it after a crash writes the markers (again).
type State uint8

// States of a transactional id.
const (
	Empty State = iota
	Ongoing
	PrepareCommit
	PrepareAbort
	CompleteCommit
	CompleteAbort
)

// String names the state as Kafka's tools expect it.
func (s State) String() string {
	return [...]string{"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort"}[s]
}

func (s State) preparing() bool { return s == PrepareCommit || s == PrepareAbort }

// Partition names a partition.
type Partition struct {
	Topic     string
	Partition int32
}

// Producer is a producer id with its epoch; of two epochs the lower is a zombie.
type Producer struct {
	ID    int64
	Epoch int16
}

// noProducer means "none told" and "none yet".
var noProducer = Producer{-1, -1}

// maxEpoch is the last epoch handed out; beyond it a new producer id is due.
// One above is left for the markers that fence the last epoch.
const maxEpoch = 32766

// transaction is one transactional id with its current transaction, if any.
//
// Invariants: state Ongoing or preparing ⇒ partitions and groups are what the
// transaction touched, else both are empty; previous.ID ≠ producer.ID or
// previous.Epoch < producer.Epoch.
type transaction struct {
	id       string
	producer Producer
	// previous is what the current producer was derived from: a client that
	// missed the answer may show it once more and gets the same answer.
	previous   Producer
	timeout    time.Duration
	state      State
	partitions map[Partition]bool
	groups     map[string]bool
	started    time.Time // of the current transaction
	updated    time.Time
	// rotates: the epochs are used up, a new producer id is due when the
	// markers are written. Only with EndTxn that bumps the epoch.
	rotates bool

	waiter  *initWaiter // an InitProducerID waiting for the abort it caused
	enders  []Ticket    // EndTxns waiting for the markers
	retry   bool        // writing markers failed; the next Tick tries again
	written uint64      // latest Append of this id
	before  uint64      // latest Append of what came before the current transaction
}

// initWaiter is a parked InitProducerID.
type initWaiter struct {
	ticket  Ticket
	request InitRequest
}

func newTransaction(id string) *transaction {
	return &transaction{
		id: id, producer: noProducer, previous: noProducer,
		partitions: map[Partition]bool{}, groups: map[string]bool{},
	}
}

func (t *transaction) sortedPartitions() []Partition {
	out := make([]Partition, 0, len(t.partitions))
	for p := range t.partitions {
		out = append(out, p)
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Topic != out[j].Topic {
			return out[i].Topic < out[j].Topic
		}
		return out[i].Partition < out[j].Partition
	})
	return out
}

func (t *transaction) sortedGroups() []string {
	out := make([]string, 0, len(t.groups))
	for g := range t.groups {
		out = append(out, g)
	}
	sort.Strings(out)
	return out
}

// check compares a request's producer with the current one.
func (t *transaction) check(p Producer) Code {
	switch {
	case t == nil || t.producer.ID != p.ID:
		return InvalidProducerIDMapping
	case t.producer.Epoch != p.Epoch:
		return ProducerFenced
	}
	return None
}
