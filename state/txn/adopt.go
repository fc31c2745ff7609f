package txn

import "time"

// AnyEpoch is the epoch in Adopt where it is not known.
const AnyEpoch = -1

// Adopt is told, after replay and before Start, of each partition or group in
// which a producer has a transaction open. A crash may have lost the record
// that says so, as nobody waits for it: then the transaction goes on from here,
// and its client notices nothing. False: no transaction here will ever end what
// is open there; the caller must abort it.
//
// Lost can only be the newest records of an id, and all of them additions to
// one transaction: whatever else is persisted was waited for before that
// transaction wrote anything. So what is open belongs to the id's current
// producer, or to nobody.
func (c *Coordinator) Adopt(now time.Time, p Producer, part *Partition, group string) bool {
	t := c.byProducer(p.ID)
	switch {
	case t == nil:
		return false
	case t.state.preparing():
		// Its markers are about to be written.
		return (part == nil || t.partitions[*part]) && (group == "" || t.groups[group])
	case p.Epoch != AnyEpoch && p.Epoch != t.producer.Epoch:
		return false
	}
	if t.state != Ongoing {
		t.begin(now)
		t.updated = now
	}
	if part != nil {
		t.partitions[*part] = true
	}
	if group != "" {
		t.groups[group] = true
	}
	return true
}

func (c *Coordinator) byProducer(id int64) *transaction {
	for _, t := range c.txns {
		if t.producer.ID == id {
			return t
		}
	}
	return nil
}
