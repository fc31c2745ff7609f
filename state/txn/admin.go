package txn

import "time"

// Description is what DescribeTransactions tells of a transactional id.
type Description struct {
	Code            Code
	TransactionalID string
	State           State
	Producer        Producer
	Timeout         time.Duration
	Started         time.Time // zero if no transaction is open
	Partitions      []Partition
}

// Describe tells of one transactional id.
func (c *Coordinator) Describe(id string) Description {
	t := c.txns[id]
	if t == nil {
		return Description{Code: TransactionalIDNotFound, TransactionalID: id, Producer: noProducer}
	}
	return t.describe()
}

// List tells of all transactional ids, sorted.
func (c *Coordinator) List() []Description {
	out := make([]Description, 0, len(c.txns))
	for _, t := range c.sorted() {
		out = append(out, t.describe())
	}
	return out
}

func (t *transaction) describe() Description {
	d := Description{
		TransactionalID: t.id, State: t.state, Producer: t.producer,
		Timeout: t.timeout, Partitions: t.sortedPartitions(),
	}
	if t.state == Ongoing || t.state.preparing() {
		d.Started = t.started
	}
	return d
}
